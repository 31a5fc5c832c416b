"""A lock on a device among processes: whoever comes second is told, and nobody waits.

It is ``flock(2)`` on a file. The kernel gives it back when the process ends, however it ends; what
the file says is for the message alone, and a file that is left behind locks nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import weakref
from pathlib import Path

from eie.hls.boundary.atomic import open_growing
from eie.hls.boundary.errors import DeviceError

__all__ = ["DeviceLock", "lock_path"]

#: Where locks of devices belong (Filesystem Hierarchy Standard 3.0, section 5.9), if it is there.
_LOCK_FOLDER = Path("/run/lock")


def lock_path(device: str) -> Path:
    """Path of the lock file of the device called `device`."""
    folder = _LOCK_FOLDER if os.access(_LOCK_FOLDER, os.W_OK) else Path(tempfile.gettempdir())
    return folder / f"eie-{re.sub(r'[^A-Za-z0-9_.-]', '_', device)}.lock"


class DeviceLock:
    """The right to use a device, from :meth:`take` until :meth:`release` or the process's end.

    Parameters
    ----------
    device
        Name of the device, the same in every process.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        #: Closes the descriptor that the lock is on; None while there is none.
        self._close: weakref.finalize[..., DeviceLock] | None = None
        self._descriptor = -1
        self._process = 0

    def take(self) -> None:
        """Take the device.

        Raises
        ------
        DeviceError
            If somebody else has it, or the lock file cannot be opened.
        """
        path = lock_path(self._device)
        try:
            descriptor = open_growing(path, os.O_RDWR)  # whatever others put there is no file
        except OSError as error:
            raise DeviceError(
                f"cannot open the device's lock file {path} ({error.strerror}): run as the user "
                "who runs the board's other programs, usually root"
            ) from error
        self._close = weakref.finalize(self, os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            self._close()
            raise DeviceError(_in_use(self._device, holder, path)) from error
        self._descriptor, self._process = descriptor, os.getpid()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{self._process}\n".encode(), 0)

    @property
    def held(self) -> bool:
        """Whether this process has the device; a child of a fork never does."""
        return self._close is not None and self._close.alive and os.getpid() == self._process

    def release(self) -> None:
        """Give the device back. Again does nothing."""
        if self._close is None or not self._close.alive:
            return
        # A fork shares the lock: it would keep it otherwise, but must not give it away.
        if os.getpid() == self._process:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._close()


def _in_use(device: str, holder: str, path: Path) -> str:
    if holder == str(os.getpid()):
        who = "another Accelerator of this program: close() that one first"
    else:
        who = (
            f"process {holder or 'unknown'}: end it (a notebook keeps the board until its kernel "
            "is shut down)"
        )
    return f"device {device} is in use by {who}. The lock is {path}"
