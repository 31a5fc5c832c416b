"""Sections of the page on the paper's sweeps, and on the tool's own speed."""

from __future__ import annotations

from benchmarks import tables
from benchmarks.layers import INDEX_BITS, QUEUE_DEPTH
from benchmarks.prose import bullets, image, paragraphs
from benchmarks.results import Results
from benchmarks.tables import geometric_mean, mean, percent

__all__ = ["build", "pes", "precision", "queue", "speed", "width"]


def queue(results: Results) -> str:
    """Depth of the queues."""

    def idle(depth: int, pattern: str) -> str:
        balances = (
            row.load_balance
            for row in results.rows("queue")
            if (row.depth, row.pattern) == (depth, pattern)
        )
        return percent(1 - mean(balances))

    text = paragraphs(
        f"""
        Paper: at depth 1 about half of the cycles are idle, and past 8 nothing more is gained.
        Model: without any queue {idle(0, "uniform")} of the cycles are idle on average, with one
        place {idle(1, "uniform")}, with 8 places {idle(8, "uniform")}, with 64 places
        {idle(64, "uniform")}.
        """,
        """
        So what the paper calls depth 1 seems to be our "none", where the broadcast waits until
        every PE is done with an activation: in the paper the one that a PE works on would still
        count as queued, in our model it has left. (In the authors' simulator the queue is a ring
        of which one place stays empty.) The paper's 8 would be our 7.
        """,
        f"""
        With log-normal patterns {idle(64, "log-normal")} are idle even with 64 places: no queue
        gives a PE less work; row assignment does.
        """,
    )
    return (
        f"## Sweep: queue depth\n\n{text}\n\nLoad balance, uniform patterns:\n\n"
        f"{tables.queue(results, 'uniform')}\n\n"
        f"{image('queue', 'Load balance by depth of the queues')}"
    )


def width(results: Results) -> str:
    """Width of the matrix memory."""
    widths = {row.width for row in results.rows("width")}
    totals = {w: sum(r.reads for r in results.rows("width") if r.width == w) for w in widths}
    low, high = tables.read_cost_bounds(totals)
    text = paragraphs(
        """
        Thousand words that all PEs read for one vector, and the share of their bits that are
        entries of the column asked for. A column's entries start anywhere in a word, and each
        column reads its words afresh. Wide words are read less often but hold more of other
        columns.
        """,
        f"""
        Paper: 64 bits takes the least energy. We have no figure for the energy of a read, so there
        are no joules here. Instead: if a read of w bits costs a + w, in units of what one more bit
        costs, then 64 bits is the best of these widths when a lies between {low:.0f} and
        {high:.0f}, for the nine layers together. Our counts and the paper's choice agree if the
        fixed part of a read of its 128 KB memory costs that much.
        """,
    )
    return (
        f"## Sweep: width of the matrix memory\n\n{text}\n\n{tables.width(results)}\n\n"
        f"{image('width', 'Words read, and energy by the model of the cost of a read')}"
    )


def precision(results: Results) -> str:
    """Accuracy by precision."""
    digits = results.rows("precision")[0].digits
    text = paragraphs(
        f"""
        Accuracy asks for a trained network. Ours is the demo's 64-256-128-10 on {digits} test
        digits, **not AlexNet**, and far more tolerant: ten classes, three layers. Activations and
        shared weights are narrowed after training: ranges stay, fraction lengths get shorter,
        values round and saturate, sums are exact. At 16 bits that is the accelerator's own
        arithmetic. Both networks agree that 16 bits cost nothing worth mentioning; where accuracy
        starts to fall is a property of the network.
        """
    )
    return (
        f"## Sweep: precision\n\n{text}\n\n{tables.precision(results)}\n\n"
        f"{image('precision', 'Accuracy of the digits network by precision')}"
    )


