"""Run one function on many items in parallel, on this machine or on a Dask cluster.

The same call evaluates points with models on the cores of a laptop, and runs HLS builds on build
machines: an item goes to whichever worker is free, and its result comes back as soon as it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from multiprocessing import resource_tracker
from queue import SimpleQueue
from typing import Any, TypeVar

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install
from eie.host.search.explore.job import UNGUARDED, Job

__all__ = ["WAIT_SECONDS", "fan_out"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: How long a scheduler and workers are waited for, unless something else is asked for.
WAIT_SECONDS = 60.0
#: Seconds that Dask has to end processes and connections.
_END_SECONDS = 20


def fan_out(
    function: Callable[[Any, Item], Result],
    shared: Any,
    items: Sequence[Item],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    alone: bool = False,
    wait: float = WAIT_SECONDS,
    on_notice: Callable[[str], None] = lambda _: None,
) -> Generator[tuple[Item, Result], None, None]:
    """Call ``function(shared, item)`` for every item, and give each result once.

    Workers may come and go, and so may the scheduler: what was not done is done by others, or
    when it is back. Close the iterator (:func:`contextlib.closing`) to stop before the end.

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
    wait
        Seconds to wait for a scheduler and for workers, at the start and when they are gone.
    on_notice
        Called with a sentence when a scheduler is waited for, or a worker is left out.

    Yields
    ------
    tuple
        An item and its result.

    Raises
    ------
    InputError
        If the scheduler does not answer, or has no workers.
    ToolError
        If Dask is not installed, processes cannot be started, a worker that is there at the start
        has another eie or none, an item's workers die time and again, or scheduler or workers are
        gone for more than `wait` seconds.
    """
    if not items:
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ToolError(UNGUARDED)
    try:
        from eie.host.search.explore.cluster import carry_out
    except ImportError as error:
        raise ToolError(f"exploring needs Dask: {how_to_install('explore')}") from error
    job = Job(function, shared, items, alone=alone, wait=wait, on_notice=on_notice)
    count = None if workers is None else min(workers, len(items))
    done: SimpleQueue[tuple[Item, Result] | BaseException | None] = SimpleQueue()
    carrier = _Carrier(lambda: carry_out(job, scheduler, count, done.put), done.put, deaf=not alone)
    try:
        while (entry := done.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry
    finally:
        carrier.end()


class _Carrier:
    """A thread that has everything of Dask to itself.

    Python raises Ctrl-C between any two instructions of the main thread. Were they Dask's, one of
    its locks would now and then stay held, and everything wait for ever; so the main thread only
    waits here. It also blocks the signal in this thread alone, from which worker processes inherit
    that (`deaf`): a terminal sends it to all of them, and each would print a traceback.
    """

    def __init__(
        self,
        work: Callable[[], Any],
        put: Callable[[BaseException | None], None],
        *,
        deaf: bool,
    ) -> None:
        self._work, self._put, self._deaf = work, put, deaf
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eie-fan-out", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop the work if it is not done, and wait until its processes have ended."""
        if self._began.wait(_END_SECONDS) and self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # it is done, and the loop is closed
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        if self._deaf:
            # It unblocks the signal in the thread that starts it.
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._put(error)
        finally:
            self._began.set()
            self._put(None)

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._began.set()
        try:
            await self._work()
        except Exception as error:
            self._put(error)  # before connections that hang are waited for
        finally:
            self._put(None)
