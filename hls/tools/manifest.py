"""The manifest of a bitstream: what it was built from, with what result, and which files it has.

It lies beside the files as ``manifest.json``, so that a bitstream without its ``.hwh``, or one that
was edited or mixed up with another build, is known as such before it is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.text import shown
from eie.hls.spec.design import Design
from eie.hls.tools.rtl.verdict import RtlVerdict

__all__ = ["BITSTREAM", "MANIFEST", "Manifest", "sha256_of"]

#: Names of a build's main files.
BITSTREAM, MANIFEST = "eie.bit", "manifest.json"
_FORMAT = 1
#: JSON types of the fields other than the design.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "part": (str,),
    "board_part": (str,),
    "tool": (str,),
    "date": (str,),
    "clock_hz": (int,),
    "wns_ns": (int, float),
    "whs_ns": (int, float),
    "files": (dict,),
}


@dataclass(frozen=True)
class Manifest:
    """What is known of a built bitstream."""

    #: What it implements, board included.
    design: Design
    #: Device.
    part: str
    #: Vivado board files that the processing system was set up from, or ``"none"``.
    board_part: str
    #: Name and version of the implementation tool.
    tool: str
    #: Day of the build, ISO 8601.
    date: str
    #: Clock of the fabric in Hz: what the processing system's dividers make of the design's.
    clock_hz: int
    #: Worst setup slack at that clock, in ns; never negative.
    wns_ns: float
    #: Worst hold slack, in ns; never negative.
    whs_ns: float
    #: SHA-256 of each file of the build, by name.
    files: Mapping[str, str]
    #: What is known of the RTL that it was built from.
    rtl: RtlVerdict = field(
        default_factory=lambda: RtlVerdict.not_simulated("the manifest does not say")
    )

    def to_json(self) -> str:
        """Write the manifest as the text of a ``manifest.json``."""
        values = asdict(self) | {"design": self.design.parameters(), "files": dict(self.files)}
        return json.dumps({"format": _FORMAT, **values}, indent=2) + "\n"

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest in `folder`.

        Raises
        ------
        InputError
            If it is missing, is not JSON, or is not a manifest; names everything that is wrong.
        """
        path = folder / MANIFEST
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"cannot read manifest {path}: {error}") from error
        return cls._from_document(document, Problems(f"manifest {path}"))

    @classmethod
    def _from_document(cls, document: Any, problems: Problems) -> Manifest:
        is_object = isinstance(document, dict)
        version = document.get("format") if is_object else document
        problems.require(
            type(version) is int and version == _FORMAT,  # True is 1, too
            f"format must be {_FORMAT}, not {shown(version)}",
        )
        problems.raise_as(InputError)
        for name, types in _TYPES.items():
            value = document.get(name)
            problems.require(
                isinstance(value, types) and not isinstance(value, bool),
                f"{name} must be of type {types[-1].__name__}, not {shown(value)}",
            )
        parameters = document.get("design")
        known = {field.name for field in fields(Design)}
        problems.require(
            isinstance(parameters, dict) and parameters.keys() <= known and "pes" in parameters,
            f"design must hold the parameters of a design, not {shown(parameters)}",
        )
        names = document.get("files")
        for name in names if isinstance(names, dict) else ():
            problems.require(
                Path(name).name == name, f"files must be named without folders, not {shown(name)}"
            )
        problems.raise_as(InputError)
        values = {name: document[name] for name in _TYPES}
        # Manifests of builds before there was a simulation have none.
        if "rtl" in document:
            values["rtl"] = RtlVerdict.from_document(document["rtl"], problems)
            problems.raise_as(InputError)
        return cls(design=Design(**parameters), **values)

    def verify(self, folder: Path) -> None:
        """Compare the files in `folder` with the manifest.

        Raises
        ------
        InputError
            Naming every file that is missing or is not the one that was built.
        """
        problems = Problems(f"build {folder}")
        for name, expected in self.files.items():
            path = folder / name
            if problems.require(path.is_file(), f"{name} is missing"):
                problems.require(
                    sha256_of(path) == expected, f"{name} is not the file that was built"
                )
        problems.raise_as(InputError)


def sha256_of(path: Path) -> str:
    """Hash the file at `path`; hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
