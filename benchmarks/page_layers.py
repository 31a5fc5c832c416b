"""Sections of the page on the nine layers, beside the paper's values."""

from __future__ import annotations

import itertools
import math

from benchmarks import speedups, tables
from benchmarks.layers import CLOCK_MHZ, INDEX_BITS, LAYERS, PAPER_SPEEDUP, PES, QUEUE_DEPTH
from benchmarks.machine import KERNEL_INDEX_BITS, KERNEL_QUEUE_DEPTH
from benchmarks.paper_table import SEEDS
from benchmarks.patterns import BLOCK_SIDE, PATTERNS, SIGMA
from benchmarks.prose import image, paragraphs
from benchmarks.results import Results
from benchmarks.sweeps import SIGMAS
from benchmarks.tables import geometric_mean, layer_row, percent

__all__ = ["actual", "kernel", "nine_layers", "skewness", "speedup", "theoretical"]


def nine_layers(results: Results) -> str:
    """The nine layers beside table IV."""
    spreads = []
    for layer in LAYERS:
        cycles = [
            row.cycles
            for row in results.rows("layers")
            if row.layer == layer.name
            and row.pattern == "uniform"
            and row.weight_density == layer.weight_density
        ]
        spreads.append(max(cycles) / min(cycles) - 1)
    text = paragraphs(
        f"""
        The machine of `eie emulate --paper`: {PES} PEs, rows as they come, {INDEX_BITS}-bit zero
        counts with padding entries, queues of {QUEUE_DEPTH}, a cycle for an empty column. One
        vector, uniform random patterns. *Padding* is padding entries over weights of the whole
        layer. *Entries met* are weights and padding in columns of non-zero activations;
        *theoretical* is those over {PES} PEs, *actual* the cycles of the model. *Load balance* is
        the share of the PEs' cycles that have an entry: one minus the idle ones.
        """,
        f"""
        With {len(SEEDS)} seeds the cycles of a layer differ by {percent(max(spreads), 1)} at most.
        """,
    )
    return (
        f"## The nine layers on the paper's machine\n\n{text}\n\n{tables.nine_layers(results)}\n\n"
        f"{image('layers', 'Theoretical and actual time of each layer, model and paper')}"
    )


def theoretical(results: Results) -> str:
    """Where theoretical times differ from the paper's, and why."""
    outside = [
        f"{layer.name} ({percent(abs(residue))} {'above' if residue > 0 else 'below'})"
        for layer in LAYERS
        if (residue := tables.rounding_residue(results, layer))
    ]
    bias = max(math.ceil(layer.outputs / PES) / CLOCK_MHZ for layer in LAYERS)
    text = paragraphs(
        """
        The paper's theoretical time is work over peak rate. Its work must contain padding: without
        it (first column) VGG-6 and VGG-7 would take little more than half of the paper's times.
        """,
        f"""
        The paper gives weight densities in whole percent, so that 4 % may be 3.5 % or 4.5 %. The
        third column shows what half a percent more or less does. Outside of that range are:
        {", ".join(outside) if outside else "none"}.
        """,
        f"""
        What is left must lie in the patterns. The paper's are those of trained layers with the
        activations of real inputs, where a column with many weights may well be non-zero more
        often, or less, and zeros come in longer or shorter runs; in ours all of this is
        independent. Which of it holds for which layer cannot be told without those layers. Not
        a reason: the bias, one more column in the authors' simulator, takes {bias:.2f} µs at
        most.
        """,
    )
    return f"### Why the theoretical times differ\n\n{text}\n\n{tables.theoretical_times(results)}"


def actual(results: Results) -> str:
    """Where actual times differ from the paper's, and why."""
    narrow = next(layer for layer in LAYERS if layer.name == "NT-We")
    local = narrow.outputs / PES
    empty = (1 - narrow.weight_density) ** local
    active = narrow.inputs * narrow.activation_density
    long = max(LAYERS, key=lambda layer: layer.inputs)
    batches, rows = math.ceil(long.inputs / 4096), long.outputs // PES
    text = paragraphs(
        f"""
        Uniform patterns are as balanced as chance allows: every row has nearly the same number of
        weights. Rows and columns of pruned layers have not. So there are two more
        patterns: *log-normal*, where each row and each column has a factor of its own whose
        logarithm has a standard deviation σ of {SIGMA:g}; and *blocks*, where {BLOCK_SIDE} x
        {BLOCK_SIDE} weights are kept or dropped together.
        """
    )
    more = paragraphs(
        f"""
        NT-We is slow in the paper and here for the same reason: {local:.1f} rows a PE with
        {percent(narrow.weight_density)} of the weights leave {percent(empty)} of a PE's columns
        empty, and each costs a cycle. The broadcast alone takes {active:,.0f} cycles
        ({active / CLOCK_MHZ:.2f} µs), which is already more than the weights take.
        """,
        f"""
        Actual over theoretical time by σ of log-normal patterns: on the left the paper's machine,
        with rows as they come; on the right the same machine with our row assignment (rows dealt
        out by their number of weights, at no cost in hardware) and queues of {KERNEL_QUEUE_DEPTH}.
        On average the paper's ratio is that of {_matching_sigma(results)}. Dealing rows out by
        their work removes most of what skew costs; what remains is mostly the cycle that an empty
        column costs.
        """,
        f"""
        Two layers have more inputs than the paper's machine takes at a time: vectors over 4,096
        entries run in batches, between which partial sums go to a memory and back. The model
        leaves that out. At {rows} rows a PE written and read again it would be
        {2 * rows * batches / CLOCK_MHZ:.1f} µs for the {batches} batches of {long.name}.
        """,
    )
    return (
        f"### Why the actual times differ\n\n{text}\n\n"
        f"{tables.patterns(results)}\n\n{more}\n\n"
        f"{tables.skew(results)}\n\n{image('skew', 'Actual over theoretical time by skew')}"
    )


