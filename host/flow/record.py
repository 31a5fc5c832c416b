"""The record of a flow: which steps are done, with which inputs, so that it can go on.

``flow.json`` holds for each step a hash of all that went in and of the files that came out. A step
whose hashes are the same is not done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError

__all__ = ["RECORD", "FlowRecord", "hash_of"]

#: Name of the record in the folder of a flow.
RECORD = "flow.json"
_FORMAT = 1


class FlowRecord:
    """The steps that are done in a folder.

    A record that cannot be read is as none: the steps are done again.

    Parameters
    ----------
    folder
        Where the files of the flow are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._steps: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            read = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            if read["format"] == _FORMAT and read["eie"] == version("eie"):
                self._steps = dict(read["steps"])

    def kept(self, step: str, inputs: Mapping[str, object], files: Sequence[str]) -> bool:
        """Whether a step was done with the same inputs, and its files are as it left them."""
        found = self._steps.get(step)
        return (
            isinstance(found, dict)
            and found.get("inputs") == _plain(inputs)
            and found.get("files") == self._hashes(files)
        )

    def lines(self, step: str) -> list[str]:
        """What the step said."""
        found = self._steps.get(step, {}).get("lines", [])
        return [str(line) for line in found] if isinstance(found, list) else []

    def add(
        self, step: str, inputs: Mapping[str, object], files: Sequence[str], lines: Sequence[str]
    ) -> None:
        """Write down that a step is done.

        Raises
        ------
        InputError
            If the record cannot be written.
        """
        self._steps[step] = {
            "inputs": _plain(inputs),
            "files": self._hashes(files),
            "lines": list(lines),
        }
        record = {"format": _FORMAT, "eie": version("eie"), "steps": self._steps}
        target = self._folder / RECORD
        try:
            write_whole(target, json.dumps(record, indent=2) + "\n")
        except OSError as error:
            raise InputError(f"cannot write {target}: {error.strerror}") from error

    def _hashes(self, files: Sequence[str]) -> dict[str, str]:
        return {name: hash_of(self._folder / name) for name in files}


def hash_of(path: Path | None) -> str:
    """Hash a file, or all files of a folder; ``"none"`` for what is not there."""
    if path is None or not path.exists():
        return "none"
    digest = hashlib.sha256()
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    for each in inside:
        if each.is_file():
            content = hashlib.sha256(each.read_bytes()).hexdigest()
            digest.update(f"{each.relative_to(path)} {content}\n".encode())
    return digest.hexdigest()


def _plain(inputs: Mapping[str, object]) -> dict[str, object]:
    """As they come back from JSON."""
    plain: dict[str, object] = json.loads(json.dumps(dict(inputs)))
    return plain
