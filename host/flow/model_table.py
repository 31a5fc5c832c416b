"""What an accelerated model says of itself."""

from __future__ import annotations

from collections.abc import Sequence

from eie.hls.boundary.text import counted
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import NO_BOARD
from eie.host.network.sizes import loaded_text
from eie.host.network.summary import error_text, weights_text
from eie.host.network.table import Table
from eie.host.packing.tiling import Plan
from eie.host.run.costs import Costs
from eie.host.run.report import latency_text, throughput_text

__all__ = ["model_table"]


def model_table(
    plan: Plan,
    costs: Costs,
    accuracy: Sequence[Sequence[object]],
    host: Sequence[str] = (),
    vectors: int = 1,
) -> Table:
    """Lay out layers, size, error, accuracy, design and predicted time.

    Parameters
    ----------
    plan
        The network on its design.
    costs
        Its latency and throughput.
    accuracy
        What is known of it, as names and values.
    host
        Lines on what the host does of a model that was cut.
    vectors
        That the network takes for one input of the model.
    """
    network, design, passes = plan.network, plan.design, len(plan.passes)
    board = BOARDS[design.board].title if design.board != NO_BOARD else "no board"
    notes = [
        *host,
        f"size: {weights_text(network)}",
        loaded_text(network, plan.loaded_bytes),
        f"error: {error_text(network)}",
        *(f"{name}: {value}" for name, value in accuracy),
        f"design: {counted(design.pes, 'PE')} for {board} at {design.clock_mhz} MHz"
        + (f", in {passes} passes" if passes > 1 else ""),
        f"predicted latency of one {costs.single.unit} alone: {latency_text(costs.single)}",
        f"predicted throughput {costs.batch_text}: {throughput_text(costs.batch)}",
    ]
    if vectors > 1:
        each = vectors * costs.batch.latency_us
        notes.append(
            f"predicted time of an input on the accelerator, {vectors} vectors: at least "
            f"{each:,.2f} us"
        )
    table = network.summary()
    return Table(repr(network)[1:-1], table.head, table.rows, notes)
