"""Items that have a worker to themselves, however many threads the worker has.

`dask worker` starts a thread for each core, which suits models; a synthesis takes gigabytes of
memory and has threads of its own. Each worker gets one unit of a resource of our own, and each
item takes one. Imported only where Dask is installed.
"""

from __future__ import annotations

from distributed import Worker, WorkerPlugin

__all__ = ["ALONE", "OneAtATime"]

#: What an item takes to have a worker to itself, as :meth:`distributed.Client.submit` wants it.
ALONE = {"eie-alone": 1}


class OneAtATime(WorkerPlugin):
    """Gives a worker its unit; workers that join later get one, too."""

    name = "eie-alone"

    async def setup(self, worker: Worker) -> None:
        """Tell worker and scheduler."""
        await worker.set_resources(**ALONE)
