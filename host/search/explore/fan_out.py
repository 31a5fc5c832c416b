"""Run one function on many items in parallel, on this machine or on a Dask cluster.

The same call evaluates points with models on the cores of a laptop, and runs HLS builds on build
machines: an item goes to whichever worker is free, and its result comes back as soon as it is done.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from eie.hls.boundary.errors import InputError, ToolError

__all__ = ["fan_out"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Seconds to wait for a scheduler.
_CONNECT_SECONDS = 10
#: A process that is started imports the script that started it.
_UNGUARDED = (
    'In a script, what explores must stand under `if __name__ == "__main__":`, as each process '
    "imports the script"
)


def fan_out(
    function: Callable[[Any, Item], Result],
    shared: Any,
    items: Sequence[Item],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    alone: bool = False,
) -> Iterator[tuple[Item, Result]]:
    """Call ``function(shared, item)`` for every item.

    Parameters
    ----------
    function
        Importable on the workers.
    shared
        Sent to each worker once.
    items
        What to work on; the order of results is that in which they are done.
    scheduler
        Address of a Dask scheduler; None for processes on this machine.
    workers
        Processes on this machine, at most; None for as many as there are cores.
    alone
        Whether an item has its worker to itself, even where the worker has several threads.

    Yields
    ------
    tuple
        An item and its result.

    Raises
    ------
    InputError
        If the scheduler does not answer, or has no workers.
    ToolError
        If Dask is not installed, processes cannot be started, or a worker dies.
    """
    if not items:
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ToolError(_UNGUARDED)
    try:
        from dask import config, system
        from distributed import CancelledError, Client, KilledWorker, LocalCluster, as_completed
    except ImportError as error:
        raise ToolError("exploring needs Dask: pip install 'eie[explore]'") from error
    with ExitStack() as stack:
        stack.enter_context(config.set({"distributed.admin.tick.limit": "1h"}))
        cluster = None
        if scheduler is None:
            # No more processes than there is work for.
            count = min(system.CPU_COUNT if workers is None else workers, len(items))
            # The dashboard on a free port of this machine alone; Dask's own choice is open to all.
            try:
                cluster = LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.ERROR,
                )
            except RuntimeError as error:
                raise ToolError(f"cannot start processes ({error}). {_UNGUARDED}") from error
            stack.enter_context(cluster)
        try:
            if scheduler is not None:
                _knock(scheduler)
            client = stack.enter_context(Client(cluster or scheduler, timeout=_CONNECT_SECONDS))
        except Exception as error:  # each transport has its own for an address that is none
            if scheduler is None:
                raise
            raise InputError(
                f"no Dask scheduler answers at {scheduler!r} ({error}); start one with "
                "`dask scheduler`, and `dask worker ADDRESS` on each machine"
            ) from error
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError as error:
            raise InputError(
                f"the Dask scheduler at {scheduler!r} has no workers; start `dask worker "
                f"{scheduler}` on each machine"
            ) from error
        takes = None
        if alone:
            from eie.host.search.explore.alone import ALONE, OneAtATime

            client.register_plugin(OneAtATime())
            takes = ALONE
        everywhere = client.scatter(shared, broadcast=True, hash=False)
        futures = {
            client.submit(function, everywhere, item, pure=False, retries=1, resources=takes): item
            for item in items
        }
        stack.callback(client.cancel, list(futures))
        for future in as_completed(list(futures)):
            try:
                result = future.result()
            except (KilledWorker, CancelledError) as error:
                raise ToolError(
                    f"a worker died ({error}): is there memory enough? The same call goes on "
                    "where this one stopped"
                ) from error
            yield futures[future], result


def _knock(scheduler: str) -> None:
    """See whether a scheduler answers, before a client is made.

    A client that cannot connect closes itself when it is collected. If that comes in the middle of
    another one's start, which holds the lock that it needs, both wait for ever.
    """
    from distributed import Security
    from distributed.comm.core import connect

    async def knock() -> None:
        security = Security().get_connection_args("client")
        await (await connect(scheduler, timeout=_CONNECT_SECONDS, **security)).close()

    # In a thread, since a notebook's has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, knock()).result()
