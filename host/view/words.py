"""Words and figures of diagrams."""

from __future__ import annotations

from eie.hls.model.area.memories import Memory, bram18_of, uram_of

__all__ = [
    "PROCESS_TEXTS",
    "bits_text",
    "blocks_text",
    "kind_text",
    "number",
    "percent",
    "short_name",
]

_KINDS = {"bram": "block RAM", "uram": "UltraRAM", "lutram": "LUT RAM"}
#: Names where there is little room; others are as :mod:`eie.hls.model.area.memories` has them.
_SHORT = {
    "sparse matrix": "matrix",
    "column pointers (two banks)": "pointers",
    "column pointers (of eight)": "pointers",
    "column lengths": "lengths",
    "accumulators (two banks)": "sums",
    "layers of a PE": "layers",
    "codebooks": "codebook",
    "saturated values": "saturated",
    "design record (constant)": "design",
}

#: What each process does, in a few words; one that is not here is drawn with its name alone.
PROCESS_TEXTS = {
    "take_crc": "CRC-32 of every beat that comes",
    "receive": "checks packets, makes tokens of them",
    "control_activations": "whose turn it is: input or hidden",
    "join_abreast": "words of a group, side by side",
    "detect_nonzero": "LNZD: one non-zero a cycle",
    "collect": "words of results, to their place",
    "send": "answers, counters, status",
    "add_crc": "CRC-32 behind every answer",
}


def kind_text(kind: str) -> str:
    """What a memory is made of."""
    return _KINDS[kind]


def short_name(memory: Memory) -> str:
    """Name of a memory where there is little room."""
    return _SHORT.get(memory.name, memory.name)


def bits_text(bits: int) -> str:
    """Write a number of bits: "520 bit", "64 Kib"."""
    if bits < 1024:
        return f"{bits} bit"
    kibibits = bits / 1024
    return f"{kibibits:,.0f} Kib" if kibibits >= 100 or kibibits % 1 == 0 else f"{kibibits:.1f} Kib"


def blocks_text(memory: Memory) -> str:
    """Say which blocks of the FPGA one copy of a memory takes: "2 BRAM36", "1 BRAM18"."""
    if memory.kind == "uram":
        return f"{uram_of(memory.depth, memory.width)} UltraRAM"
    if memory.kind == "bram":
        halves = bram18_of(memory.depth, memory.width)
        whole, half = divmod(halves, 2)
        parts = [f"{whole} BRAM36"] * bool(whole) + ["1 BRAM18"] * bool(half)
        return " and ".join(parts)
    return "LUTs"


def number(value: int) -> str:
    """Write a number with thousands."""
    return f"{value:,}"


def percent(share: float) -> str:
    """Write a share of 1 in percent."""
    value = 100 * share
    if value and value < 1:
        return f"{value:.1g} %"
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %"
