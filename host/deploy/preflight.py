"""Whether a board can take a package, found out before anything is copied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from eie.hls.boundary.errors import DeviceError, InputError, Problems
from eie.hls.boundary.text import printable, shown
from eie.hls.spec.design import target_board
from eie.host.deploy.ssh import PYNQ_PYTHON
from eie.host.deploy.zip_file import PackageFile

__all__ = ["BoardFacts", "check_board"]

#: What `uname -m` says of the processors of each family.
_MACHINES = {"zynq7": ("armv7l",), "zynqmp": ("aarch64",)}
_OLDEST_PYTHON = (3, 10)
#: Versions of pynq: from, and below; pynq 4 has no support for Zynq-7000.
_OLDEST_PYNQ, _BEYOND_PYNQ, _BEYOND_PYNQ_ZYNQ7 = (3, 0, 1), (5,), (4,)
_OLDEST_NUMPY, _BEYOND_NUMPY = (1, 21), (2,)
#: Bytes that are wanted beyond the package: logs, pynq's own copies of bitstreams, the wheel.
_MARGIN = 32 << 20


@dataclass(frozen=True)
class BoardFacts:
    """What a board said of itself (:func:`eie.host.deploy.far_side.preflight`)."""

    python: tuple[int, ...]
    #: Path of the Python that answered.
    executable: str
    #: Processor, as `uname -m` has it.
    machine: str
    #: Board, by its device tree; may be empty.
    model: str
    #: PYNQ image, by its REVISION file; may be empty.
    image: str
    #: Versions, None for what is not installed.
    pynq: str | None
    numpy: str | None
    #: Whether ssh's user is root, and whether sudo makes it root without asking.
    root: bool
    sudo: bool
    #: Where packages go, absolute; whether it can be written, and bytes free there.
    folder: str
    writable: bool
    free: int

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> BoardFacts:
        """Read what the far side answered.

        Raises
        ------
        DeviceError
            If it is nothing that it says.
        """
        kinds: dict[str, tuple[type, ...]] = {
            field.name: (str, type(None)) if field.name in ("pynq", "numpy") else (str,)
            for field in fields(cls)
        }
        kinds |= {"python": (list,), "root": (bool,), "sudo": (bool,)}
        kinds |= {"writable": (bool,), "free": (int,)}
        values: dict[str, Any] = {}
        for name, types in kinds.items():
            value = answer.get(name)
            if not isinstance(value, types):
                raise DeviceError(
                    f"the board's answer has no {name} that makes sense: {value!r:.80}"
                )
            values[name] = (
                printable(value) if isinstance(value, str) and name != "folder" else value
            )
        python = values.pop("python")
        if not all(type(part) is int for part in python):
            raise DeviceError(f"the board's Python has no version that makes sense: {python!r:.80}")
        return cls(python=tuple(python), **values)

    def __str__(self) -> str:
        rights = "root" if self.root else "sudo without a password" if self.sudo else "no root"
        return ", ".join(
            (
                self.model or "a board of unknown model",
                f"image {self.image}" if self.image else "no PYNQ image",
                self.machine,
                f"Python {_text(self.python)}",
                f"pynq {self.pynq or 'not installed'}",
                f"numpy {self.numpy or 'not installed'}",
                rights,
                f"{self.free / 1e9:.1f} GB free",
            )
        )


def check_board(
    facts: BoardFacts, package: PackageFile, *, emulated: bool, can_ask: bool, name: str
) -> None:
    """Refuse a board that cannot take a package, or not run it.

    Parameters
    ----------
    facts, package
        The board, and what it is to take.
    emulated
        Whether an emulated board is run there: then any machine with pynq will do.
    can_ask
        Whether sudo's password may be asked for.
    name
        The board, for the message.

    Raises
    ------
    InputError
        Naming everything that is wrong, and what to do.
    """
    problems = Problems(f"board {name}")
    require = problems.require
    require(
        facts.python >= _OLDEST_PYTHON,
        f"Python must be 3.10 or later, as images of PYNQ 3.0 have, not {_text(facts.python)} "
        f"({facts.executable}): write a newer image, or name another one with --python",
    )
    family = target_board(package.facts.design).family
    if facts.python >= (3, 8):  # before, versions are not to be had
        beyond = _BEYOND_PYNQ_ZYNQ7 if family == "zynq7" and not emulated else _BEYOND_PYNQ
        wanted = f"pynq must be {_text(_OLDEST_PYNQ)} or later, before {_text(beyond)}"
        _version(problems, wanted, facts.pynq, _OLDEST_PYNQ, beyond, facts.executable)
        wanted = f"numpy must be {_text(_OLDEST_NUMPY)} or later, before {_text(_BEYOND_NUMPY)}"
        _version(problems, wanted, facts.numpy, _OLDEST_NUMPY, _BEYOND_NUMPY, facts.executable)
    if not emulated:
        board = package.facts.design.board
        require(
            facts.machine in _MACHINES[family],
            f"the processor of a {board} is {_MACHINES[family][0]}, not {facts.machine}: this is "
            "another board, or an image for another one",
        )
        require(
            package.facts.built,
            "the package has no bitstream yet: build one, or try it with --emulated",
        )
        require(
            facts.root or facts.sudo or can_ask,
            "the fabric belongs to root, and sudo asks for a password here: deploy to root@, let "
            "the user sudo without one (visudo), or --ask",
        )
    require(facts.writable, f"{facts.folder} cannot be written: see --dir")
    needed = package.size + package.unpacked + _MARGIN
    require(
        facts.free >= needed,
        f"there must be {needed / 1e6:.0f} MB free for {facts.folder}, not "
        f"{facts.free / 1e6:.0f} MB: make room, or see --dir",
    )
    problems.raise_as(InputError)


def _version(
    problems: Problems,
    wanted: str,
    found: str | None,
    oldest: tuple[int, ...],
    beyond: tuple[int, ...],
    executable: str,
) -> None:
    if found is None:
        problems.require(
            False,
            f"{wanted}, and {executable} has none: --python names the Python of PYNQ's "
            f"environment ({PYNQ_PYTHON})",
        )
        return
    number = tuple(int(part) for part in re.findall(r"\d+", found)[:3])
    problems.require(oldest <= number < beyond, f"{wanted}, not {shown(found)}")


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
