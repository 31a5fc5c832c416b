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
    output: int | IO[bytes] = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a tool without input; whoever leaves the block early ends it and all that it started.

    Parameters
    ----------
    command
        Program and arguments.
    cwd
        Folder to run it in.
    environment
        All of its environment variables; None for ours.
    output
        Where both its output and its errors go.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    except BaseException:
        _end_group(process)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its descendants: asked first, since g++ then removes its own files."""
    for request in (signal.SIGTERM, signal.SIGKILL):  # the second for those that did not listen
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
