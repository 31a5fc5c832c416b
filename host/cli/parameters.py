"""Options for the parameters of a design, in groups with a line of help each.

All of it comes from the fields' own documentation (:data:`eie.hls.spec.design.PARAMETERS`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.numerals import integer, number
from eie.hls.boundary.text import shown
from eie.hls.model.area import EDGES, JUDGED
from eie.hls.spec.design import PARAMETERS
from eie.hls.spec.parameter import GROUPS, Parameter
from eie.host.search.judge import GOALS

__all__ = [
    "GIVEN_GOAL",
    "OPTIONS",
    "add_axes",
    "add_goal",
    "add_parameters",
    "given_goal",
    "given_parameters",
    "option_of",
]

#: Parameters that have an option each: those that are free, but for the board, which every command
#: asks for in its own way.
OPTIONS = tuple(
    name
    for name, each in PARAMETERS.items()
    if name != "board" and (each.range is None or each.range[0] < each.range[1])
)

#: Arguments of :func:`add_goal`.
GIVEN_GOAL = ("goal", "latency_us", "lut_budget", "lut_edge")


def option_of(name: str) -> str:
    """Name of a parameter's option."""
    return f"--{name.replace('_', '-')}"


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add an option for each parameter that is not to be chosen."""
    for group, name, each in _grouped(parser):
        if each.choices:
            group.add_argument(option_of(name), choices=each.choices, help=_help(each))
        else:
            group.add_argument(option_of(name), type=integer, metavar="N", help=_help(each))


def add_axes(parser: argparse.ArgumentParser) -> None:
    """Add an option for the values of each parameter that is to be swept."""
    for group, name, each in _grouped(parser):
        how = f"{','.join(each.choices)} (both)" if each.choices else "as 8,16 or 8:64:8"
        group.add_argument(option_of(name), metavar="VALUES", help=f"{_help(each)}: {how}")


def given_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Parameters of the design that were given on the command line."""
    given = {name: getattr(options, name) for name in OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


def add_goal(parser: argparse.ArgumentParser, *, passes: bool = False) -> None:
    """Add what says which design is better, and what it may take; `passes` if there may be some."""
    in_passes = "; throughput with --passes where the network runs in passes" if passes else ""
    group = parser.add_argument_group("what is better")
    group.add_argument(
        "--goal",
        choices=GOALS,
        help="latency of one vector, throughput in a batch, or area (latency; area with "
        f"--latency-us{in_passes})",
    )
    group.add_argument(
        "--latency-us",
        type=_positive,
        metavar="N",
        help="the smallest design that takes at most N microseconds for one vector, or the closest",
    )
    group.add_argument(
        "--lut-budget",
        type=_budget,
        metavar="SHARE|LUTS",
        help="LUTs that the design may take: a share as 0.5 or 50%%, or a number above 1 (70%%)",
    )
    group.add_argument(
        "--lut-edge",
        choices=EDGES,
        help=f"which number of the estimate's range of LUTs must keep to that budget ({JUDGED})",
    )


def given_goal(options: argparse.Namespace) -> dict[str, Any]:
    """Keywords of :func:`eie.host.search.fit.fit` for what is better."""
    given = {name: getattr(options, name) for name in GIVEN_GOAL}
    return {name: value for name, value in given.items() if value is not None}


def _grouped(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[argparse._ArgumentGroup, str, Parameter]]:
    for key, about in GROUPS.items():
        group = parser.add_argument_group(about)
        for name in OPTIONS:
            if PARAMETERS[name].group == key:
                yield group, name, PARAMETERS[name]


def _help(parameter: Parameter) -> str:
    """What it is and may be; its default is the search's to choose."""
    facts = [f"{parameter.values} {parameter.unit}".strip()]
    if parameter.paper:
        facts.append(f"paper: {parameter.paper}")
    return f"{parameter.text} ({'; '.join(facts)})".replace("%", "%%")


def _positive(text: str) -> float:
    return _real(text, lambda value: 0 < value < float("inf"), "a number above 0")


def _budget(text: str) -> float:
    percent = text.removesuffix("%")
    what = "a share as 0.5 or 50%, or a number of LUTs above 1"
    if percent != text:
        return _real(percent, lambda value: 0 < value <= 100, what) / 100
    return _real(text, lambda value: 0 < value < float("inf"), what)


def _real(text: str, good: Callable[[float], bool], what: str) -> float:
    try:
        value = number(text)
    except InputError:
        value = float("nan")
    if not good(value):
        raise argparse.ArgumentTypeError(f"must be {what}, not {shown(text)}")
    return value
