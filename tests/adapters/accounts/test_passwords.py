"""Passwords: what is accepted, what is stored, and that checking tells nobody who exists."""

from __future__ import annotations

import logging
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher, Type
from argon2.low_level import hash_secret

from adapters.accounts.passwords import HASHER, LONGEST, Passwords
from domain.base.errors import RuleViolation, Unavailable

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(hasher=QUICK)


class Counting(PasswordHasher):
    """Argon2 itself, with a note of which hashes were checked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checked: list[str | bytes] = []

    def verify(self, stored: str | bytes, password: str | bytes) -> Literal[True]:
        """As the base class does."""
        self.checked.append(stored)
        return super().verify(stored, password)


class Waiting(PasswordHasher):
    """Argon2 that computes only when it is told to."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()

    def verify(self, stored: str | bytes, password: str | bytes) -> Literal[True]:
        """As the base class does."""
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        self.begun.release()
        self.go.wait(30)
        with self._lock:
            self.running -= 1
        return super().verify(stored, password)


def test_a_password_is_stored_as_argon2id_with_the_documented_parameters_and_a_fresh_salt() -> None:
    real = Passwords()
    stored = real.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert stored != real.hash("correct horse")
    assert real.verify(stored, "correct horse")
    assert not real.verify(stored, "correct horsf")
    assert HASHER.type is Type.ID


def test_hashes_of_other_parameters_are_checked_too(passwords: Passwords) -> None:
    older = hash_secret(b"correct horse", b"saltsalt", 1, 16, 1, 16, Type.I).decode()
    assert passwords.verify(older, "correct horse")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "at least 8 characters"),
        ("1234567", "at least 8 characters"),
        ("ﬁ" * 3, "at least 8 characters"),
        ("x" * (LONGEST + 1), "at most 1024 characters"),
        ("ALEXANDRA", "is the name of the user"),
    ],
)
def test_a_password_that_breaks_the_rule_is_refused(passwords: Passwords, password: str, reason: str) -> None:
    with pytest.raises(RuleViolation, match=reason) as caught:
        passwords.hash(password, user_name="Alexandra")
    assert caught.value.field == "password"


def test_the_shortest_and_the_longest_password_work(passwords: Passwords) -> None:
    for password in ("12345678", "ä" * LONGEST):
        assert passwords.verify(passwords.hash(password), password)


def test_a_password_typed_on_another_keyboard_is_the_same_one(passwords: Passwords) -> None:
    composed, decomposed = "Stra\u00dfe-caf\u00e9", "Stra\u00dfe-cafe\u0301"
    assert composed != decomposed
    assert passwords.verify(passwords.hash(composed), decomposed)


def test_a_lone_surrogate_is_a_character_like_any_other(passwords: Passwords) -> None:
    stored = passwords.hash("\ud800 and more")
    assert passwords.verify(stored, "\ud800 and more")
    assert not passwords.verify(stored, "\ud801 and more")


def test_nobody_and_an_overlong_attempt_are_checked_as_thoroughly_as_a_user() -> None:
    hasher = Counting()
    passwords = Passwords(hasher=hasher)
    stored = passwords.hash("correct horse")
    assert not passwords.verify(None, "correct horse")
    assert not passwords.verify(stored, "x" * 1_000_000)
    assert len(hasher.checked) == 2
    assert all(PasswordHasher.check_needs_rehash(hasher, str(stored)) is False for stored in hasher.checked)


def test_a_damaged_hash_lets_nobody_in_and_says_so_in_the_log(
    passwords: Passwords, caplog: pytest.LogCaptureFixture
) -> None:
    stored = passwords.hash("correct horse")
    for damaged in ("", "plain text", stored.rpartition("$")[0], stored.replace("$m=8", "$m=0")):
        with caplog.at_level(logging.ERROR):
            assert not passwords.verify(damaged, "correct horse")
        assert "set that user's password anew" in caplog.text
        assert "correct horse" not in caplog.text
        caplog.clear()


def verify_in_thread(passwords: Passwords, stored: str, answers: list[bool]) -> threading.Thread:
    caller = threading.Thread(target=lambda: answers.append(passwords.verify(stored, "correct horse")))
    caller.start()
    return caller


def test_who_comes_when_every_place_is_taken_is_turned_away_at_once() -> None:
    hasher = Waiting()
    passwords = Passwords(at_once=2, waiting=0, hasher=hasher)
    stored = passwords.hash("correct horse")
    answers: list[bool] = []
    callers = [verify_in_thread(passwords, stored, answers) for _ in range(2)]
    try:
        for _ in callers:
            assert hasher.begun.acquire(timeout=30)
        with pytest.raises(Unavailable, match="try again in a few seconds"):
            passwords.verify(stored, "correct horse")
        with pytest.raises(Unavailable):
            passwords.hash("another horse")
    finally:
        hasher.go.set()
        for caller in callers:
            caller.join(30)
    assert answers == [True, True]
    assert passwords.verify(stored, "correct horse"), "the places are given back"


def test_no_more_compute_at_once_than_were_allowed_and_the_others_wait() -> None:
    hasher = Waiting()
    passwords = Passwords(at_once=1, waiting=2, hasher=hasher)
    stored = passwords.hash("correct horse")
    answers: list[bool] = []
    callers = [verify_in_thread(passwords, stored, answers) for _ in range(3)]
    assert hasher.begun.acquire(timeout=30)
    second_began = hasher.begun.acquire(timeout=0.2)
    hasher.go.set()
    for caller in callers:
        caller.join(30)
    assert not second_began
    assert answers == [True] * 3
    assert hasher.most_running == 1
