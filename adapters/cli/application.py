"""What the commands need of the application: the one Protocol here, since nobody may import `app.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adapters.accounts.links import LinkBook
from adapters.background.descriptions import Descriptions
from adapters.background.jobs import JobBoard
from adapters.background.library_watch import WatchesLibraries
from adapters.background.meaning_upkeep import KeepsMeaning
from adapters.background.summary_writing import WritesSummaries
from adapters.files.change_watcher import ChangeWatcher
from adapters.meaning.vector_file import MeaningStore
from adapters.media.gallery import Gallery
from adapters.places.locator import Locator
from adapters.settings import Settings
from adapters.sms.client import SmsClient
from adapters.store.ledger import Ledger
from adapters.text_embedding.build_embedders import TextEmbedders
from domain.ports.face_engine import FaceEngine


class ApplicationParts(Protocol):
    """The parts that a command may ask for; each is made when it is first asked for."""

    @property
    def settings(self) -> Settings:
        """The settings of this process."""

    @property
    def ledger(self) -> Ledger:
        """The log and its read tables."""

    @property
    def links(self) -> LinkBook:
        """The open one-time links."""

    @property
    def board(self) -> JobBoard:
        """The jobs of this process."""

    @property
    def watcher(self) -> WatchesLibraries:
        """Looks at libraries."""

    @property
    def changes(self) -> ChangeWatcher:
        """Notices what changes in them."""

    @property
    def gallery(self) -> Gallery:
        """The pictures."""

    @property
    def descriptions(self) -> Descriptions:
        """What programs say of the photos."""

    @property
    def engine(self) -> FaceEngine | None:
        """The configured face engine, None where it is off."""

    @property
    def locator(self) -> Locator:
        """Where photos were taken."""

    @property
    def embedders(self) -> TextEmbedders:
        """What embeds texts."""

    @property
    def meaning_store(self) -> MeaningStore:
        """The vectors of photos' texts."""

    @property
    def keeps_meaning(self) -> KeepsMeaning:
        """Keeps them as the library is."""

    @property
    def conversations(self) -> SmsClient | None:
        """The user's conversations, None where no service is set."""

    @property
    def summariser(self) -> WritesSummaries | None:
        """Writes daily summaries, None where there are no conversations."""

    def server(self) -> Callable[[Callable[[str], None]], None]:
        """The server with all its background work; it serves until interrupted, and calls what it is given with its URL
        once requests are answered."""

    def faces_server(self, key: str | None) -> Callable[[str, int, Callable[[str], None]], None]:
        """A function that offers the embedded face engine at a host and port until interrupted, and calls what it is
        given with its URL."""

    def close(self) -> None:
        """Give back what was opened."""
