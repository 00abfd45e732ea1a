"""Memory is lent in the order of asking, up to a share of the machine's."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from adapters.workers.memory_budget import LEAST_BYTES, MOST_BYTES, MemoryBudget, most_of_machine
from tests.waiting import until


def test_one_alone_may_have_more_than_there_is() -> None:
    assert MemoryBudget(100).borrow("one", 1000)


def test_who_came_first_goes_first_though_a_small_one_would_fit() -> None:
    budget, order = MemoryBudget(100), list[str]()
    budget.borrow("first", 80)

    def ask(who: str, wanted: int) -> None:
        budget.borrow(who, wanted)
        order.append(who)

    large = threading.Thread(target=ask, args=("large", 90))
    large.start()
    until(lambda: budget.asking == 1)
    small = threading.Thread(target=ask, args=("small", 5))
    small.start()
    until(lambda: budget.asking == 2)
    assert order == []
    budget.give_back("first")
    large.join()
    small.join()
    assert order == ["large", "small"]
    assert budget.lent == 95


def test_who_asks_again_gives_back_what_they_had() -> None:
    budget = MemoryBudget(100)
    budget.borrow("one", 80)
    budget.borrow("one", 90)
    assert budget.lent == 90


def test_the_machine_has_a_share_and_a_container_that_of_its_own_limit(tmp_path: Path) -> None:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert most_of_machine(()) == min(MOST_BYTES, max(LEAST_BYTES, total // 4))
    limit, unlimited = tmp_path / "limit", tmp_path / "unlimited"
    limit.write_text(f"{3 * 2**30}\n")
    unlimited.write_text("max\n")
    assert most_of_machine((str(limit), str(unlimited))) == min(3 * 2**30, total) // 4
    limit.write_text("100000")
    assert most_of_machine((str(limit),)) == LEAST_BYTES
