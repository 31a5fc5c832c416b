"""What a flow prints: its steps as they are done, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eie.host.cli.progress import showing

if TYPE_CHECKING:
    from eie.host.flow.steps import Flow, StepDone

__all__ = ["do_steps"]


def do_steps(flow: Flow, inputs: Path | None) -> int:
    """Do all steps and print them; `inputs` is the file that the inputs came from."""
    steps = flow.run()
    while (done := _next(steps)) is not None:
        mark = "kept" if done.kept else "-" if done.left_out else "done"
        for number, line in enumerate(done.lines):
            head = f"{done.name:<9} {mark:<5}" if number == 0 else ""
            print(f"{head:<15} {line}", flush=True)
    out, given = flow.out, inputs or "X.npy"
    print(
        f"next: where Vitis HLS and Vivado are, eie build {out / 'project'} "
        f"({out / 'project' / 'README.md'} says more); then on the board\n"
        f"      eie run {out / 'network.npz'} --bitstream F.bit --inputs {given} --outputs y.npy"
    )
    return 0


def _next(steps: Iterator[StepDone]) -> StepDone | None:
    with showing(""):
        return next(steps, None)
