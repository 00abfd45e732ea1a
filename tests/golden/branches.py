"""Which branches of the rows' functions the golden examples take: told by the bytecode, so that a condition within a
line counts as one with a line of its own."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Trace = Callable[[FrameType, str, Any], Any]


class Branches:
    """Runs functions of `rooms` (folders of the tree) and remembers where each of their conditions led.

    Beside that it remembers, for each place in `rooms[0]` that hands a text to a function of another room, whether the
    text ever came back as another one: only then would a test see that the function was replaced.
    """

    def __init__(self, *rooms: str) -> None:
        self._rooms = tuple(f"{ROOT / room}/" for room in rooms)
        self._after: dict[CodeType, dict[int, set[int]]] = {}
        self._globals: dict[CodeType, Mapping[str, Any]] = {}
        self._texts: dict[tuple[CodeType, int, str], bool] = {}

    def run(self, function: Callable[[], object]) -> None:
        """Call `function` under a tracer."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            function()
        finally:
            sys.settrace(before)

    def not_taken(self, functions: set[CodeType]) -> list[str]:
        """Of `functions` and all that they called: what never ran, and the conditions that always went one way."""
        never = [f"{_place(code, code.co_firstlineno)} never ran" for code in functions - self._after.keys()]
        return sorted(never + [each for code, after in self._after.items() for each in _one_way(code, after)])

    def without_effect(self) -> list[str]:
        """The places whose function gave back each text as it was."""
        return sorted(
            f"{_place(code, _line(code, at))} gives {name} no text that it changes"
            for (code, at, name), changed in self._texts.items()
            if not changed
        )

    def constants(self, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
        """The constants of these kinds that stand in the modules of what ran, and that it names."""
        for code, names in self._globals.items():
            for name in code.co_names:
                if isinstance(names.get(name), kinds):
                    yield name, names[name]

    def _called(self, frame: FrameType, event: str, _argument: Any) -> Trace | None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self._rooms):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        after = self._after.setdefault(code, {})
        self._globals[code] = frame.f_globals
        text = self._handed_text(frame)
        last: int | None = None

        def stepped(frame: FrameType, event: str, result: Any) -> Trace:
            nonlocal last
            if event == "opcode":
                if last is not None:
                    after.setdefault(last, set()).add(frame.f_lasti)
                last = frame.f_lasti
            elif event == "return" and text is not None:
                key, before = text
                self._texts[key] = self._texts.get(key, False) or result != before
            return stepped

        return stepped

    def _handed_text(self, frame: FrameType) -> tuple[tuple[CodeType, int, str], str] | None:
        code, caller = frame.f_code, frame.f_back
        if caller is None or not caller.f_code.co_filename.startswith(self._rooms[0]):
            return None
        texts = [v for name in code.co_varnames[: code.co_argcount] if isinstance(v := frame.f_locals[name], str)]
        if code.co_filename.startswith(self._rooms[0]) or not texts:
            return None
        return (caller.f_code, caller.f_lasti, code.co_name), texts[-1]


def _one_way(code: CodeType, after: dict[int, set[int]]) -> Iterator[str]:
    extended: int | None = None  # where an instruction began whose argument is a long one
    for step in dis.get_instructions(code):
        if step.opname == "EXTENDED_ARG":
            extended = step.offset if extended is None else extended
            continue
        forks = ("JUMP" in step.opname and "_IF_" in step.opname) or step.opname == "FOR_ITER"
        led = after.get(step.offset) or after.get(step.offset if extended is None else extended, set())
        if forks and len(led) == 1:
            yield f"{_place(code, _line(code, step.offset))} goes one way only ({step.opname})"
        extended = None


def _line(code: CodeType, offset: int) -> int:
    lines = [line for start, end, line in code.co_lines() if start <= offset < end and line is not None]
    return lines[0] if lines else code.co_firstlineno


def _place(code: CodeType, line: int) -> str:
    return f"{Path(code.co_filename).relative_to(ROOT)}:{line} {code.co_qualname}"
