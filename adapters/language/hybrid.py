"""The hybrid backend: pictures and vectors stay with the local models, words and calls go to OpenRouter."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from domain.base.errors import RuleViolation, Unavailable
from domain.ports.language_model import (
    Chat,
    Completion,
    Delta,
    EmbeddingPurpose,
    LanguageModel,
    Message,
    Model,
    Role,
    TextEmbeddings,
)

DESCRIBE: Final = (
    "Describe this photo for somebody who cannot see it: place, people, what they do, objects, mood, light. Quote any "
    "writing on it. Only what is to be seen, in at most 150 words."
)
_REMEMBERED: Final = 128


class Hybrid:
    """`domain.ports.language_model.LanguageModel`: `remote` talks, `local` sees and embeds.

    A picture never leaves for `remote`: in its place stands what the local model says is on it, once for each picture.
    """

    def __init__(self, local: LanguageModel, remote: LanguageModel) -> None:
        self._local, self._remote = local, remote
        self._seen: OrderedDict[bytes, str] = OrderedDict()

    async def chat(self, chat: Chat) -> AsyncGenerator[Delta, None]:
        """Stream an answer of the remote model; see the port.

        Raises:
            Unavailable, Rejected, RuleViolation: as the port says, of either side.
        """
        messages = tuple([await self._in_words(message) for message in chat.messages])
        async with aclosing(self._remote.chat(msgspec.structs.replace(chat, messages=messages))) as deltas:
            async for delta in deltas:
                yield delta

    async def embed(self, texts: Sequence[str], purpose: EmbeddingPurpose) -> TextEmbeddings:
        """Embed texts with the local model; see the port."""
        return await self._local.embed(texts, purpose)

    async def models(self) -> Sequence[Model]:
        """The remote models that a user may pick."""
        return await self._remote.models()

    async def describe(self, model: str | None = None) -> Model:
        """What is known of a remote model."""
        return await self._remote.describe(model)

    async def _in_words(self, message: Message) -> Message:
        if not message.images:
            return message
        seen = [await self._on(image) for image in message.images]
        described = "\n\n".join(f"What is on the photo, as another model describes it:\n{text}" for text in seen)
        return msgspec.structs.replace(message, text=f"{message.text}\n\n{described}".strip(), images=())

    async def _on(self, image: bytes) -> str:
        """What the local model sees on a picture."""
        key = hashlib.sha256(image).digest()
        if key not in self._seen:
            self._seen[key] = await self._described(image)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return self._seen[key]

    async def _described(self, image: bytes) -> str:
        question = Chat((Message(Role.USER, DESCRIBE, images=(image,)),), thinking=False)
        try:
            async with aclosing(self._local.chat(question)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Completion):
                        return delta.message.text
        except RuleViolation as error:
            # The user picked a model of the other side: that this one cannot see is the operator's to mend.
            raise Unavailable(f"The local model cannot describe the photo: {error}") from error
        raise AssertionError
