"""The command `eie fit`."""

from __future__ import annotations

import argparse

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.boundary.text import counted
from eie.hls.spec.boards import find_board
from eie.hls.spec.design import NO_BOARD
from eie.host.cli.output_paths import check_suffix
from eie.host.cli.parameters import given_goal, given_parameters
from eie.host.network import Network

__all__ = ["run_fit"]


def run_fit(options: argparse.Namespace) -> None:
    """Choose a design, write it, and say why.

    Raises
    ------
    DoesNotFitError
        If no design holds the network.
    """
    from eie.host.search.explain import no_design
    from eie.host.search.fit import NoDesignError, fit

    check_suffix(options.out, ".toml")
    board = NO_BOARD if options.board == NO_BOARD else find_board(options.board).name
    network = Network.load(options.network)
    try:
        result = fit(
            network,
            board,
            passes=options.passes,
            **given_goal(options),
            **given_parameters(options),
        )
    except NoDesignError as error:
        raise DoesNotFitError(
            no_design(error.found, passes="--passes"), error.shortages, error.ways
        ) from error
    result.design.save(options.out)  # first: printing fails when nobody listens any more
    print(result.explain())
    takes, pes = result.estimate, counted(result.design.pes, "PE")
    print(
        f"{options.out}: {pes}, {takes.bram36} BRAM36, {takes.uram} UltraRAM, {takes.dsp} DSP "
        f"(exact), {takes.lut[0]} to {takes.lut[1]} LUTs (uncalibrated)"
    )
