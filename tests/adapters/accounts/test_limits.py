"""The limit on trying to sign in: how it grows, how it ends, and what it cannot be used for."""

from __future__ import annotations

import threading

import pytest

from adapters.accounts.limits import PACE_OF_ADDRESSES, PACE_OF_NAMES, Pace, SignInLimits, TooManyAttempts


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds, as `time.monotonic` answers them."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> SignInLimits:
    return SignInLimits(clock=clock)


def fail(limits: SignInLimits, name: str, address: str, times: int) -> None:
    for _ in range(times):
        limits.attempt(name, address)


def addresses(start: int = 0) -> list[str]:
    return [f"10.0.{start + number >> 8}.{number & 255}" for number in range(250)]


def test_the_wait_doubles_with_each_failure_up_to_a_minute_for_a_name(clock: Clock, limits: SignInLimits) -> None:
    waits = []
    for address in addresses()[: PACE_OF_NAMES.free + 9]:
        waits.append(limits.retry_after("ann", address))
        clock.now += waits[-1]
        limits.attempt("ann", address)
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_wait_of_an_address_that_tries_many_names_grows_to_a_quarter_of_an_hour(
    clock: Clock, limits: SignInLimits
) -> None:
    waits = []
    for number in range(PACE_OF_ADDRESSES.free + 13):
        waits.append(limits.retry_after(f"user{number}", "192.0.2.1"))
        clock.now += waits[-1]
        limits.attempt(f"user{number}", "192.0.2.1")
    assert waits[:20] == [0] * 20
    assert waits[20:] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert limits.retry_after("someone", "192.0.2.2") == 0


def test_an_attempt_in_the_wait_is_refused_with_the_seconds_and_not_counted(clock: Clock, limits: SignInLimits) -> None:
    fail(limits, "ann", "192.0.2.1", 5)
    for _ in range(50):
        with pytest.raises(TooManyAttempts, match=r"wait 1 s$") as caught:
            limits.attempt("ann", "192.0.2.1")
        assert caught.value.retry_after == 1
    clock.now += 0.25
    assert limits.retry_after("ann", "192.0.2.1") == 1, "whole seconds, rounded up"
    clock.now += 0.75
    limits.attempt("ann", "192.0.2.1")
    assert limits.retry_after("ann", "192.0.2.1") == 2


def test_success_lets_the_name_start_afresh(clock: Clock, limits: SignInLimits) -> None:
    fail(limits, "ann", "192.0.2.1", 5)
    clock.now += 1
    limits.attempt("ann", "192.0.2.1")
    limits.succeeded("ann", "192.0.2.1")
    fail(limits, "ann", "192.0.2.1", 5)
    assert limits.retry_after("ann", "192.0.2.1") == 1


def test_an_account_of_ones_own_does_not_clear_the_address(limits: SignInLimits) -> None:
    for number in range(PACE_OF_ADDRESSES.free):
        limits.attempt(f"victim{number}", "192.0.2.1")
        if number % 4 == 0 and number < PACE_OF_ADDRESSES.free - 1:
            limits.attempt("mallory", "192.0.2.1")
            limits.succeeded("mallory", "192.0.2.1")
    assert limits.retry_after("another", "192.0.2.1") == 1


def test_people_who_sign_in_well_are_never_slowed(limits: SignInLimits) -> None:
    for _ in range(500):
        limits.attempt("ann", "192.0.2.1")
        limits.succeeded("ann", "192.0.2.1")
    assert limits.retry_after("ann", "192.0.2.1") == 0
    assert len(limits) == 0


def test_an_hour_without_attempts_is_forgiven(clock: Clock, limits: SignInLimits) -> None:
    fail(limits, "ann", "192.0.2.1", 5)
    clock.now += PACE_OF_NAMES.forgotten_after - 1
    limits.attempt("ann", "192.0.2.1")
    assert limits.retry_after("ann", "192.0.2.1") == 2, "not yet forgiven"
    clock.now += PACE_OF_NAMES.forgotten_after
    fail(limits, "ann", "192.0.2.1", 5)
    assert limits.retry_after("ann", "192.0.2.1") == 1


def test_attempts_made_at_once_are_all_counted(limits: SignInLimits) -> None:
    let_through = []
    ready = threading.Barrier(16)

    def attempt() -> None:
        ready.wait()
        try:
            limits.attempt("ann", "192.0.2.1")
        except TooManyAttempts:
            return
        let_through.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == PACE_OF_NAMES.free


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
        ("", "unix:", False),
    ],
)
def test_what_counts_as_one_client(clock: Clock, first: str, second: str, same: bool) -> None:
    limits = SignInLimits(clock=clock, addresses=Pace(free=1, longest=60, forgotten_after=60))
    limits.attempt("ann", first)
    assert (limits.retry_after("bob", second) > 0) is same


def test_a_name_in_other_letters_is_the_same_name(limits: SignInLimits) -> None:
    for name, address in zip(["Ann", "ANN", "ann ", "\uff41\uff4e\uff4e", "aNN"], addresses(), strict=False):
        limits.attempt(name, address)
    assert limits.retry_after("ann", "192.0.2.1") == 1


def test_memory_is_bounded_whatever_is_sent(clock: Clock) -> None:
    limits = SignInLimits(clock=clock, most=10)
    for number in range(200):
        limits.attempt(f"{number}" + "x" * 10_000, f"address {number}")
    assert len(limits) == 20
    limits.attempt("\ud800", "\udfff")


def test_the_ones_used_last_are_remembered(clock: Clock) -> None:
    limits = SignInLimits(clock=clock, names=Pace(free=2, longest=60, forgotten_after=3600), most=3)
    limits.attempt("kept", "a")
    for number in range(4):
        limits.attempt(f"other{number}", f"b{number}")
        if number == 1:
            limits.attempt("kept", "a2")
    assert limits.retry_after("kept", "z") == 1


def test_the_wait_stays_finite_after_any_number_of_failures() -> None:
    assert PACE_OF_NAMES.wait(10**9) == PACE_OF_NAMES.longest
    assert PACE_OF_NAMES.wait(0) == 0
