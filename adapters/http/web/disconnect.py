"""Work for a client that may leave: it ends when the client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from starlette.types import Receive


async def while_present(receive: Receive, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work`, and cancel it when the client closes the connection."""
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        await work()
        tasks.cancel_scope.cancel()
