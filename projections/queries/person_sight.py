"""Of which persons an actor knows who sees some libraries only, in the words of a query."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from domain.base.actor import Actor, signature_by_key
from projections.tables.schema import ReadTables


class PersonSight:
    """Whether an actor who sees `libraries` knows of a person: of one with a face that lies, or lay, in one of these;
    of one who never had a face where they made it, or see a photo with the tag of that name."""

    def __init__(self, tables: ReadTables, actor: Actor, libraries: Collection[int]) -> None:
        self._tables, self._actor, self._libraries = tables, actor, tuple(libraries)

    def knows(self, canonical_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether the actor knows of the live person whose canonical id is in a column."""
        behind = self._tables.persons.table.alias("behind")
        theirs = self._tables.person_faces.table.alias("theirs")
        face, file = self._tables.faces.table.alias("their_face"), self._tables.media.table.alias("their_file")
        left = self._tables.unmatched.table.alias("left_behind")
        faces = (
            select(theirs.c.face_id)
            .join(behind, behind.c.id == theirs.c.person_id)
            .where(behind.c.canonical_id == canonical_id)
            .correlate_except(theirs, behind, face, left, file)
        )
        is_here = file.c.library_id.in_(self._libraries)
        seen = faces.join(face, face.c.id == theirs.c.face_id).join(file, file.c.content_hash == face.c.content_hash)
        left_behind = faces.join(left, left.c.face_id == theirs.c.face_id).join(
            file, file.c.content_hash == left.c.content_hash
        )
        return or_(
            seen.where(is_here).exists(),
            left_behind.where(is_here).exists(),
            and_(~faces.exists(), or_(self._made(canonical_id), self._tagged(canonical_id))),
        )

    def _made(self, canonical_id: ColumnElement[Any]) -> ColumnElement[bool]:
        made = self._tables.persons.table.alias("made")
        query = select(made.c.id).where(made.c.canonical_id == canonical_id, self.is_actors(made.c.made_by))
        return query.correlate_except(made).exists()

    def is_actors(self, signature: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether the actor did what is recorded under the signature in a column, by whichever key."""
        by_key = signature.startswith(signature_by_key(self._actor.name), autoescape=True)
        return or_(signature == self._actor.name, by_key)

    def _tagged(self, canonical_id: ColumnElement[Any]) -> ColumnElement[bool]:
        called, tag = self._tables.persons.table.alias("called"), self._tables.tags.table.alias("of_name")
        tagged, file = self._tables.tagged_media.table.alias("tagged"), self._tables.media.table.alias("tagged_file")
        query = (
            select(called.c.id)
            .join(tag, tag.c.name_key == called.c.name_key)
            .join(tagged, tagged.c.tag_id == tag.c.id)
            .join(file, file.c.content_hash == tagged.c.content_hash)
            .where(called.c.id == canonical_id, tag.c.deleted.is_(False))
            .where(file.c.present, file.c.library_id.in_(self._libraries))
        )
        return query.correlate_except(called, tag, tagged, file).exists()
