"""Files of the corpus in which people and programs wrote something: titles, ratings, keywords, dates, places, lenses.

`metadata` names a field of `/image/metadata` (dotted where it lies deeper) and the tag of `exiftool -json -G -n` whose
value it has, or the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.corpus_colours import tagged
from bench.corpus_files import CorpusFile, FromExiftool, chart, eight_bits, saved, writes


def metadata_files() -> Iterator[CorpusFile]:
    """Every file of this line of the table."""
    jpeg = saved(eight_bits(chart()), "JPEG", quality=90)
    yield CorpusFile(
        name="camera.jpg",
        row="8 metadata: EXIF",
        make=writes(tagged(jpeg, "jpg", "-Make=Canon", "-Model=EOS R5", "-FNumber=2.8", "-ISO=400")),
        metadata={
            "make": FromExiftool("EXIF:Make"),
            "model": FromExiftool("EXIF:Model"),
            "f_number": FromExiftool("EXIF:FNumber"),
            "iso": FromExiftool("EXIF:ISO"),
        },
    )
