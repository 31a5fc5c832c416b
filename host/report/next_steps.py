"""What to do after reading a report, as commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from eie.hls.spec.design import NO_BOARD, Design
from eie.host.report.facts import EngineAgreement, Step

__all__ = ["PLACEHOLDERS", "next_steps", "stand_ins"]

#: Words of commands that stand for a file or folder, as in the command line's help.
PLACEHOLDERS = (
    "NET.npz",
    "DESIGN.toml",
    "PROJECT",
    "X.npy",
    "Y.npy",
    "LABELS.npy",
    "F.bit",
    "PACKAGE.zip",
)


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
    counts, judges = "single" in missing or "batch" in missing, "accuracy" in missing
    steps = []
    if design.board == NO_BOARD or beyond:
        board = "BOARD" if design.board == NO_BOARD else design.board
        steps.append(
            Step(
                "Choose a design for a board",
                (f"eie fit NET.npz --board {board} --out DESIGN.toml",),
            )
        )
    if counts or judges:
        what = {
            (True, True): "Count cycles and measure accuracy on your own inputs",
            (True, False): "Count cycles on your own inputs",
            (False, True): "Measure accuracy on labelled inputs",
        }[counts, judges]
        options = " --labels LABELS.npy" * judges + " --report R.json" * counts
        steps.append(Step(what, (f"eie emulate NET.npz --design DESIGN.toml {inputs}{options}",)))
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
    if design.board == NO_BOARD or beyond:
        return steps  # nothing that could be built
    if not built:
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
                "Take it to the board: one zip, then over ssh (--emulated rehearses it)",
                (
                    "eie package NET.npz --bitstream F.bit --out PACKAGE.zip",
                    "eie deploy PACKAGE.zip USER@BOARD",
                ),
            )
        )
        steps.append(
            Step(
                "Or by hand, on the board itself",
                ("eie selftest --bitstream F.bit", f"eie run NET.npz --bitstream F.bit {inputs}"),
            )
        )
    return steps


def stand_ins(commands: str) -> bool:
    """Whether words of commands stand for files of the reader's."""
    return any(word in PLACEHOLDERS for word in commands.split())


def _with_files(command: str, files: Mapping[str, str]) -> str:
    """Put paths in place of the words that stand for them."""
    return re.sub(
        r"\S+",
        lambda word: shlex.quote(files[word[0]]) if word[0] in files else word[0],
        command,
    )
