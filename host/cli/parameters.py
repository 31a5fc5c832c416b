"""Options for the parameters of a design."""

from __future__ import annotations

import argparse
from typing import Any

from eie.hls.boundary.numerals import integer
from eie.hls.spec.design import RANGES

__all__ = ["OPTIONS", "add_axes", "add_parameters", "given_parameters", "option_of"]

_INTEGERS = tuple(name for name, (low, high) in RANGES.items() if low < high)
#: Parameters that have an option each.
OPTIONS = (*_INTEGERS, "memory")


def option_of(name: str) -> str:
    """Name of a parameter's option."""
    return f"--{name.replace('_', '-')}"


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add an option for each parameter that is not to be chosen."""
    group = parser.add_argument_group("parameters of the design that are not to be chosen")
    for name in _INTEGERS:
        group.add_argument(option_of(name), type=integer, metavar="N")
    group.add_argument("--memory", choices=("bram", "uram"))


def add_axes(parser: argparse.ArgumentParser) -> None:
    """Add an option for the values of each parameter that is to be swept."""
    group = parser.add_argument_group("values of the design's parameters")
    for name in _INTEGERS:
        group.add_argument(option_of(name), metavar="VALUES", help="as 8,16 or 8:64:8")
    group.add_argument("--memory", metavar="VALUES", help="bram, uram or bram,uram (both)")


def given_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Parameters of the design that were given on the command line."""
    given = {name: getattr(options, name) for name in OPTIONS}
    return {name: value for name, value in given.items() if value is not None}
