"""The record of a flow: of which model it is, which steps are done, and with which inputs.

``flow.json`` holds for each step a hash of all that went in and of the files that came out, and
what it said. A step whose hashes are the same is not done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eie.hls.boundary import errors
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieWarning
from eie.hls.boundary.text import shown

__all__ = ["NOTHING", "RECORD", "FlowRecord", "Said", "hash_of"]

#: Name of the record in the folder of a flow.
RECORD = "flow.json"
#: Hash of what is not there.
NOTHING = "none"
_FORMAT = 2
#: Hexadecimal digits of a hash, by which one is told from a value.
_HASH_DIGITS = 64


@dataclass(frozen=True)
class Said:
    """What a step said when it was done."""

    #: A line each.
    lines: tuple[str, ...] = ()
    #: Warnings of eie, which go on to hold as long as the step's files do.
    warnings: tuple[tuple[type[Warning], str], ...] = ()


class FlowRecord:
    """The steps that are done in a folder.

    Parameters
    ----------
    folder
        Where the files of the flow are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._steps: dict[str, dict[str, Any]] = {}
        self._eie = version("eie")
        #: The file that the flow was made from, and its hash; "" where there is no record, or one
        #: that cannot be read.
        self.model = self.model_hash = ""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            read = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            if read["format"] == _FORMAT:
                self._steps = {str(name): dict(step) for name, step in read["steps"].items()}
                self._eie = str(read["eie"])
                self.model, self.model_hash = str(read["model"]), str(read["model_hash"])

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that were done."""
        return tuple(self._steps)

    def begin(self, model: Path, model_hash: str) -> None:
        """Write down of which model the folder is; of another one than before, nothing is done.

        Raises
        ------
        OSError
            If the record cannot be written.
        """
        if model_hash != self.model_hash:
            self._steps = {}
        self.model, self.model_hash = str(model), model_hash
        self._write()

    def kept(self, step: str, inputs: Mapping[str, object], files: Sequence[str]) -> bool:
        """Whether a step was done with the same inputs, and its files are as it left them."""
        return step in self._steps and not self.why(step, inputs, files)

    def why(self, step: str, inputs: Mapping[str, object], files: Sequence[str]) -> list[str]:
        """Say why a step that was done has to be done again."""
        if step not in self._steps:
            return []
        reasons = [] if self._eie == version("eie") else [f"eie was {self._eie}"]
        before, now = (_part(self._steps[step], "inputs"), _plain(inputs))
        for name in {**before, **now}:
            if before.get(name) != now.get(name):
                reasons.append(_change(name, before.get(name, NOTHING), now.get(name, NOTHING)))
        made = _part(self._steps[step], "files")
        for name, found in self._hashes(files).items():
            if found != made.get(name):
                reasons.append(f"{name} is missing" if found == NOTHING else f"{name} was altered")
        return reasons

    def said(self, step: str) -> Said:
        """What the step said."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found = self._steps[step]
            told = tuple((_category(kind), str(text)) for kind, text in found["warnings"])
            return Said(tuple(map(str, found["lines"])), told)
        return Said()

    def add(
        self, step: str, inputs: Mapping[str, object], files: Sequence[str], said: Said
    ) -> None:
        """Write down that a step is done.

        Raises
        ------
        OSError
            If the record cannot be written.
        """
        self._steps[step] = {
            "inputs": _plain(inputs),
            "files": self._hashes(files),
            "lines": list(said.lines),
            "warnings": [[category.__name__, text] for category, text in said.warnings],
        }
        self._write()

    def _write(self) -> None:
        record = {
            "format": _FORMAT,
            "eie": version("eie"),
            "model": self.model,
            "model_hash": self.model_hash,
            "steps": self._steps,
        }
        write_whole(self._folder / RECORD, json.dumps(record, indent=2) + "\n")

    def _hashes(self, files: Sequence[str]) -> dict[str, str]:
        return {name: hash_of(self._folder / name) for name in files}


def hash_of(path: Path | None) -> str:
    """Hash a file, or all files of a folder; :data:`NOTHING` for what is not there."""
    if path is None or not path.exists():
        return NOTHING
    digest = hashlib.sha256()
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    for each in inside:
        if each.is_file():
            content = hashlib.sha256(each.read_bytes()).hexdigest()
            digest.update(f"{each.relative_to(path)} {content}\n".encode())
    return digest.hexdigest()


def _part(step: Mapping[str, Any], name: str) -> dict[str, object]:
    found = step.get(name)
    return dict(found) if isinstance(found, dict) else {}


def _change(name: str, before: object, now: object) -> str:
    """Say what is not as before; of a hash only that."""
    if before == NOTHING or now == NOTHING:
        return f"{name}: none {'before' if before == NOTHING else 'now'}"
    if _hashed(now) or _hashed(before):
        return f"{name} changed"
    return f"{name} is {_value(now)} now, {_value(before)} before"


def _hashed(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HASH_DIGITS


def _value(value: object) -> str:
    return "not given" if value is None else value if isinstance(value, str) else shown(value)


def _category(name: str) -> type[Warning]:
    found = getattr(errors, str(name), EieWarning)
    return found if isinstance(found, type) and issubclass(found, EieWarning) else EieWarning


def _plain(inputs: Mapping[str, object]) -> dict[str, object]:
    """As they come back from JSON."""
    plain: dict[str, object] = json.loads(json.dumps(dict(inputs)))
    return plain
