"""Sections of the page on what goes beyond the paper."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.beyond import PADDING_LIMIT, SWITCHES, VECTORS, BeyondRow
from benchmarks.in_passes import PASS_BATCHES
from benchmarks.layers import LAYERS
from benchmarks.patterns import PATTERNS
from benchmarks.prose import paragraphs
from benchmarks.results import Results
from benchmarks.tables import geometric_mean, percent, table

__all__ = ["cycles", "passes", "storage", "switches"]

_GOAL = {"uniform": 1.05, "log-normal": 1.10, "blocks": 1.10}


def _rows(results: Results, **wanted: str) -> list[BeyondRow]:
    return [
        row
        for row in results.rows("beyond")
        if all(getattr(row, name) == value for name, value in wanted.items())
    ]


def _ratio(row: BeyondRow) -> float:
    return row.batch_cycles / row.batch_ideal


def _bound(row: BeyondRow) -> float:
    return max(row.broadcasts, row.beats, row.busiest) / row.batch_ideal


def cycles(results: Results) -> str:
    """Cycles over ideal of the whole kernel, layer by layer."""
    lines = []
    for layer in LAYERS:
        line: list[object] = [layer.name]
        for pattern in PATTERNS:
            (on,) = _rows(results, layer=layer.name, pattern=pattern, off="")
            (none,) = _rows(results, layer=layer.name, pattern=pattern, off="all")
            line += [f"{_ratio(none):.2f}", f"**{_ratio(on):.3f}**", f"{_bound(on):.3f}"]
        lines.append(line)
    means: list[object] = ["geometric mean"]
    for pattern in PATTERNS:
        on, none = (
            _rows(results, pattern=pattern, off=""),
            _rows(results, pattern=pattern, off="all"),
        )
        means += [f"{geometric_mean(map(_ratio, none)):.2f}"]
        means += [
            f"{geometric_mean(map(_ratio, on)):.3f}",
            f"{geometric_mean(map(_bound, on)):.3f}",
        ]
    lines.append(means)
    head = ["layer"]
    for pattern in PATTERNS:
        head += [f"{pattern}: paper's choices", "ours", "bound"]
    missed = [
        f"{row.layer} {row.pattern} ({_ratio(row):.2f}, bound {_bound(row):.2f})"
        for row in _rows(results, off="")
        if _ratio(row) > _GOAL[row.pattern]
    ]
    single = [row.cycles / row.ideal for row in _rows(results, pattern="uniform", off="")]
    text = paragraphs(
        f"""
        Cycles of the whole generated kernel, input and output included, over the ideal: the weights
        that the non-zero activations meet, over 64 PEs. They are for a vector within a batch of
        {VECTORS}, where one leaves while the next is at work; a vector alone also waits for its
        outputs, four a cycle, and takes {min(single):.2f} to {max(single):.2f} times the ideal.
        *Paper's choices*: rows as they come, 4-bit runs with padding, queues of 8, on our kernel;
        it spends no cycle on an empty column, so it is not the paper's machine.
        """,
        """
        *Bound*: what no queue can go below with these rows on these PEs. The broadcast gives one
        activation a cycle; input and output move four values a cycle; and some PE has the most
        entries. It is taken over three vectors of the four, so half a percent is chance.
        """,
        f"""
        The goal was at most 1.05 on uniform patterns and 1.10 on skewed ones. Beyond it:
        {"; ".join(missed) or "none"}.
        """,
    )
    return f"## Beyond the paper: cycles\n\n{text}\n\n{table(head, lines)}"


def switches(results: Results) -> str:
    """What each switch brings, by turning it off alone."""

    def means(off: str, value: Callable[[BeyondRow], float]) -> list[str]:
        return [
            f"{geometric_mean(map(value, _rows(results, pattern=pattern, off=off))):.3f}"
            for pattern in PATTERNS
        ]

    def stored(off: str) -> str:
        with_all = _rows(results, pattern="uniform", off="")
        without = _rows(results, pattern="uniform", off=off)
        shares = [
            (b.matrix_bits + b.pointer_bits) / (a.matrix_bits + a.pointer_bits)
            for a, b in zip(with_all, without, strict=True)
        ]
        return f"{geometric_mean(shares):.2f}"

    lines = [["all on", *means("", _ratio), stored("")]]
    lines += [
        [f"without {text}", *means(off, _ratio), stored(off)] for off, text in SWITCHES.items()
    ]
    lines.append(["all off", *means("all", _ratio), stored("all")])
    text = paragraphs(
        f"""
        Each can be turned off: `assignment="natural"` for the rows, `index_bits`, `queue_depth`,
        `length_bits = 0` for plain pointers and `result_depth = 2` in the design. Geometric means
        over the nine layers, of the same ratio as above, and of the bits stored on uniform
        patterns. Zero runs are the shortest that leave less than {percent(PADDING_LIMIT, 1)}
        padding.
        """
    )
    head = [
        "",
        *(f"cycles over ideal: {pattern}" for pattern in PATTERNS),
        "bits stored, all on = 1",
    ]
    return f"### What each switch brings\n\n{text}\n\n{table(head, lines)}"


def storage(results: Results) -> str:
    """Bits of matrix and pointers beside the paper's encoding."""
    lines = []
    shares, of_pointers = [], []
    for layer in LAYERS:
        (ours,) = _rows(results, layer=layer.name, pattern="uniform", off="")
        (paper,) = _rows(results, layer=layer.name, pattern="uniform", off="all")
        ours_bits, paper_bits = (r.matrix_bits + r.pointer_bits for r in (ours, paper))
        shares.append(ours_bits / paper_bits)
        of_pointers.append(ours.pointer_bits / paper.pointer_bits)
        lines.append(
            [
                layer.name,
                f"{paper.matrix_bits / 1000:,.0f}",
                f"{paper.pointer_bits / 1000:,.0f}",
                ours.index_bits,
                f"{ours.matrix_bits / 1000:,.0f}",
                f"{ours.pointer_bits / 1000:,.0f}",
                percent(1 - of_pointers[-1]),
                percent(1 - shares[-1]),
            ]
        )
    saved = (percent(1 - geometric_mean(of_pointers)), percent(1 - geometric_mean(shares)))
    lines.append(["geometric mean", "", "", "", "", "", *saved])
    head = [
        "layer",
        "paper: matrix",
        "paper: pointers",
        "run bits",
        "ours: matrix",
        "ours: pointers",
    ]
    head += ["pointers saved", "all saved"]
    text = paragraphs(
        """
        Thousand bits over 64 PEs, weights of 4 bits in both. The paper's encoding: 4-bit runs, so
        entries of 8 bits with padding, and a pointer of 16 bits for each column and PE. Ours: runs
        as long as pays, and for each eight columns one pointer and eight lengths as wide as the
        longest needs. Block RAMs come in steps, so a design may save more or less than that.
        """
    )
    return f"## Beyond the paper: storage\n\n{text}\n\n{table(head, lines)}"


def passes(results: Results) -> str:
    """Layers larger than a board."""
    lines = []
    for row in results.rows("passes"):
        each = [
            f"{(row.load_cycles / batch + row.vector_cycles) / row.clock_mhz:,.0f}"
            for batch in PASS_BATCHES
        ]
        lines.append(
            [
                f"{row.layer} on {row.board}",
                row.pes,
                row.passes,
                f"{row.load_cycles:,}",
                f"{row.vector_cycles:,}",
                *each,
            ]
        )
    head = ["", "PEs", "passes", "cycles to load", "cycles a vector"]
    head += [f"µs a vector, batch {batch}" for batch in PASS_BATCHES]
    text = paragraphs(
        """
        A layer that no design of a board holds runs in passes: each has some of its rows, is
        loaded, and takes the whole batch (`eie fit --passes`, `eie.host.packing.tiling`). Loading
        costs a beat of 64 bits a cycle, so it is what a single vector waits for, and next to
        nothing in a large batch. *Model*, at the boards' starting clocks, for which nothing has
        been synthesised; the time that the processor takes to start transfers is not in it.
        """
    )
    return f"## Beyond the paper: layers larger than the chip\n\n{text}\n\n{table(head, lines)}"
