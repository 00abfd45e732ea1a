"""What was not decoded in time waits for an idle machine, longer each time, and never for ever."""

from __future__ import annotations

from adapters.media.postponed import FIRST_SECONDS, LONGEST_SECONDS, Postponed


class Machine:
    """A clock, and whether there is room for work."""

    def __init__(self) -> None:
        self.now, self.idle = 1000.0, True
        self.postponed = Postponed(lambda: self.idle, lambda: self.now)


def test_each_failure_doubles_the_wait() -> None:
    machine = Machine()
    for wait in (FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS):
        machine.postponed.note("a")
        machine.now += wait - 1
        assert not machine.postponed.is_due("a")
        machine.now += 1
        assert machine.postponed.is_due("a")


def test_a_busy_machine_tries_nothing_until_a_day_is_over() -> None:
    machine = Machine()
    machine.idle = False
    machine.postponed.note("a")
    machine.now += LONGEST_SECONDS - 1
    assert not machine.postponed.is_due("a")
    machine.now += 1
    assert machine.postponed.is_due("a")


def test_what_an_earlier_process_left_is_due_at_once_where_the_machine_is_idle() -> None:
    machine = Machine()
    assert machine.postponed.is_due("a")
    machine.idle = False
    assert not machine.postponed.is_due("b")
    machine.now += LONGEST_SECONDS
    assert machine.postponed.is_due("b")


def test_what_was_decoded_begins_anew() -> None:
    machine = Machine()
    for _ in range(3):
        machine.postponed.note("a")
    machine.postponed.forget("a")
    machine.postponed.note("a")
    machine.now += FIRST_SECONDS
    assert machine.postponed.is_due("a")