def _matching_sigma(results: Results) -> str:
    """Between which of the swept skews the mean ratio is the paper's."""
    paper = tables.papers_mean_ratio()
    for low, high in itertools.pairwise(SIGMAS):
        if tables.skew_mean(results, low) <= paper <= tables.skew_mean(results, high):
            return f"a σ between {low:g} and {high:g}"
    return "none of these σ"


def skewness(results: Results) -> str:
    """How uneven a really pruned network is."""
    rows = results.rows("skewness")
    low = min(min(row.row_skew, row.column_skew) for row in rows)
    high = max(max(row.row_skew, row.column_skew) for row in rows)
    text = paragraphs(
        f"""
        How skewed is a layer that was really pruned? In the demo's digits network, small but
        trained, the share of the weights that a row or a column keeps deviates by {percent(low)}
        to {percent(high)} of its mean, beyond what chance explains; for small σ that is σ.
        """
    )
    return f"{text}\n\n{tables.skewness(results)}"


def kernel(results: Results) -> str:
    """Our kernel beside the paper's machine."""
    means = ", ".join(
        f"{geometric_mean(_kernel_ratio(results, layer.name, pattern) for layer in LAYERS):.2f} "
        f"({pattern})"
        for pattern in PATTERNS
    )
    longest = max(LAYERS, key=lambda layer: layer.outputs)
    text = paragraphs(
        f"""
        The generated kernel with {PES} PEs as well, and with what an FPGA allows: rows dealt out
        by their work, {KERNEL_INDEX_BITS}-bit zero counts, queues of {KERNEL_QUEUE_DEPTH},
        nothing spent on an empty column. Cycles of one vector from its header to its last output,
        by the model that equals the simulated C++ in every cycle. Its clock is not known before
        it has been synthesised, so cycles are all that can be compared. The paper's machine takes
        {means} times the kernel's, as geometric means.
        """,
        f"""
        The kernel wins what padding and imbalance cost. It loses where the paper's count leaves
        out what the kernel's has in it: results leave at four a cycle after the last entry, which
        is {longest.outputs / 4:,.0f} cycles of {longest.name}.
        """,
    )
    return f"## Our kernel beside it\n\n{text}\n\n{tables.kernel(results)}"


def _kernel_ratio(results: Results, layer: str, pattern: str) -> float:
    row = layer_row(results, layer, pattern)
    assert row.kernel_cycles is not None
    return row.cycles / row.kernel_cycles


def speedup(results: Results) -> str:
    """The model beside processors and GPUs."""
    largest = max(LAYERS, key=lambda layer: layer.weights)
    megabytes = 4 * largest.weights / results.divisor**2 / 1e6
    here_us = speedups.best_of(results, largest.name, 1, ("torch dense",)).median_us
    here = megabytes / here_us * 1000
    theirs = 4 * largest.weights / largest.cpu_dense_us / 1000
    own = geometric_mean(layer.cpu_dense_us / layer.actual_us for layer in LAYERS)
    text = paragraphs(
        """
        Time of a vector over the modelled time of the array, above 1 where the array is faster.
        The array's time is *modelled*, at a clock that only the paper's chip has; that of this
        processor is *measured*.
        """
    )
    papers = paragraphs(
        f"""
        The paper states a geometric mean of {PAPER_SPEEDUP} over its CPU, dense, one vector; the
        times of its table IV give {own:.0f}. With our modelled times in place of its own, the other
        platforms as in the paper:
        """
    )
    more = paragraphs(
        f"""
        A dense product of one vector reads every weight once and is bound by memory: for
        {largest.name}, {megabytes:,.0f} MB in {here_us / 1000:.1f} ms are {here:.1f} GB/s here,
        and the paper's processor had {theirs:.1f} GB/s. 64 vectors
        share one reading of the weights; the array keeps its weights on the chip and gains nothing
        by a batch, so batches shrink its lead.
        """,
        """
        Microseconds a vector on this processor, measured: all contenders in turn in the same
        rounds, all in float32. In brackets the number of threads: the faster of one and as many as
        there are cores (scipy's product has one). On a machine that other programs use, two threads
        may be slower than one, since each product waits for both.
        """,
    )
    return (
        f"## Speed-up\n\n{text}\n\n"
        f"Over this processor:\n\n"
        f"{speedups.speedups(results, speedups.measured_here(results))}\n\n"
        f"{papers}\n\n{speedups.speedups(results, speedups.PAPERS)}\n\n"
        f"The paper's times over the paper's EIE:\n\n{speedups.papers_speedups()}\n\n"
        f"{image('speedup', 'Speed-up of the modelled array over processors and GPUs')}\n\n"
        f"{more}\n\n{speedups.processor_times(results)}"
    )
