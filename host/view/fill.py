"""How full a network makes the memories of a design: numbers, and the picture of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eie.hls.boundary.text import counted
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.tiling import Plan
from eie.host.view.svg import Drawing, text_width
from eie.host.view.words import percent

__all__ = ["Fill", "fill_picture", "fill_text", "fills_of"]

#: PEs that have a column each; of more, neighbours share one that shows the fullest.
_COLUMNS = 64
#: Colours of layers; with more of them they come again.
_COLOURS = 8


@dataclass(frozen=True)
class Fill:
    """What a network takes of a memory."""

    name: str
    #: What is counted: "entries", "pointers".
    unit: str
    #: For each PE, or one number for a memory that there is once, or that is alike in every PE.
    used: tuple[int, ...]
    #: Room in each.
    room: int

    @property
    def share(self) -> float:
        """Share of the fullest."""
        return max(self.used) / self.room


def fills_of(packed: PackedNetwork) -> tuple[Fill, ...]:
    """Count what a packed network takes of each memory."""
    design, layers = packed.design, packed.layers
    entries = np.sum([np.diff(part.encoded.pe_starts) for part in layers], axis=0)
    pointers = sum(design.pointers_of(part.layer.columns) for part in layers)
    hidden = max((-(-part.layer.rows // ACTIVATIONS_PER_WORD) for part in layers[:-1]), default=0)
    return (
        Fill("sparse matrix", "entries", tuple(map(int, entries)), design.entries_per_pe),
        Fill("column pointers", "pointers", (pointers,), design.pointers_per_pe),
        Fill("biases", "biases", (sum(part.local_rows for part in layers),), design.biases_per_pe),
        Fill(
            "accumulators",
            "rows of the largest layer",
            (max(part.local_rows for part in layers),),
            design.rows_per_pe,
        ),
        Fill("layers", "layers", (len(layers),), design.layers),
        Fill("hidden vectors", "words of the longest", (hidden,), design.hidden_words),
    )


def fill_text(plan: Plan, number: int, fills: tuple[Fill, ...]) -> str:
    """Say how evenly the entries lie, and of what pass it is."""
    entries = np.array(fills[0].used)
    of_pass = (
        ""
        if len(plan.passes) == 1
        else f"The network runs in {len(plan.passes)} passes; this is number {number + 1}. "
    )
    mean = entries.mean()
    balance = f", {entries.max() / mean:.2f} times the mean" if mean else ""
    least, most = int(entries.min()), int(entries.max())
    return (
        f"{of_pass}{int(entries.sum()):,} entries lie in {counted(len(entries), 'PE')}: "
        f"{least:,} in the emptiest, {most:,} in the fullest{balance}."
    )


def fill_picture(packed: PackedNetwork) -> Drawing:
    """Draw how full each memory is: a column for each PE where they differ, else a bar."""
    fills = fills_of(packed)
    width, left, right = 880.0, 16.0, 16.0
    plot = 150.0
    height = 40 + plot + 46 + 46 * (len(fills) - 1) - 16
    draw = Drawing(
        width,
        height,
        "What the network fills",
        "; ".join(
            f"{each.name}: {percent(each.share)} of {each.room:,} {each.unit}" for each in fills
        ),
    )
    matrix = fills[0]
    draw.text(left, 22, matrix.name, "strong")
    draw.text(
        left + text_width(matrix.name, 15) + 12,
        22,
        f"{matrix.unit} in each PE, of {matrix.room:,}: {percent(matrix.share)} in the fullest",
        "small soft",
    )
    _columns(draw, matrix, left, 40.0, width - left - right, plot, layers=_by_layer(packed))
    _legend(draw, packed, width - right)
    y = 40 + plot + 46
    for each in fills[1:]:
        draw.text(left, y, each.name, "strong")
        draw.text(
            left + text_width(each.name, 15) + 12,
            y,
            f"{max(each.used):,} {each.unit}, of {each.room:,}: {percent(each.share)}",
            "small soft",
        )
        draw.rect(left, y + 8, width - left - right, 10, "spare")
        draw.rect(left, y + 8, (width - left - right) * min(1.0, each.share), 10, "used")
        y += 46
    return draw


def _legend(draw: Drawing, packed: PackedNetwork, end: float) -> None:
    """The colours of the layers, as many as are told apart, from the right."""
    shown = min(len(packed.layers), _COLOURS)
    x = end - 62.0 * shown
    for number in range(shown):
        draw.rect(x, 13, 10, 10, f"pe-{number}")
        draw.text(x + 14, 22, f"layer {number}", "tiny soft")
        x += 62


def _by_layer(packed: PackedNetwork) -> list[list[int]]:
    """Entries of each layer in each PE."""
    return [np.diff(part.encoded.pe_starts).tolist() for part in packed.layers]


def _columns(
    draw: Drawing, fill: Fill, x: float, y: float, width: float, height: float,
    layers: list[list[int]],
) -> None:  # fmt: skip
    pes = len(fill.used)
    group = -(-pes // _COLUMNS)
    count = pes // group
    step = width / count
    wide = min(step * 0.8, 46.0)
    draw.rect(x, y, width, height, "spare")
    for column in range(count):
        of_group = range(column * group, (column + 1) * group)
        pe = max(of_group, key=lambda each: fill.used[each])
        top = y + height
        with draw.group("column"):
            shares = ", ".join(f"{layer[pe]:,}" for layer in layers)
            draw.tip(f"PE {pe}: {fill.used[pe]:,} {fill.unit}; by layers {shares}")
            for number, layer in enumerate(layers):
                tall = height * layer[pe] / fill.room
                top -= tall
                draw.rect(
                    x + column * step + (step - wide) / 2,
                    top,
                    wide,
                    tall,
                    f"pe-{number % _COLOURS}",
                )
    draw.line(x, y, x + width, y, "limit")
    marks = max(1, count // 8)
    for column in range(0, count, marks):
        draw.text(
            x + (column + 0.5) * step, y + height + 15, f"{column * group}", "tiny middle soft"
        )
