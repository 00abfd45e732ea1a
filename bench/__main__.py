"""Every figure of the README, in one run: `make bench`."""

from __future__ import annotations

from bench import (
    clusters,
    faces,
    hostile,
    ingest,
    insights,
    ledger,
    meaning,
    person_suggestions,
    places,
    queries,
    rebuild,
    recognition,
    server,
    thumbnails,
    video,
    watching,
)

if __name__ == "__main__":
    ledger.main([])
    rebuild.main([])
    ingest.main([10_000, 100_000])
    queries.main([])
    thumbnails.main()
    faces.main()
    recognition.main([])
    clusters.main([])
    person_suggestions.main([])
    places.main()
    meaning.main([])
    server.main()
    hostile.main()
    watching.main([])
    video.main()
    insights.main()
