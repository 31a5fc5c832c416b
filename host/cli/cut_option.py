"""The option that says where a model is cut."""

from __future__ import annotations

import argparse
from typing import Literal

from eie.hls.boundary.errors import InputError

__all__ = ["add_cut", "cut_of"]


def add_cut(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the option."""
    parser.add_argument(
        "--cut",
        metavar="MODULE[,MODULE]",
        help="the first (and the last) module on the accelerator, such as classifier.0, where a "
        "model of torch is cut, with the rest on the host; 'no' refuses a model that must be cut. "
        "Without it, as much as the accelerator can take",
    )


def cut_of(text: str | None) -> str | tuple[str, str] | Literal[False] | None:
    """Read the option as :func:`eie.convert` takes it.

    Raises
    ------
    InputError
        If it names no module, or more than two.
    """
    if text is None:
        return None
    if text == "no":
        return False
    names = text.split(",")
    if not all(names) or len(names) > 2:
        raise InputError(
            "--cut must be the first module on the accelerator, or the first and the last, such as "
            f"classifier.0,classifier.4, not {text!r}"
        )
    return names[0] if len(names) == 1 else (names[0], names[1])
