"""Carry a job out on a Dask cluster whose workers and scheduler may go and come back.

It goes in rounds. A round hands in everything that is not done, and ends early if what was handed
in is lost: with the scheduler, with the connection to it, or with the last worker. Imported only
where Dask is installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from typing import Any

from dask import config, system
from distributed import CancelledError, Client, KilledWorker, LocalCluster, Security
from distributed.comm.core import connect

from eie.hls.boundary.errors import InputError, ToolError
from eie.host.search.explore.crew import Crew
from eie.host.search.explore.job import UNGUARDED, Job

__all__ = ["carry_out"]

#: Seconds between two looks at the workers.
_LOOK_SECONDS = 0.5
#: Seconds after which a scheduler that does not answer is said to be waited for.
_PROMPT_SECONDS = 1.0
#: Seconds for a connection to end in order.
_CLOSE_SECONDS = 5
#: Seconds after which a task that goes on is cancelled anew.
_CANCEL_SECONDS = 0.2
#: Rounds in a row that may be lost without a result.
_FRUITLESS_ROUNDS = 4
#: Of Dask: it does not complain of long calls, nor gives up a process that is slow to start again.
_SETTINGS = {
    "distributed.admin.tick.limit": "1h",
    "distributed.deploy.lost-worker-timeout": "1h",
}
_RESUMES = "the same call goes on where this one stopped"


class _LostError(Exception):
    """What was handed in is lost; the message says with what."""


async def carry_out(
    job: Job, scheduler: str | None, workers: int | None, deliver: Callable[[Any], None]
) -> None:
    """Do all items of a job; `deliver` is called with each item and its result, once.

    Raises
    ------
    InputError, ToolError
        As :func:`eie.host.search.explore.fan_out.fan_out` says.
    """
    undone = dict(enumerate(job.items))
    fruitless = 0
    first = True
    with config.set(_SETTINGS), _quiet():
        async with _cluster(scheduler, workers or min(system.CPU_COUNT, len(undone))) as cluster:
            while undone:
                before = len(undone)
                try:
                    async with _client(cluster, job, first=first) as client:
                        await _round(client, job, undone, deliver, first=first)
                except _LostError as lost:
                    fruitless = 0 if len(undone) < before else fruitless + 1
                    if fruitless == _FRUITLESS_ROUNDS:
                        raise ToolError(
                            f"{lost}, {fruitless} times in a row without a result: is there "
                            f"memory enough? {_RESUMES.capitalize()}"
                        ) from lost
                    job.on_notice(f"{lost}: waiting up to {job.wait:g} s, then going on")
                first = False


@contextlib.asynccontextmanager
async def _cluster(scheduler: str | None, count: int) -> AsyncIterator[str | LocalCluster]:
    """Give the scheduler's address, or processes of this machine."""
    if scheduler is not None:
        yield scheduler
        return
    # The dashboard on a free port of this machine alone; Dask's own choice is open to all.
    try:
        cluster = await LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            # What fails comes back as an exception: once is enough.
            silence_logs=logging.CRITICAL,
            asynchronous=True,
        )
    except RuntimeError as error:
        raise ToolError(f"cannot start processes ({error}). {UNGUARDED}") from error
    async with cluster:
        yield cluster


@contextlib.asynccontextmanager
async def _client(cluster: str | LocalCluster, job: Job, *, first: bool) -> AsyncIterator[Client]:
    """Connect, waiting for the scheduler as long as the job does."""
    try:
        if isinstance(cluster, str):
            await _knock(cluster, job, first=first)
        client = await Client(cluster, asynchronous=True, timeout=job.wait, set_as_default=False)
    except Exception as error:  # each transport has its own for an address that is none
        if not isinstance(cluster, str):
            raise
        if first:
            raise InputError(
                f"no Dask scheduler answers at {cluster!r} ({error}); start one with "
                "`dask scheduler`, and `dask worker ADDRESS` on each machine"
            ) from error
        raise ToolError(
            f"the Dask scheduler at {cluster!r} has not answered for {job.wait:g} s ({error}); "
            f"{_RESUMES}"
        ) from error
    try:
        yield client
    finally:
        # A connection that is lost cannot end in order.
        closing = asyncio.ensure_future(client.close())
        await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
        if not closing.done():
            closing.cancel()
        elif not closing.cancelled():
            closing.exception()  # taken note of, and of no interest


