"""The end of a round, whatever its tasks make of a cancellation."""

from __future__ import annotations

import asyncio

from eie.host.search.explore import cluster


def test_a_cancellation_that_is_swallowed_is_repeated(monkeypatch):
    """As :func:`asyncio.wait_for` does before Python 3.12, in the moment of its answer."""
    monkeypatch.setattr(cluster, "_CANCEL_SECONDS", 0.01)
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    async def failing() -> None:
        raise OSError("lost")

    async def run() -> None:
        tasks = [asyncio.create_task(task()) for task in (deaf, failing)]
        await asyncio.sleep(0)
        await asyncio.wait_for(cluster._end(tasks), 30)
        assert all(task.done() for task in tasks)

    asyncio.run(run())
    assert swallowed == 2
