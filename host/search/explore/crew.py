"""The workers of a cluster that may work for us: those with the same eie.

Each that passes gets what all items share, and then units of a resource whose name is our version;
items ask for one, so Dask gives them to no other worker, whenever it joined. Imported only where
Dask is installed.

Nothing is registered with the scheduler: a plugin would outlive a client that is killed, and keep
workers of other people from starting.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import uuid
from collections.abc import Iterable
from typing import Any

from distributed import Client, Worker

from eie.hls.boundary.errors import ToolError
from eie.host.search.explore.identity import model_version
from eie.host.search.explore.job import Job

__all__ = ["Crew"]

#: Seconds at least for new workers to import eie and to be sent the network.
_ADMIT_SECONDS = 120


class Crew:
    """Those of a client's workers that may work for it.

    Its methods raise :class:`OSError` if the scheduler is lost meanwhile, and
    :class:`asyncio.TimeoutError` if it does not answer.
    """

    def __init__(self, client: Client, job: Job) -> None:
        self._client = client
        self._job = job
        self._key = f"eie-shared-{uuid.uuid4().hex}"
        self._shared: Any = None
        #: Addresses of workers that may work, and of those that were left out.
        self.members: set[str] = set()
        self._refused: set[str] = set()

    @property
    def shared(self) -> Any:
        """What all items share, on the workers."""
        return self._shared

    @property
    def takes(self) -> dict[str, int]:
        """What an item takes of a worker."""
        return {_resource(self._job.alone): 1}

    async def present(self) -> set[str]:
        """Addresses of all workers there are now.

        A scheduler that is stopped keeps its connections, and does not answer.
        """
        scheduler: Any = self._client.scheduler  # a stand-in whose calls are those of the scheduler
        return set(await asyncio.wait_for(scheduler.ncores(), self._job.wait))

    async def look(self, *, strict: bool) -> bool:
        """Admit workers that have joined; gives whether there have been members without a break.

        An item that finds no member waits until another worker *joins*; that one is given units
        afterwards, and Dask does not look again. So if for a moment there were none, items must be
        handed in anew. `strict` is whether a worker with another eie is refused or left out.

        Raises
        ------
        ToolError
            If `strict`, naming each worker that has another eie or none.
        """
        before = self.members
        now = await self.present()
        self._refused &= now
        if new := now - before - self._refused:
            admitting = self._admit(new, strict=strict)
            admitted = await asyncio.wait_for(admitting, max(self._job.wait, _ADMIT_SECONDS))
            # As one of them is still there, it was when units were given.
            now = await self.present()
            self.members = (before | admitted) & now
        else:
            self.members = before & now
        return bool(before & now)

    async def _admit(self, new: set[str], *, strict: bool) -> set[str]:
        """Admit those that have this eie; one that does not answer is asked again later."""
        faults = {}
        good = set()
        for worker, found in (await self._ask(importlib.metadata.version, new, "eie")).items():
            if isinstance(found, importlib.metadata.PackageNotFoundError):
                faults[worker] = "no eie"
            elif isinstance(found, str):
                good.add(worker)
                faults[worker] = f"eie {found}"
        ours = model_version()
        for worker, found in (await self._ask(model_version, good)).items():
            if found == ours:
                del faults[worker]
                continue
            good.discard(worker)
            if isinstance(found, OSError):
                del faults[worker]
            elif isinstance(found, ImportError | AttributeError):
                faults[worker] += f", which does not do ({found})"
            else:
                faults[worker] = f"eie {found}"
        if faults:
            await self._leave_out(faults, strict=strict)
        if not good:
            return set()
        try:
            shared = await self._client.scatter(
                {self._key: self._job.shared}, workers=sorted(good), broadcast=True
            )
        except (OSError, KeyError, ValueError, asyncio.TimeoutError):
            return set()  # one is gone already; the others are asked again at the next look
        self._shared = shared[self._key]
        units = 1 if self._job.alone else None
        granted = await self._ask(_grant, good, _resource(self._job.alone), units)
        return {worker for worker, found in granted.items() if found is True}

    async def _leave_out(self, faults: dict[str, str], *, strict: bool) -> None:
        nodes = await self._ask(platform.node, faults)
        told = sorted(
            f"worker {worker} (machine {nodes.get(worker, '?')}) has {fault}"
            for worker, fault in faults.items()
        )
        what = f"instead of {model_version()}: install the same on every machine"
        if strict:
            raise ToolError(f"{'; '.join(told)}, {what}, or stop these workers")
        self._refused |= faults.keys()
        self._job.on_notice(f"{'; '.join(told)}, {what}; it is left out")

    async def _ask(self, function: Any, workers: Iterable[str], *values: Any) -> dict[str, Any]:
        """Call a function on workers; an exception stands in the place of what it gives."""
        if not (addresses := sorted(workers)):
            return {}
        found: dict[str, Any] = await self._client.run(
            function, *values, workers=addresses, on_error="return"
        )
        return found


def _resource(alone: bool) -> str:
    return f"eie {model_version()}{' alone' if alone else ''}"


async def _grant(name: str, units: int | None, dask_worker: Worker) -> bool:
    """Give a worker units of a resource, one for each of its threads if `units` is None."""
    await dask_worker.set_resources(**{name: units or dask_worker.state.nthreads})
    return True