async def _knock(scheduler: str, job: Job, *, first: bool) -> None:
    """See whether a scheduler answers, before a client is made that could not be closed."""
    security = Security().get_connection_args("client")
    prompt = min(_PROMPT_SECONDS, job.wait)
    try:
        await _touch(scheduler, prompt, security)
    except OSError:
        if prompt == job.wait:
            raise
        if first:
            job.on_notice(f"waiting up to {job.wait:g} s for a Dask scheduler at {scheduler!r}")
        await _touch(scheduler, job.wait - prompt, security)


async def _touch(scheduler: str, seconds: float, security: dict[str, Any]) -> None:
    """Connect and disconnect; Dask's own limit does not hold where a scheduler is stopped."""

    async def touch() -> None:
        (await connect(scheduler, timeout=seconds, **security)).abort()

    touching = asyncio.ensure_future(touch())
    # Not wait_for, which waits until what it cancels has ended.
    await asyncio.wait({touching}, timeout=seconds + _PROMPT_SECONDS)
    if not touching.done():
        touching.cancel()
        raise OSError("it takes connections, and does not answer")
    touching.result()


async def _round(
    client: Client,
    job: Job,
    undone: dict[int, Any],
    deliver: Callable[[Any], None],
    *,
    first: bool,
) -> None:
    """Hand everything in that is not done, and deliver what comes back."""
    crew = Crew(client, job)
    try:
        await _muster(client, crew, job, first=first)
    except (OSError, asyncio.TimeoutError) as error:
        raise _LostError("the Dask scheduler is lost") from error
    ended: asyncio.Queue[tuple[int, Any, Exception | None]] = asyncio.Queue()

    async def await_item(number: int, item: Any) -> None:
        try:
            result = await client.submit(
                job.function, crew.shared, item, pure=False, resources=crew.takes
            )
        except Exception as error:
            await ended.put((number, None, error))
        else:
            await ended.put((number, result, None))

    async def watch() -> None:
        try:
            await _watch(client, crew)
        except Exception as error:
            await ended.put((-1, None, error))

    tasks = [asyncio.create_task(await_item(*entry)) for entry in undone.items()]
    tasks.append(asyncio.create_task(watch()))
    try:
        while undone:
            number, result, fault = await ended.get()
            if isinstance(fault, CancelledError):
                raise _LostError(
                    "what was handed in is lost with the Dask scheduler or all workers"
                ) from fault
            if isinstance(fault, KilledWorker):
                raise ToolError(
                    f"a worker died ({fault}): is there memory enough? {_RESUMES.capitalize()}"
                ) from fault
            if fault is not None:
                raise fault
            deliver((undone.pop(number), result))
    finally:
        await _end(tasks)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until all have ended; what they raise is of no interest any more.

    Once is not enough: before Python 3.12, :func:`asyncio.wait_for` swallows a cancellation that
    comes in the moment in which its answer does, and the task goes on.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _muster(client: Client, crew: Crew, job: Job, *, first: bool) -> None:
    """Wait for workers."""
    scheduler: Any = client.scheduler
    address = scheduler.address
    loop = asyncio.get_running_loop()
    deadline = loop.time() + job.wait
    told = False
    while True:
        await crew.look(strict=first)
        if crew.members:
            return
        if loop.time() >= deadline:
            if first:
                raise InputError(
                    f"the Dask scheduler at {address!r} has no workers; start `dask worker "
                    f"{address}` on each machine"
                )
            raise ToolError(
                f"the Dask scheduler at {address!r} has had no workers with this eie for "
                f"{job.wait:g} s; {_RESUMES}"
            )
        if first and not told:
            job.on_notice(f"waiting up to {job.wait:g} s for workers of {address!r}")
            told = True
        await asyncio.sleep(min(_LOOK_SECONDS, job.wait))


async def _watch(client: Client, crew: Crew) -> None:
    """Admit workers that join, until scheduler or members are lost."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            if client.status != "running":
                raise _LostError("the connection to the Dask scheduler is lost")
            unbroken = await crew.look(strict=False)
        except (OSError, asyncio.TimeoutError) as error:
            raise _LostError("the Dask scheduler does not answer any more") from error
        if not unbroken:
            raise _LostError("all workers are lost")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging what is lost, which is said in our words or dealt with."""

    def nothing(_: logging.LogRecord) -> bool:
        return False

    # Filters of the handlers: Dask sets levels itself, and logs at the highest one.
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    handlers = {id(h): h for name in names for h in logging.getLogger(name).handlers}.values()
    for handler in handlers:
        handler.addFilter(nothing)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(nothing)
