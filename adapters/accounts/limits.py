"""The limit on trying to sign in: after a few failures each further attempt must wait, longer every time.

Failures are counted for the user name and for the client's address, in memory. A name is blocked for a minute at
most, so that a stranger cannot keep its owner out; an address for up to a quarter of an hour. An attempt counts as
failed from the moment it is let through until `succeeded` says otherwise: attempts made at once are all counted.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from domain.base.errors import ImageApiError
from domain.base.names import name_key

_IPV6_NETWORK_BITS: Final = 64
"""One household or attacker has at least this much of IPv6 to itself (RFC 6177)."""


class TooManyAttempts(ImageApiError):
    """Nothing was tried; the same attempt is let through in `retry_after` whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many failed attempts to sign in: wait {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Pace:
    """How failures slow one key down: `free` attempts without waiting, then 1, 2, 4, … seconds up to `longest`.

    A key without attempts for `forgotten_after` seconds starts afresh.
    """

    free: int
    longest: float
    forgotten_after: float

    def wait(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row."""
        beyond = failures - self.free
        if beyond < 0:
            return 0.0
        return min(self.longest, float(2 ** min(beyond, 30)))


PACE_OF_NAMES: Final = Pace(free=5, longest=60.0, forgotten_after=3600.0)
PACE_OF_ADDRESSES: Final = Pace(free=20, longest=900.0, forgotten_after=3600.0)


@dataclass
class _Count:
    """The failures of one key, and when the last of them was."""

    failures: int
    last: float


class _Counts:
    """Counts by key, of which the `most` last used are remembered; not safe for threads by itself."""

    def __init__(self, pace: Pace, most: int) -> None:
        self._pace = pace
        self._most = most
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()

    def wait(self, key: bytes, now: float) -> float:
        """Seconds until the next attempt of `key` may go ahead."""
        count = self._recent(key, now)
        return 0.0 if count is None else max(0.0, count.last + self._pace.wait(count.failures) - now)

    def add(self, key: bytes, now: float) -> None:
        """Count one attempt as failed."""
        count = self._recent(key, now)
        self._counts[key] = _Count(1 if count is None else count.failures + 1, now)
        self._counts.move_to_end(key)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)

    def take_back(self, key: bytes) -> None:
        """One attempt that was counted did not fail."""
        count = self._counts.get(key)
        if count is not None:
            count.failures -= 1
            if count.failures <= 0:
                del self._counts[key]

    def forget(self, key: bytes) -> None:
        """Start afresh."""
        self._counts.pop(key, None)

    def __len__(self) -> int:
        return len(self._counts)

    def _recent(self, key: bytes, now: float) -> _Count | None:
        count = self._counts.get(key)
        return None if count is None or now - count.last >= self._pace.forgotten_after else count


class SignInLimits:
    """Decides whether an attempt to sign in may go ahead; one object a process, safe to use from any thread."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        names: Pace = PACE_OF_NAMES,
        addresses: Pace = PACE_OF_ADDRESSES,
        most: int = 10_000,
    ) -> None:
        """`clock` answers seconds that never go back; at most `most` names and as many addresses are remembered."""
        self._clock = clock
        self._lock = threading.Lock()
        self._names = _Counts(names, most)
        self._addresses = _Counts(addresses, most)

    def retry_after(self, name: str, address: str) -> int:
        """Whole seconds until an attempt with this user name from this client address may go ahead, 0 for now."""
        with self._lock:
            return self._wait(_name(name), _address(address))

    def attempt(self, name: str, address: str) -> None:
        """Let one attempt through and count it as failed until `succeeded` is called.

        Raises:
            TooManyAttempts: it must wait; nothing was counted.
        """
        name_of, address_of = _name(name), _address(address)
        with self._lock:
            if (wait := self._wait(name_of, address_of)) > 0:
                raise TooManyAttempts(wait)
            now = self._clock()
            self._names.add(name_of, now)
            self._addresses.add(address_of, now)

    def succeeded(self, name: str, address: str) -> None:
        """The attempt let through last was good: the name starts afresh, the address has one failure less.

        An address does not start afresh, else one account of one's own would be a way to try others without end.
        """
        with self._lock:
            self._names.forget(_name(name))
            self._addresses.take_back(_address(address))

    def __len__(self) -> int:
        """How many names and addresses are remembered."""
        with self._lock:
            return len(self._names) + len(self._addresses)

    def _wait(self, name: bytes, address: bytes) -> int:
        now = self._clock()
        return math.ceil(max(self._names.wait(name, now), self._addresses.wait(address, now)))


def _key(text: str) -> bytes:
    """A key of 16 bytes, whatever length a client sends."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _name(name: str) -> bytes:
    return _key(name_key(name))


def _address(address: str) -> bytes:
    """An address as one client: an IPv4 address, or the /64 network of an IPv6 address; other text as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return _key(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return _key(str(found.ipv4_mapped))
        return _key(str(int(found) >> (128 - _IPV6_NETWORK_BITS)))
    return _key(str(found))
