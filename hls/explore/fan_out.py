"""Run one function on many items in parallel, on this machine or on a Dask cluster.

The same call evaluates points with models on the cores of a laptop, and runs HLS builds on build
machines: an item goes to whichever worker is free, and its result comes back as soon as it is done.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing import resource_tracker
from queue import SimpleQueue
from typing import Any, TypeVar

from eie.host.errors import InputError, ToolError

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
        from distributed import CancelledError, Client, KilledWorker, LocalCluster
    except ImportError as error:
        raise ToolError("exploring needs Dask: pip install 'eie[explore]'") from error
    with ExitStack() as stack:
        stack.enter_context(config.set({"distributed.admin.tick.limit": "1h"}))
        cluster = None
        silence = _Silence()
        stack.callback(silence.end)
        if scheduler is None:
            # No more processes than there is work for.
            count = min(system.CPU_COUNT if workers is None else workers, len(items))
            # The dashboard on a free port of this machine alone; Dask's own choice is open to all.
            # A build's tools must hear Ctrl-C themselves: nobody else would end them.
            quiet = contextlib.nullcontext() if alone else _deaf_to_interrupts()
            try:
                with quiet:
                    cluster = stack.enter_context(
                        LocalCluster(
                            n_workers=count,
                            threads_per_worker=1,
                            dashboard_address="127.0.0.1:0",
                            # What fails comes back as an exception: once is enough.
                            silence_logs=logging.CRITICAL,
                        )
                    )
                    stack.callback(silence.begin)
            except RuntimeError as error:
                raise ToolError(f"cannot start processes ({error}). {_UNGUARDED}") from error
        try:
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
            from eie.hls.explore.alone import ALONE, OneAtATime

            client.register_plugin(OneAtATime())
            takes = ALONE
        everywhere = client.scatter(shared, broadcast=True, hash=False)
        futures = {
            client.submit(function, everywhere, item, pure=False, retries=1, resources=takes): item
            for item in items
        }
        stack.callback(client.cancel, list(futures))
        stack.callback(silence.begin)  # the last that is given is the first that is called
        done: SimpleQueue[Any] = SimpleQueue()
        for future in futures:
            future.add_done_callback(done.put)
        stack.enter_context(_interrupts_in(done))
        for _ in futures:
            if (future := done.get()) is None:
                raise KeyboardInterrupt
            try:
                result = future.result()
            except (KilledWorker, CancelledError) as error:
                raise ToolError(
                    f"a worker died ({error}): is there memory enough? The same call goes on "
                    "where this one stopped"
                ) from error
            yield futures[future], result


class _Silence:
    """Keeps Dask from logging what it finds missing while it is being shut down."""

    def __init__(self) -> None:
        # A filter of the handlers: Dask sets their levels itself, and logs at the highest one.
        self._handlers = list(logging.getLogger("distributed").handlers)

    def begin(self) -> None:
        """Let nothing through."""
        for handler in self._handlers:
            handler.addFilter(self._nothing)

    def end(self) -> None:
        """Let everything through again."""
        for handler in self._handlers:
            handler.removeFilter(self._nothing)

    @staticmethod
    def _nothing(record: logging.LogRecord) -> bool:
        return False


@contextlib.contextmanager
def _interrupts_in(done: SimpleQueue[Any]) -> Iterator[None]:
    """Let Ctrl-C put None into `done`, for the one who waits there to raise.

    Raised by Python itself, between any two instructions, it would now and then leave one of Dask's
    locks held or released twice: a traceback, or a wait for ever.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if ours:
        signal.signal(signal.SIGINT, lambda *_: done.put(None))
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach; for this one it waits until the block ends.

    A terminal sends it to all of them, and each would print a traceback before this process, which
    ends them anyway, says what it means. Threads and processes inherit the mask.
    """
    # It unblocks the signal when it starts, which it would do in the middle of the block.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
