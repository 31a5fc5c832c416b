"""What to do after reading a report, as commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from eie.hls.spec.design import NO_BOARD, Design
from eie.host.report.facts import EngineAgreement, Step

__all__ = ["PLACEHOLDERS", "next_steps"]

#: Words of commands that stand for a file or folder, as in the command line's help.
PLACEHOLDERS = ("NET.npz", "DESIGN.toml", "PROJECT", "X.npy", "Y.npy", "LABELS.npy", "F.bit")


def next_steps(
    design: Design,
    *,
    built: bool,
    beyond: bool,
    missing: Mapping[str, str],
    agreement: Sequence[EngineAgreement],
    files: Mapping[str, str],
) -> tuple[Step, ...]:
    """Say what is left to do on the way to a board, the nearest first.

    Parameters
    ----------
    design
        The design.
    built
        Whether its bitstream is built.
    beyond
        Whether it takes more than its board's budget.
    missing
        What the report does not know, by field.
    agreement
        Engines that were compared.
    files
        Paths by the :data:`PLACEHOLDERS` that stand for them.
    """
    steps = list(_steps(design, built, beyond, missing, agreement))
    return tuple(
        Step(step.what, tuple(_with_files(command, files) for command in step.commands))
        for step in steps
    )


def _steps(
    design: Design,
    built: bool,
    beyond: bool,
    missing: Mapping[str, str],
    agreement: Sequence[EngineAgreement],
) -> list[Step]:
    engines = " ".join(each.engine.lower() for each in agreement)
    inputs = "--inputs X.npy --outputs Y.npy"
    steps = []
    if design.board == NO_BOARD or beyond:
        board = "BOARD" if design.board == NO_BOARD else design.board
        steps.append(
            Step(
                "Choose a design for a board",
                (f"eie fit NET.npz --board {board} --out DESIGN.toml",),
            )
        )
    if "single" in missing or "batch" in missing:
        steps.append(
            Step(
                "Count cycles on your own inputs",
                (f"eie emulate NET.npz --design DESIGN.toml {inputs} --report R.json",),
            )
        )
    if "accuracy" in missing:
        steps.append(
            Step(
                "Measure accuracy on labelled inputs",
                (f"eie emulate NET.npz --design DESIGN.toml {inputs} --labels LABELS.npy",),
            )
        )
    if "c++" not in engines:
        steps.append(
            Step(
                "Run the generated C++ on the same inputs",
                (
                    "eie generate DESIGN.toml --out PROJECT",
                    f"eie simulate PROJECT NET.npz {inputs}",
                ),
            )
        )
    if design.board != NO_BOARD and not built:
        steps.append(
            Step(
                "Build the bitstream, where Vitis HLS and Vivado are installed",
                (
                    "eie generate DESIGN.toml --out PROJECT",
                    "eie build PROJECT",
                    "eie reports PROJECT",
                ),
            )
        )
    if "board" not in engines.replace("emulated board", ""):
        steps.append(
            Step(
                "Try the board, then run the network on it",
                ("eie selftest --bitstream F.bit", f"eie run NET.npz --bitstream F.bit {inputs}"),
            )
        )
    return steps


def _with_files(command: str, files: Mapping[str, str]) -> str:
    """Put paths in place of the words that stand for them."""
    return re.sub(
        r"\S+",
        lambda word: shlex.quote(files[word[0]]) if word[0] in files else word[0],
        command,
    )
