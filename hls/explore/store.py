"""Results of an exploration in a file that grows line by line, so that it can be taken up again.

The first line says what was explored; each other line is a result. A line that a crash cut short is
dropped when the file is opened again.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from eie.hls.explore.result import PointResult
from eie.host.errors import InputError

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
        On opening, if the file is of another exploration, damaged, or cannot be written.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._header = header
        #: Results by key.
        self.results: dict[str, PointResult] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._read()
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {path}: {error}") from error
        if not path.stat().st_size:
            self._write([{"format": _FORMAT, **dataclasses.asdict(header)}])

    def add(self, results: Iterable[PointResult]) -> None:
        """Append results; they are on the disk when this returns."""
        found = list(results)
        self._write([result.as_json() for result in found])
        self.results |= {result.key: result for result in found}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, lines: list[dict[str, object]]) -> None:
        self._file.write("".join(json.dumps(line) + "\n" for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        if not self._path.exists():
            return
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].splitlines()
        if lines:
            self._check_header(lines[0])
        elif data:
            raise InputError(f"{self._path} must be a file of eie explore: delete it")
        for number, line in enumerate(lines[1:], 2):
            try:
                result = PointResult.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    f"{self._path}: line {number} is damaged ({error}): delete the line"
                ) from error
            self.results[result.key] = result
        if whole < len(data):
            os.truncate(self._path, whole)

    def _check_header(self, line: bytes) -> None:
        wanted = {"format": _FORMAT, **dataclasses.asdict(self._header)}
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise InputError(f"{self._path} must be a file of eie explore: choose another --out")
        for name, value in wanted.items():
            if found.get(name) != value:
                raise InputError(
                    f"{self._path} holds results for another {name} ({found.get(name)!r} instead "
                    f"of {value!r}): choose another --out"
                )
