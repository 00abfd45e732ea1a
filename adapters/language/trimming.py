"""Keeps a conversation within a model's context by leaving out whole turns, oldest first.

A server that truncates by itself cuts wherever its limit falls, which may be the question, or a tool's result without
its call. A turn is a user's message and everything up to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from domain.ports.language_model import Chat, Message, Role

_BYTES_A_TOKEN: Final = 3.0
"""English has about 4.2 bytes a token in today's vocabularies, German 3.4, Chinese and Japanese 3 (one character)."""
_IMAGE_TOKENS: Final = 1500
_MESSAGE_TOKENS: Final = 8
ANSWER_SHARE: Final = 0.25
"""The part of the context that is kept free for the answer."""


def trimmed(chat: Chat, context: int) -> Chat:
    """`chat` with the turns that fit a context of `context` tokens by a cautious estimate.

    What is said to the model by the server, the first turn (which shows the photo) and the last one always stay: where
    even these do not fit, the model's server says so, and nothing is lost in silence.
    """
    room = context * (1 - ANSWER_SHARE) - len(msgspec.json.encode(chat.tools)) / _BYTES_A_TOKEN
    instructions, turns = _parted(chat.messages)
    while len(turns) > 2 and _tokens(instructions) + sum(_tokens(turn) for turn in turns) > room:
        del turns[1]
    kept = (*instructions, *(message for turn in turns for message in turn))
    return msgspec.structs.replace(chat, messages=kept)


def _parted(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    """What comes before the first user's message, and the turns."""
    instructions: list[Message] = []
    turns: list[list[Message]] = []
    for message in messages:
        if message.role is Role.USER:
            turns.append([message])
        else:
            (turns[-1] if turns else instructions).append(message)
    return instructions, turns


def _tokens(messages: Sequence[Message]) -> float:
    return sum(
        _MESSAGE_TOKENS
        + _IMAGE_TOKENS * len(message.images)
        + len(message.text.encode()) / _BYTES_A_TOKEN
        + sum(len(call.arguments.encode()) / _BYTES_A_TOKEN + _MESSAGE_TOKENS for call in message.calls)
        for message in messages
    )
