"""Persons: visual identities, what is known of them, and how two become one."""

from __future__ import annotations

import msgspec

from domain.events.event import Event, recorded_as


class Person(msgspec.Struct, frozen=True):
    """A person row as a command sees it. `merged_into` points one step on, `canonical_id` to the end of the chain (the
    person itself where it is not merged, None where the end was deleted); `birth_date` is ISO 8601."""

    id: int
    name: str
    notes: str
    entity_id: int | None
    cover_face_id: int | None
    birth_date: str | None
    hidden: bool
    merged_into: int | None
    canonical_id: int | None
    deleted: bool
    version: int


@recorded_as("PersonCreated", "person", "person_id", opens=True)
class PersonCreated(Event, frozen=True, omit_defaults=True):
    """A person was named."""

    person_id: int
    name: str
    notes: str = ""
    birth_date: str | None = None
    hidden: bool = False


@recorded_as("PersonRenamed", "person", "person_id")
class PersonRenamed(Event, frozen=True, omit_defaults=True):
    """A person got another name."""

    person_id: int
    name: str
    was: str


@recorded_as("PersonNoted", "person", "person_id")
class PersonNoted(Event, frozen=True, omit_defaults=True):
    """A person's notes were written."""

    person_id: int
    notes: str
    was: str = ""


@recorded_as("PersonCoverChosen", "person", "person_id")
class PersonCoverChosen(Event, frozen=True, omit_defaults=True):
    """A face was chosen to stand for the person; None leaves the choice to the server."""

    person_id: int
    face_id: int | None
    was: int | None = None


@recorded_as("PersonBirthDateSet", "person", "person_id")
class PersonBirthDateSet(Event, frozen=True, omit_defaults=True):
    """A person's birth date was written (ISO 8601) or cleared."""

    person_id: int
    birth_date: str | None
    was: str | None = None


@recorded_as("PersonHidden", "person", "person_id")
class PersonHidden(Event, frozen=True, omit_defaults=True):
    """A person is left out of lists unless asked for."""

    person_id: int


@recorded_as("PersonShown", "person", "person_id")
class PersonShown(Event, frozen=True, omit_defaults=True):
    """A hidden person is listed again."""

    person_id: int


@recorded_as("PersonBridged", "person", "person_id")
class PersonBridged(Event, frozen=True, omit_defaults=True):
    """A user bridged a person to an entity of the knowledge graph, or took the bridge away."""

    person_id: int
    entity_id: int | None
    was: int | None = None


@recorded_as("PersonMerged", "person", "person_id")
class PersonMerged(Event, frozen=True, omit_defaults=True):
    """A person turned out to be another one. The faces keep saying the old person; the pointer is the whole change."""

    person_id: int
    into: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """Both persons: the survivor's counts change though its stream does not."""
        return (("person", self.person_id), ("person", self.into))


@recorded_as("PersonUnmerged", "person", "person_id")
class PersonUnmerged(Event, frozen=True, omit_defaults=True):
    """A merge was taken back: the person is itself again, with exactly the faces that still say so."""

    person_id: int
    was: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """Both persons, as for the merge."""
        return (("person", self.person_id), ("person", self.was))


@recorded_as("PersonsToldApart", "person", "person_id")
class PersonsToldApart(Event, frozen=True, omit_defaults=True):
    """Two persons were said to be two: it is never suggested again that they are one."""

    person_id: int
    other: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """Both persons: it is in the history of each."""
        return (("person", self.person_id), ("person", self.other))


@recorded_as("PersonsTellingApartWithdrawn", "person", "person_id")
class PersonsTellingApartWithdrawn(Event, frozen=True, omit_defaults=True):
    """That two persons are two was taken back."""

    person_id: int
    other: int

    def touches(self) -> tuple[tuple[str, int], ...]:
        """Both persons, as for what is taken back."""
        return (("person", self.person_id), ("person", self.other))


@recorded_as("PersonDeleted", "person", "person_id")
class PersonDeleted(Event, frozen=True, omit_defaults=True):
    """A person was deleted, and with it `persons`: itself and all that were merged into it. Their faces are nobody's,
    or deleted with them where `with_faces`."""

    person_id: int
    persons: tuple[int, ...]
    with_faces: bool = False


@recorded_as("PersonRestored", "person", "person_id")
class PersonRestored(Event, frozen=True, omit_defaults=True):
    """A deleted person is back, with the faces that still say so."""

    person_id: int
