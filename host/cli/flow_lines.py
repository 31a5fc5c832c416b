"""What a flow prints: its steps as they are done, and what comes next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eie.hls.boundary.voice import as_command
from eie.host.cli.progress import clear_line, showing
from eie.host.flow.task import gives_arrays
from eie.host.network import Network

if TYPE_CHECKING:
    from eie.host.flow.flow import Flow, StepDone

__all__ = ["do_steps"]


def do_steps(flow: Flow, inputs: Path | None) -> int:
    """Do all steps and print them; `inputs` is the file that the inputs came from."""
    steps = flow.run()
    done: list[StepDone] = []
    try:
        with as_command(calibration="--data"):
            while (step := _next(steps)) is not None:
                done.append(step)
                _print(step)
    except KeyboardInterrupt:
        clear_line()
        which = f"what was done ({', '.join(each.name for each in done)})" if done else "nothing"
        print(
            f"eie: {which} is kept in {flow.out}: the same command goes on from there",
            file=sys.stderr,
        )
        raise
    out, given = flow.out, inputs or "X.npy"
    outputs = out / (
        "board.npz" if gives_arrays(flow, Network.load(out / "network.npz")) else "board.npy"
    )
    print(
        f"next: where Vitis HLS and Vivado are, eie build {out / 'project'} "
        f"({out / 'project' / 'README.md'} says more); then on the board\n"
        f"      eie run {out / 'network.npz'} --bitstream F.bit --inputs {given} --outputs "
        f"{outputs}"
    )
    return 0


def _print(step: StepDone) -> None:
    mark = "kept" if step.kept else "-" if step.left_out else "anew" if step.why else "done"
    lines = [f"since {', '.join(step.why)}:"] if step.why else []
    for number, line in enumerate([*lines, *step.lines]):
        head = f"{step.name:<9} {mark:<5}" if number == 0 else ""
        print(f"{head:<15} {line}", flush=True)


def _next(steps: Iterator[StepDone]) -> StepDone | None:
    with showing(""):
        return next(steps, None)
