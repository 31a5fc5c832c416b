"""What `emulate`, `simulate` and `run` write and print of a batch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from eie.host.cli.arrays import write_json
from eie.host.cli.batch import Batch
from eie.host.cli.describe import error_of
from eie.host.run.costs import SAMPLE
from eie.host.run.report import RunReport

__all__ = [
    "COUNTED",
    "add_inputs_outputs",
    "write_outputs",
    "write_report",
]

#: What the three say of the cycles that they print.
COUNTED = (
    "outputs are those of all vectors; cycles are counted of the first one alone (latency) and in "
    f"a batch of the first {SAMPLE} (throughput)"
)
#: Share of saturated input values above which outputs say little.
_MANY = 0.25


def add_inputs_outputs(sub: argparse.ArgumentParser) -> None:
    """Add the options of a batch."""
    sub.add_argument(
        "--inputs",
        type=Path,
        required=True,
        metavar="X.npy",
        help="real numbers, shape (batch, features) or with the model's own input shape; of a "
        "recurrent network sequences: (batch, steps, features), or of different lengths an .npz "
        "with an array (steps, features) for each",
    )
    sub.add_argument(
        "--outputs",
        type=Path,
        required=True,
        metavar="Y.npy",
        help="as float32; an .npz for every step of sequences from an .npz, by their names",
    )
    sub.add_argument(
        "--labels",
        type=Path,
        metavar="L.npy",
        help="classes, shape (batch,), or wanted outputs, to print how good the outputs are; "
        "where every step has outputs, one for each: (batch, steps), or an .npz by name",
    )
    sub.add_argument(
        "--steps",
        choices=("all", "last"),
        help="of what steps of sequences there are outputs (what the model gives)",
    )


def write_outputs(options: argparse.Namespace, batch: Batch, outputs: Any) -> None:
    """Write the outputs as real numbers, and say how good they are.

    Of saturated input values the library has warned; where they are many, it is said again with
    what it means. The exit status stays 0: the outputs are right for what was computed, and some
    networks are meant to work so.

    Parameters
    ----------
    options
        Of the command.
    batch
        What was run.
    outputs
        int16 codes, as :func:`eie.emulate` gives them for its codes.
    """
    # Evaluated before it is written: labels that fit no output leave nothing behind.
    quality = None
    if batch.labels is not None:
        from eie.host.flow.quality import quality_of

        values = batch.values(outputs)
        quality = quality_of(values, batch.labels, f"labels in {options.labels}")
    print(f"wrote {options.outputs}: {batch.write(options.outputs, outputs)}")
    print(f"error of the network against its model: {error_of(batch.network)}")
    if quality is not None:
        print(quality)
    share = batch.saturated / (batch.vectors * batch.network.inputs)
    if share > _MANY:
        print(
            f"eie: WARNING: {100 * share:.0f} % of the input values were cut off to the ends of "
            "the network's range: the outputs are those of other inputs than yours; scale them as "
            "the model's were, or compress again with --calibration of such inputs",
            file=sys.stderr,
        )


def write_report(path: Path, report: RunReport) -> None:
    """Write the report of a run as JSON, and say what it took at least."""
    write_json(path, report.as_json())
    print(
        f"wrote {path}: at least {report.total_cycles} cycles, "
        f"{report.latency_us:.2f} us a {report.unit} at {report.design['clock_mhz']} MHz"
    )
    if report.passes > 1:
        print(
            f"in {report.passes} passes, since the network is larger than the design: "
            f"{report.load_cycles} of the cycles load weights, once for the whole batch"
        )
