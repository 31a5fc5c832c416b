"""What an accelerated model says of itself."""

from __future__ import annotations

from collections.abc import Sequence

from eie.hls.boundary.text import counted
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import NO_BOARD
from eie.host.network.summary import error_text, float_bytes, weights_text
from eie.host.network.table import Table
from eie.host.packing.tiling import Plan
from eie.host.run.batch import RunResult
from eie.host.run.report import latency_text, throughput_text

__all__ = ["model_table"]

_BEAT_BYTES = 8


def model_table(
    plan: Plan, single: RunResult, batch: RunResult, accuracy: Sequence[Sequence[object]]
) -> Table:
    """Lay out layers, size, error, accuracy, design and predicted time.

    Parameters
    ----------
    plan
        The network on its design.
    single, batch
        A vector alone and a batch, with reports.
    accuracy
        What is known of it, as names and values.
    """
    network, design, passes = plan.network, plan.design, len(plan.passes)
    assert single.report is not None and batch.report is not None
    loaded = sum(_BEAT_BYTES * len(part.packed.sections) for part in plan.passes)
    board = BOARDS[design.board].title if design.board != NO_BOARD else "no board"
    notes = [
        f"size: {weights_text(network)}; {loaded:,} bytes on the chip, "
        f"{float_bytes(network) / loaded:.1f} times smaller",
        f"error: {error_text(network)}",
        *(f"{name}: {value}" for name, value in accuracy),
        f"design: {counted(design.pes, 'PE')} for {board} at {design.clock_mhz} MHz"
        + (f", in {passes} passes" if passes > 1 else ""),
        f"predicted latency of one vector: {latency_text(single.report)}",
        f"predicted throughput in a batch of {batch.report.vectors}: "
        f"{throughput_text(batch.report)}",
    ]
    table = network.summary()
    return Table(repr(network)[1:-1], table.head, table.rows, notes)
