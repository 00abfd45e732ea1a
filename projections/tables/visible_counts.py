"""The read tables `person_counts` and `tag_counts`: on how many visible things a person or a tag is.

A content is visible to whoever may see one of the libraries that hold a present file of it. So each row counts the
things whose content lies in exactly one set of libraries, and what somebody sees is the sum of the rows whose sets hold
a library of theirs: exact for every grant, without a look at any face or file. Counts are kept for the person that a
face row says; a merge stays one pointer, and a query adds up who stands behind a person.

Two tables decide a count, a face's and its file's, while a projection writes from an event's own values and in any
order between tables. So these tables have no handlers. Triggers of `media`, `face_detections` and `tagged_media` keep
them, made by `counting_triggers.py`: each row that changes takes what it counted
out and puts what it counts now in, as the other table stands at that moment, which comes to the same in every order.
"""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table, Text

from projections.tables.projection import Id, Projection


class Counted(NamedTuple):
    """Rows of `source` that count for the person or tag in their column `subject`, where `condition` holds."""

    source: str
    subject: str
    condition: str


class VisibleCounts(Projection):
    """One row a subject and set of libraries: `libraries` holds their ids in rising order with a comma on each side,
    `seen` how many there are, never none."""

    name: ClassVar[str]
    counted: ClassVar[Counted]

    def define(self) -> None:
        """Columns; the triggers are made once every table is there."""
        self.table = Table(
            self.named(self.name),
            self.metadata,
            Column(self.counted.subject, Id, nullable=False),
            Column("libraries", Text, nullable=False),
            Column("seen", Integer, nullable=False),
            PrimaryKeyConstraint(self.counted.subject, "libraries", name=self.named(f"{self.name}_sets")),
        )


class PersonCountsTable(VisibleCounts):
    """The faces that are a person's, whether or not it was merged or deleted since."""

    name = "person_counts"
    counted = Counted("face_detections", "person_id", "$row.status = 'detected' AND $row.person_id IS NOT NULL")


class TagCountsTable(VisibleCounts):
    """The contents that have a tag, whether or not it was deleted since."""

    name = "tag_counts"
    counted = Counted("tagged_media", "tag_id", "$row.tag_id IS NOT NULL")


COUNTS: Final = (PersonCountsTable, TagCountsTable)
