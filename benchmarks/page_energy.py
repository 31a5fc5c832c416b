"""Sections of the page on energy and on what limits the boards."""

from __future__ import annotations

from benchmarks.layers import LAYERS, PES
from benchmarks.prose import image, paragraphs
from benchmarks.results import Results
from benchmarks.tables import geometric_mean, table
from eie.hls.model.energy import BRAM18_ACCESS_PJ, PE_MILLIWATTS, PLATFORM_WATTS, array_watts

__all__ = ["energy", "roofline"]

#: The paper's claim: geometric mean of the energy of the CPU, dense, one vector, over EIE's.
_CLAIMED = 24_207


def energy(results: Results) -> str:
    """Energy of the paper's chip, and of reading block RAM."""
    rows = {row.layer: row for row in results.rows("energy")}
    lines, ours, paper = [], [], []
    for layer in LAYERS:
        row = rows[layer.name]
        cpu = PLATFORM_WATTS["CPU"] * layer.cpu_dense_us
        gpu = PLATFORM_WATTS["GPU"] * layer.gpu_dense_us
        mobile = PLATFORM_WATTS["mobile GPU"] * layer.mobile_gpu_dense_us
        ours.append(cpu / row.modelled_uj)
        paper.append(cpu / row.paper_uj)
        lines.append(
            [
                layer.name,
                f"{row.paper_uj:.1f}",
                f"{row.modelled_uj:.1f}",
                f"{cpu / row.modelled_uj:,.0f}",
                f"{gpu / row.modelled_uj:,.0f}",
                f"{mobile / row.modelled_uj:,.0f}",
                f"{row.bram_low_uj:.0f} to {row.bram_high_uj:.0f}",
            ]
        )
    head = ["layer", "paper's time, µJ", "modelled time, µJ", "CPU over it", "GPU", "mobile GPU"]
    head.append("block RAM reads on an FPGA, µJ")
    modules = ", ".join(f"{name} {power:.3f}" for name, power in PE_MILLIWATTS.items())
    low, high = BRAM18_ACCESS_PJ
    text = paragraphs(
        f"""
        *Estimates.* The paper's power of a PE by module, in mW: {modules}; together
        {sum(PE_MILLIWATTS.values()):.2f}, so {array_watts(PES):.2f} W for {PES} PEs, as it states.
        Energy is that power over the time of a layer, and for the other platforms their power in
        its table V (CPU {PLATFORM_WATTS["CPU"]:.0f} W, GPU {PLATFORM_WATTS["GPU"]:.0f} W, mobile
        GPU {PLATFORM_WATTS["mobile GPU"]} W) over their times in its table IV, dense, one vector.
        """,
        f"""
        The paper states a geometric mean of {_CLAIMED:,} times less energy than the CPU. With its
        own times these figures give {geometric_mean(paper):,.0f}, with our modelled times
        {geometric_mean(ours):,.0f}. What is left may be rounding, and the CPU's power, for which
        table V has one number only.
        """,
        f"""
        The last column is no figure of the paper and of no board as a whole: it is what reading
        matrix and pointers takes in our kernel with {PES} PEs, at {low:.0f} to {high:.0f} pJ for
        an access to a BRAM18. That is from DS512 (table 41), for a 65 nm part, so rather too much.
        Our kernel reads a word for every entry, where the paper's reads one for every eight: there
        is energy to be saved. Power of LUTs, clock, leakage and processor is not modelled: we found
        no public figure for a part of these boards, and nothing has been built. Vivado's
        `report_power` gives it after a build, and the sensors of a KV260 or ZCU104 when it runs.
        """,
    )
    return f"## Energy\n\n{text}\n\n{table(head, lines)}"


def roofline(results: Results) -> str:
    """What limits each board."""
    rows = results.rows("roofline")
    boards = list(dict.fromkeys(row.board for row in rows))
    limits = []
    for board in boards:
        first = next(row for row in rows if row.board == board)
        limits.append(
            [
                board,
                first.clock_mhz,
                f"{first.lut_middle} ({first.lut_high} to {first.lut_low})",
                first.memory,
                first.dsp,
                first.pes_binding,
                f"{first.peak_gops:.1f}",
            ]
        )
    attained = []
    for layer in LAYERS:
        of_layer = {row.board: row for row in rows if row.layer == layer.name}
        attained.append(
            [layer.name]
            + [f"{of_layer[board].gops:.1f} ({of_layer[board].binding})" for board in boards]
        )
    text = paragraphs(
        """
        *Bounds, not results.* PEs that each resource of a board allows, within the usual budgets
        and with the smallest memories; powers of two. For LUTs the middle of the estimate, which
        `eie fit` goes by, and in brackets its ends: no synthesis has calibrated it. Peak is two
        operations a cycle and PE at the starting clock.
        """
    )
    more = paragraphs(
        """
        Attained for each layer, in 10^9 operations a second of work that is really there (weights
        met by non-zero activations), if the layer were on the chip, within a batch; in brackets
        what limits it. Where it is the PEs, only more of them help, and the number of those is
        limited by LUTs on every board, with DSP slices idle: see decision 0009. Where it is the
        broadcast, more PEs would not help.
        """
    )
    head = ["board", "MHz", "PEs by LUT", "by BRAM", "by DSP", "binding", "peak GOP/s"]
    return (
        f"## What limits the boards\n\n{text}\n\n{table(head, limits)}\n\n{more}\n\n"
        f"{table(['layer', *boards], attained)}\n\n"
        f"{image('roofline', 'Operations a second over operations an activation, by board')}"
    )
