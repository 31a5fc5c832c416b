"""Results of an exploration in a file that grows line by line, so that it can be taken up again.

The first line says what was explored; each other line is a result with a checksum. A last line that
a crash cut short is dropped when the file is opened again; any other line that is not as it was
written is refused. The file is locked (``flock``) as long as it is open.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eie.hls.boundary.atomic import open_growing
from eie.hls.boundary.errors import InputError
from eie.host.search.explore.result import PointResult

__all__ = ["Header", "Store"]

_FORMAT = "eie exploration 1"


@dataclass(frozen=True)
class Header:
    """What must be the same for results to stand in one file."""

    #: Hash of the network's contents.
    network: str
    #: Version of eie, and a hash of the modules that the results depend on.
    version: str
    #: How rows are dealt to PEs.
    assignment: str


class Store:
    """A file of results, opened to be added to; a context manager.

    Raises
    ------
    InputError
        On opening, if the file is of another exploration, damaged, being written by another
        process, or cannot be written; on adding, if the disk is full.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._header = header
        #: Results by key.
        self.results: dict[str, PointResult] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = open_growing(path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error
        # Without a buffer, which would try to write again what the disk has no room for.
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        try:
            self._lock()
            self._read()
            if not path.stat().st_size:
                self._write(self._first_line())
        except BaseException:
            self.close()
            raise

    def add(self, results: Iterable[PointResult]) -> None:
        """Append results; they are on the disk when this returns."""
        found = list(results)
        self._write(b"".join(_line(result.as_json()) for result in found))
        self.results |= {result.key: result for result in found}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"another process is writing {self._path}: wait for it, or choose another --out"
            ) from error

    def _write(self, data: bytes) -> None:
        before = os.fstat(self._file.fileno()).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):  # what is there would be dropped on reading
                os.ftruncate(self._file.fileno(), before)
            raise InputError(f"cannot write {self._path}: {error.strerror}") from error

    def _first_line(self) -> bytes:
        return json.dumps({"format": _FORMAT, **dataclasses.asdict(self._header)}).encode() + b"\n"

    def _read(self) -> None:
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        # Without a whole line it may be the beginning of the first one.
        if whole or not self._first_line().startswith(data):
            self._check_header(data.partition(b"\n")[0])
        for number, line in enumerate(data[:whole].splitlines()[1:], 2):
            result = _parse(line)
            if result is None:
                raise InputError(f"{self._path}: line {number} is damaged: delete the line")
            self.results[result.key] = result
        if whole < len(data):
            os.truncate(self._path, whole)

    def _check_header(self, line: bytes) -> None:
        wanted = dataclasses.asdict(self._header)
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise InputError(f"{self._path} must be a file of eie explore: choose another --out")
        for name, value in wanted.items():
            if found.get(name) != value:
                raise InputError(
                    f"{self._path} holds results for another {name} ({found.get(name)!r} instead "
                    f"of {value!r}): choose another --out"
                )


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps({**values, "crc": _checksum(values)}).encode() + b"\n"


def _parse(line: bytes) -> PointResult | None:
    """Read a line back; None if it is not one that was written."""
    try:
        values = json.loads(line)
        checksum = values.pop("crc")
        return PointResult.from_json(values) if checksum == _checksum(values) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _checksum(values: dict[str, Any]) -> int:
    """CRC-32 of the values as they are written."""
    return zlib.crc32(json.dumps(values).encode())
