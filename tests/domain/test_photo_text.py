"""What is known of a photo, as texts by which it is found."""

from __future__ import annotations

from domain.rules.photo_text import LONGEST, PhotoFacts, text_of_photo


def test_what_people_wrote_comes_first_but_a_long_description_hides_nothing() -> None:
    facts = PhotoFacts(
        kind="photo",
        path="trips/lagoon.jpg",
        place="Bern",
        title="A model's title",
        people=("Anna",),
        tags=("holiday",),
        written=("Wedding", "cake, rain", "Alt\u0020stadt"),
        description="long " * 500,
    )
    told = text_of_photo(facts).what
    assert told.startswith(
        "Wedding. cake, rain. Alt stadt. A model's title. holiday. With Anna. Bern. trips lagoon. long"
    )
    assert len(told) == LONGEST
