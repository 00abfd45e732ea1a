"""Puts an OpenAI-style answer together from its pieces, which providers number, name and end each in their own way."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.language.ollama import new_call_id
from domain.ports.language_model import Delta, Message, Role, TextDelta, ThinkingDelta, ToolCall


class Function(msgspec.Struct):
    """A piece of a call: the name comes once or with every piece, the arguments bit by bit."""

    name: str | None = None
    arguments: Any = None


class Fragment(msgspec.Struct):
    """A piece of a call; `index` says of which, where the provider does."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Piece(msgspec.Struct):
    """A piece of a message, or in an answer that is not streamed the whole of it."""

    content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    tool_calls: list[Fragment] | None = None


class _GrowingCall:
    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []


class Assembly:
    """A message that grows; calls are whole only once the stream has ended."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._details: list[Any] = []
        self._calls: list[_GrowingCall] = []

    def add(self, piece: Piece) -> list[Delta]:
        """What a piece adds for the reader."""
        found: list[Delta] = []
        for detail in piece.reasoning_details or ():
            self._add_detail(detail)
        if piece.reasoning:
            self._thinking.append(piece.reasoning)
            found.append(ThinkingDelta(piece.reasoning))
        if piece.content:
            self._text.append(piece.content)
            found.append(TextDelta(piece.content))
        for fragment in piece.tool_calls or ():
            self._add_fragment(fragment)
        return found

    def message(self) -> Message:
        """The whole message, each call with an id of its own."""
        seen: set[str] = set()
        calls = []
        for call in self._calls:
            own = call.id if call.id and call.id not in seen else new_call_id()
            seen.add(own)
            calls.append(ToolCall(own, call.name, "".join(call.arguments).strip() or "{}"))
        return Message(
            Role.ASSISTANT,
            "".join(self._text),
            calls=tuple(calls),
            thinking="".join(self._thinking),
            reasoning=msgspec.json.encode(self._details).decode() if self._details else "",
        )

    def _add_fragment(self, fragment: Fragment) -> None:
        call = self._call_of(fragment)
        function = fragment.function or Function()
        call.id = call.id or fragment.id or ""
        call.name = call.name or function.name or ""
        if isinstance(function.arguments, str):
            call.arguments.append(function.arguments)
        elif function.arguments is not None:
            call.arguments.append(msgspec.json.encode(function.arguments).decode())

    def _call_of(self, fragment: Fragment) -> _GrowingCall:
        """The call that a fragment belongs to: by its id, else by its index, else the one begun last. An id that is new
        begins a call even under an index that was used, and so does a name without index and id."""
        if fragment.id:
            same = [call for call in self._calls if call.id == fragment.id and call.index == fragment.index]
        elif fragment.index is not None:
            same = [call for call in self._calls if call.index == fragment.index]
        else:
            begins = fragment.function is not None and bool(fragment.function.name)
            same = [] if begins else self._calls
        if not same:
            self._calls.append(_GrowingCall(fragment.index))
        return (same or self._calls)[-1]

    def _add_detail(self, detail: Any) -> None:
        """Pieces of one stretch of thought become one, signature and all; everything else stays as it came."""
        last = self._details[-1] if self._details else None
        if (
            isinstance(detail, dict)
            and isinstance(last, dict)
            and detail.get("type") == last.get("type") == "reasoning.text"
            and detail.get("index") == last.get("index")
        ):
            text = (last.get("text") or "") + (detail.get("text") or "")
            given = {key: value for key, value in detail.items() if value is not None}
            self._details[-1] = {**last, **given, "text": text}
        else:
            self._details.append(detail)
