"""Operations: one user or system action and the events that it appended; the unit of undo."""

from __future__ import annotations

from typing import Final

import msgspec

from domain.base.actor import WATCHER, Actor
from domain.events.event import Event, recorded_as

LOOKED_AGAIN: Final = "detect.again"
"""The kind of the operation in which photos are looked at again, since the face model changed."""
_WITHOUT_NAMES: Final = {
    "autobind": "recognised faces on tagged photos",
    "bootstrap": "made persons from tags",
    "cluster.accept": "said whose a cluster of faces is",
    "detect": "looked for faces",
    LOOKED_AGAIN: "looked at photos again, since the face model changed",
    "entity.change": "changed an entity",
    "entity.create": "created an entity",
    "entity.delete": "deleted an entity",
    "entity.learn": "read an insight about a photo for facts",
    "entity.merge": "merged entities",
    "erase": "erased a person or faces",
    "face.batch": "changed faces",
    "face.change": "changed a face",
    "face.confirm": "said that faces are whose they are said to be",
    "face.delete": "deleted a face",
    "face.draw": "drew a face",
    "face.settle": "said that somebody is not on a photo any more",
    "face.reject": "said that a face is not somebody",
    "fact.add": "recorded a fact",
    "fact.correct": "corrected a fact",
    "fact.delete": "said that a fact is wrong",
    "import": "imported a log",
    "insight.amend": "wrote an insight about a photo anew",
    "insight.chat": "talked about a photo",
    "insight.delete": "deleted an insight",
    "insight.rate": "rated an insight",
    "insight.rewind": "went back in the conversation about a photo",
    "insight.write": "wrote an insight about a photo",
    "library.add": "added a library",
    "library.change": "changed a library",
    "library.remove": "removed a library",
    "media.carry": "carried decisions over to photos that were saved anew",
    "person.apart": "said that two persons are two",
    "person.change": "changed a person",
    "person.create": "created a person",
    "person.delete": "deleted a person",
    "person.merge": "merged persons",
    "scan": "scanned a library",
    "summary.delete": "deleted a daily summary",
    "summary.embed": "made daily summaries findable by meaning",
    "summary.write": "wrote daily summaries",
    "tag.add": "tagged photos",
    "tag.colour": "coloured a tag",
    "tag.delete": "deleted a tag",
    "tag.merge": "merged tags",
    "tag.remove": "took a tag off photos",
    "tag.rename": "renamed a tag",
    "undo": "took an operation back",
    "xmp.read": "read names and keywords from XMP",
}
"""What is said of an operation, by its kind, to who may not read its own text: that can name persons, tags and
libraries of anywhere."""


LONG_KINDS: Final = ("detect", LOOKED_AGAIN, "scan", "summary.embed", "summary.write", "xmp.read")
"""Kinds of operation that go over many transactions and say in the end what came of them."""


class Operation(msgspec.Struct, frozen=True):
    """An operation as it stands: `at` in microseconds since 1970 UTC, `undone_by` and `undoes` ids of operations."""

    id: int
    kind: str
    text: str
    actor: str
    at: int
    position: int
    undone_by: int | None
    undoes: int | None

    def may_be_read_by(self, actor: Actor) -> bool:
        """Whether `actor` may read it as it is: their own deeds; where they see every library, everything but what was
        done with accounts, which is for admins."""
        if actor.signed(self.actor) or actor.is_admin:
            return True
        return actor.libraries is None and not self.kind.startswith("user.")

    @property
    def is_long(self) -> bool:
        """Whether it goes over many transactions, and so can be interrupted; to detect again on one photo, which a user
        asks for, is done at once."""
        return self.kind in LONG_KINDS and (self.kind != "detect" or self.actor == WATCHER.name)

    @property
    def text_when_interrupted(self) -> str:
        """What is said of it where its process died before it ended."""
        return f"{self.text}, and was interrupted"

    def text_for(self, actor: Actor) -> str:
        """The operation in words for `actor`: without any name where it is not told to them."""
        return self.text if self.may_be_read_by(actor) else _WITHOUT_NAMES.get(self.kind, "did something")


@recorded_as("OperationBegan", "operation", "operation_id", opens=True)
class OperationBegan(Event, frozen=True, omit_defaults=True):
    """Someone set out to do something: `kind` for programs, `text` for people; `undoes` where it takes another one
    back."""

    operation_id: int
    kind: str
    text: str
    why: str | None = None
    undoes: int | None = None


@recorded_as("OperationEnded", "operation", "operation_id")
class OperationEnded(Event, frozen=True, omit_defaults=True):
    """A long operation came to its end; `text` says what came of it."""

    operation_id: int
    text: str
