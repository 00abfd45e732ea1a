"""The pools of worker processes of one server, by the names that its figures give them."""

from __future__ import annotations

from adapters.workers.memory_budget import MemoryBudget
from adapters.workers.pool import WorkerPool


class Pools(dict[str, WorkerPool]):
    """Pools by name; whoever builds what works in one adds it. `budget` is the memory that they may fill together."""

    def __init__(self, **pools: WorkerPool) -> None:
        super().__init__(pools)
        self.budget = MemoryBudget()

    def close(self) -> None:
        """End all their workers."""
        for pool in self.values():
            pool.close()
