"""Files that a command is given must go where they are given: looked at before any work.

What a place takes is its name in the help: ``NET.npz``, ``DESIGN.toml``, ``X.npy``. Files of other
programs, and what is missing or damaged, are refused by whatever reads them, which knows more.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.file_kinds import MODELS, FileKind, identify

__all__ = ["check_given"]

#: Kinds of files that a place takes, and what they are, by its name in the help.
_PLACES: dict[str, tuple[frozenset[str], str]] = {
    "NET.npz": (frozenset({"network"}), "a network file (.npz)"),
    "DESIGN.toml": (frozenset({"design"}), "a design file (DESIGN.toml)"),
    "PROJECT": (frozenset({"project"}), "a project folder, as `eie generate` writes one"),
    "MODEL": (
        MODELS,
        "a saved torch.export program (.pt2), an ONNX (.onnx) or a Keras 3 model (.keras)",
    ),
    "F.bit": (frozenset({"bitstream"}), "a bitstream (.bit)"),
    "PACKAGE.zip": (frozenset({"package"}), "a package of `eie package` (.zip)"),
    "FOLDER": (frozenset({"explored"}), "a folder of `eie explore`"),
    **dict.fromkeys(
        ("X.npy", "Y.npy", "L.npy", ".npy"), (frozenset({"array"}), "a .npy file of numbers")
    ),
}
#: Kinds that are known for sure, and go somewhere.
_OURS = frozenset({"explored", "flow"}).union(*(kinds for kinds, _ in _PLACES.values()))


@dataclass(frozen=True)
class _Place:
    """An argument that takes a file."""

    #: As the help names it: the option, or the word in the usage.
    name: str
    #: What it takes.
    kinds: frozenset[str]
    #: The same in words.
    text: str


def check_given(
    parser: argparse.ArgumentParser, options: argparse.Namespace, written: tuple[str, ...]
) -> None:
    """Refuse files that go somewhere else, all at once; says where.

    Parameters
    ----------
    parser
        Of the command.
    options
        What was given.
    written
        Arguments that name a file to write.

    Raises
    ------
    InputError
        If a file is of another kind than its place takes.
    """
    places = {
        action.dest: place
        for action in parser._actions
        if action.dest not in written and (place := _place(action)) is not None
    }
    wrong = [
        (place, path, identify(path))
        for dest, place in places.items()
        for path in _paths(getattr(options, dest))
    ]
    wrong = [each for each in wrong if each[2].name in _OURS - each[0].kinds]
    if not wrong:
        return
    if len(wrong) == 2:
        (one, first, kind), (other, second, kind_of_other) = wrong
        if kind.name in other.kinds and kind_of_other.name in one.kinds:
            raise InputError(
                f"{first} and {second} are exchanged: {other.name} takes {first}, which is "
                f"{kind.text}, and {one.name} takes {second}, which is {kind_of_other.text}"
            )
    raise InputError(
        "\n".join(
            f"{path} must be {place.text}, not {kind.text}"
            + _instead(path, kind, place, places.values())
            for place, path, kind in wrong
        )
    )


def _place(action: argparse.Action) -> _Place | None:
    """What an argument takes; None where it is no file, or one that the command knows more of."""
    if action.type is not Path or not isinstance(action.metavar, str) or action.dest == "out":
        return None
    found = [_PLACES[name] for name in action.metavar.split("|") if name in _PLACES]
    if not found:
        return None
    kinds = frozenset().union(*(kinds for kinds, _ in found))
    name = action.option_strings[0] if action.option_strings else action.metavar
    return _Place(name, kinds, " or ".join(text for _, text in found))


def _paths(value: object) -> Iterator[Path]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, Path):
            yield each


def _instead(path: Path, kind: FileKind, place: _Place, places: Iterable[_Place]) -> str:
    """Where it goes: in this command, or what makes it usable."""
    if "design" in place.kinds and kind.name in ("project", "flow"):
        return f"; its design is {path / 'design.toml'}"
    here = [each.name for each in places if kind.name in each.kinds]
    if here:
        return f": {here[0]} takes it"
    return f": {kind.advice}" if kind.advice else ""
