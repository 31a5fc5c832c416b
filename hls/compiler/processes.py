"""Tools that are run as processes of their own, and that end when their work is no longer wanted.

A compiler or Vivado starts processes itself. So each tool gets a process group of its own, and what
ends is the group: whatever interrupts us, nothing goes on working for nobody.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

__all__ = ["running"]

#: Seconds that a tool has to tidy up before it is ended for good.
_GRACE_SECONDS = 5.0


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    input: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.PIPE,
    errors: int | IO[bytes] = subprocess.STDOUT,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a tool; whoever leaves the block early ends it and all that it started.

    Parameters
    ----------
    command
        Program and arguments.
    cwd
        Folder to run it in.
    environment
        All of its environment variables; None for ours.
    input
        What it reads, by default nothing; a pipe is closed when the block ends.
    output
        Where its output goes.
    errors
        Where its errors go; by default where its output goes.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=input,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )
    try:
        yield process
    except BaseException:
        _end_group(process)
        raise
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # of what nobody reads any more
                    pipe.close()
        process.wait()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its descendants: asked first, since g++ then removes its own files."""
    for request in (signal.SIGTERM, signal.SIGKILL):  # the second for those that did not listen
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