def pes(results: Results) -> str:
    """Number of PEs."""
    text = paragraphs(
        f"""
        Paper: speed grows nearly linearly from 1 to 256 PEs, except on NT-We, which has only 600
        rows; padding falls as PEs grow. Model: the same up to 64 PEs; at 256 the layers with 1,000
        to 2,400 rows fall behind, too: a PE has four to ten of their rows. With more PEs each has
        fewer rows, so runs of zeros are shorter and need less padding, which is why some layers
        gain more than the number of PEs; at 256 PEs, 4,096 rows are 16 a PE and no run needs
        padding at all. But columns have fewer entries in a PE, which evens out less, and more of
        them are empty: load balance falls. {INDEX_BITS}-bit counts and queues of {QUEUE_DEPTH}
        throughout.
        """
    )
    speed = tables.pes(results, "uniform", lambda one, row: f"{one.cycles / row.cycles:.1f}")
    balance = tables.pes(results, "uniform", lambda _, row: percent(row.load_balance))
    padding = tables.pes(results, "uniform", lambda _, row: percent(row.padding))
    return (
        f"## Sweep: number of PEs\n\n{text}\n\n"
        f"Speed-up over one PE, uniform patterns:\n\n{speed}\n\n"
        f"Load balance, uniform patterns:\n\n{balance}\n\n"
        f"Padding, uniform patterns:\n\n{padding}\n\n"
        f"{image('pes', 'Speed-up, load balance and padding by number of PEs')}"
    )


def speed(results: Results) -> str:
    """The tool's own times, and what bounds them."""
    rows = results.rows("speed")
    kernel = [row.kernel_model_us / row.activations for row in rows]
    paper = [row.paper_model_us / row.activations for row in rows]
    ours = [1000 * row.emulator_us / row.weights_met for row in rows]
    scipys = [1000 * row.scipy_us / row.weights for row in rows]
    text = paragraphs(
        f"""
        The tool's own times, measured side by side with scipy's product of the same matrix: CSR,
        float32, one thread. *Emulator* is the functional emulation, packets in and packets out,
        with exact sums. *Cycle model* is the kernel's, for one vector, *paper's machine* that of
        `--paper`. Geometric means of the ratios: {_mean_ratio(results, batch=False):.1f} for one
        vector, {_mean_ratio(results, batch=True):.1f} for 64.
        """
    )
    bounds = bullets(
        f"""
        Emulator, one vector: {min(ours):.1f} to {max(ours):.1f} ns a weight that it meets; scipy
        takes {min(scipys):.2f} to {max(scipys):.2f} ns a weight, met or not. Where most weights
        are met the emulator takes scipy's compressed rows as well, in float64 so that sums are
        exact: twice the bytes. Where few are, numpy gathers them in passes of its own. Without
        scipy numpy does all of it, 1.5 to 3 times slower.
        """,
        """
        Emulator, 64 vectors: scipy's compressed rows in float64; from 15 % of the weights on, dense
        blocks by BLAS.
        """,
        f"""
        Cycle model: {min(kernel):.0f} to {max(kernel):.0f} µs a non-zero activation; paper's
        machine {min(paper):.1f} to {max(paper):.1f} µs. Both follow the broadcast activation by
        activation; the time is that of calling numpy some forty times for each, or four, and not
        that of its arithmetic on 64 PEs.
        """,
        """
        Packing: one sort of 64-bit keys and a few passes over memory. numpy sorts with AVX-512
        where the processor has it; without, packing takes two to three times as long.
        """,
    )
    return (
        f"## Speed of the tool itself\n\n{text}\n\n{tables.speed(results)}\n\n"
        f"What bounds them:\n\n{bounds}"
    )


def _mean_ratio(results: Results, *, batch: bool) -> float:
    return geometric_mean(
        row.emulator_batch_us / row.scipy_batch_us if batch else row.emulator_us / row.scipy_us
        for row in results.rows("speed")
    )


def build(results: Results) -> str:
    """How long a design takes to generate and to compile."""
    row = results.rows("build")[0]
    return paragraphs(
        f"""
        A design of {row.pes} PEs is generated in {row.generate_seconds:.2f} s and compiled by
        g++ -O2 in {row.compile_seconds:.1f} s (medians of three). The compiler works on one file
        of the kernel, in which every PE is a function of its own, and on the test bench beside it.
        """
    )
