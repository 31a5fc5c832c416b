"""What a package holds, and under which names: the contract of who packs and who unpacks.

A package is a zip with one folder, named after board and PEs. In it lies ``package.json``, which
says what the package is for, and ``SHA256SUMS``, in the format of ``sha256sum``, with every other
file of it. Sums show damage and mix-ups; they do not show who made a package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.text import counted, shown
from eie.hls.spec.design import NO_BOARD, Design

__all__ = [
    "BITSTREAM_FOLDER",
    "FACTS",
    "HOST_FOLDER",
    "INPUTS",
    "LABELS",
    "LENGTHS",
    "NETWORK",
    "NOTEBOOK",
    "OUTPUTS",
    "PROJECT_FOLDER",
    "README",
    "REPORT",
    "RUN",
    "SUMS",
    "WHEEL_FOLDER",
    "PackageFacts",
]

FACTS, SUMS, README = "package.json", "SHA256SUMS", "README.md"
RUN, NOTEBOOK = "run.py", "eie.ipynb"
NETWORK = "network.npz"
#: Test vectors: int16 codes of inputs and expected outputs, and classes.
INPUTS, OUTPUTS, LABELS = "vectors/inputs.npy", "vectors/outputs.npy", "vectors/labels.npy"
#: Of a recurrent network, whose vectors are the steps of sequences: steps of each.
LENGTHS = "vectors/lengths.npy"
WHEEL_FOLDER, BITSTREAM_FOLDER, PROJECT_FOLDER = "wheel", "bitstream", "project"
#: What runs with torch, of a model whose head the network is.
HOST_FOLDER = "host"
#: What ``run.py`` writes beside itself.
REPORT = "report.txt"

_FORMAT = 2


@dataclass(frozen=True)
class PackageFacts:
    """What a package is for."""

    #: Version of eie that made it, and that it brings.
    eie: str
    #: What its bitstream implements, or would.
    design: Design
    #: Whether it has a bitstream; otherwise it has the project to build one from.
    built: bool
    #: Number of test vectors, or steps of all test sequences.
    vectors: int
    #: Number of test sequences; 0 of a network that is not recurrent.
    sequences: int
    #: Whether these are the network's golden ones, or were given.
    golden: bool
    #: Whether their classes are known.
    labelled: bool

    @property
    def tests(self) -> str:
        """What it brings to test with, for people."""
        if self.sequences:
            return counted(self.sequences, "test sequence")
        return counted(self.vectors, "test vector")

    @property
    def folder(self) -> str:
        """Name of the folder in the zip."""
        return f"eie-{self.design.board}-{self.design.pes}pe"

    def to_json(self) -> str:
        """Write the facts as the text of a ``package.json``.

        The design is in it, as boards with Python 3.10 have nothing to read TOML with.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        document = {"format": _FORMAT, **values, "design": self.design.parameters()}
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def load(cls, folder: Path) -> PackageFacts:
        """Read the facts of an unpacked package.

        Raises
        ------
        InputError
            If they are missing, or are not what they must be; names everything that is wrong.
        """
        try:
            return cls.parse((folder / FACTS).read_bytes())
        except OSError as error:
            raise InputError(f"{folder} must be an unpacked package: {error}") from error

    @classmethod
    def parse(cls, data: bytes) -> PackageFacts:
        """Read the contents of a ``package.json``.

        Raises
        ------
        InputError
            If they are not what they must be; names everything that is wrong.
        """
        problems = Problems(FACTS)
        try:
            document = json.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise InputError(f"{FACTS} must be JSON: {error}") from error
        version = document.get("format") if isinstance(document, dict) else None
        problems.require(
            type(version) is int and version == _FORMAT,
            f"format must be {_FORMAT}, not {shown(version)}",
        )
        problems.raise_as(InputError, "another version of eie made this package")
        types = {
            "eie": str,
            "built": bool,
            "vectors": int,
            "sequences": int,
            "golden": bool,
            "labelled": bool,
        }
        for name, wanted in types.items():
            value = document.get(name)
            problems.require(
                type(value) is wanted,
                f"{name} must be of type {wanted.__name__}, not {value!r:.80}",
            )
        design = _design(document.get("design"), problems)
        problems.raise_as(InputError)
        assert design is not None
        return cls(design=design, **{name: document[name] for name in types})


def _design(parameters: Any, problems: Problems) -> Design | None:
    known = {field.name for field in fields(Design)}
    if not problems.require(
        isinstance(parameters, dict) and parameters.keys() <= known and "pes" in parameters,
        f"design must hold the parameters of a design, not {shown(parameters)}",
    ):
        return None
    try:
        design = Design(**parameters)
    except (InputError, TypeError) as error:
        problems.require(False, str(error))
        return None
    problems.require(design.board != NO_BOARD, "its design must be for a board")
    return design
