"""Passes as a picture: a network that is larger than the design, cut into what fits at a time."""

from __future__ import annotations

import numpy as np

from eie.hls.boundary.text import counted
from eie.host.packing.tiling import Pass, Plan
from eie.host.view.svg import Drawing

__all__ = ["passes_picture"]

_LEFT, _WIDTH, _NAMES, _FIGURES = 16.0, 1100.0, 170.0, 330.0
_ROW = 44.0
#: Room for the layers, and the least height and width of one.
_TALL, _WIDE, _LEAST = 170.0, 210.0, 14.0
#: Passes and layers that are drawn; the others are counted.
_MOST, _MOST_LAYERS = 10, 4
#: Height from which a share of a layer has room for its number.
_READABLE = 14.0


def passes_picture(plan: Plan) -> Drawing:
    """Draw the layers of a plan, cut into its passes, and what each pass loads.

    Parameters
    ----------
    plan
        How a network runs on a design.
    """
    shown = plan.passes[:_MOST]
    left_out = len(plan.passes) - len(shown)
    many = "1 pass" if len(plan.passes) == 1 else f"{len(plan.passes)} passes"
    pes = counted(plan.design.pes, "PE")
    draw = Drawing(
        _WIDTH,
        340 + _ROW * len(shown) + 24 * bool(left_out),
        f"A network in {many}",
        f"A network of {counted(len(plan.network.layers), 'layer')} runs in {many} on {pes}: each "
        "loads its weights, and then the whole batch runs through it.",
    )
    draw.text(_LEFT, 24, f"A network in {many} on {pes}", "head")
    how = "Each pass loads its weights, and then the whole batch runs through it."
    draw.text(_LEFT, 42, how, "small soft")
    _layers(draw, plan, 66.0)
    y = 290.0
    draw.text(_LEFT, y - 14, "what each pass loads, to scale of its beats", "small strong")
    beats = max(each.load_beats for each in shown)
    stages = {id(each): number for number, stage in enumerate(plan.stages) for each in stage}
    first = _first_layers(plan)
    for number, each in enumerate(shown):
        draw.text(_LEFT, y + 17, f"pass {number + 1}", "small strong")
        draw.text(_LEFT, y + 31, _rows_text(plan, each, first[stages[id(each)]]), "tiny soft")
        room = _WIDTH - 2 * _LEFT - _NAMES - _FIGURES
        wide = room * each.load_beats / beats
        draw.rect(_LEFT + _NAMES, y + 6, wide, 26, f"pe-{number % 8}", rx=3)
        loads = f"{each.load_beats:,} beats; {_fullest(plan, each)}"
        draw.text(_LEFT + _NAMES + wide + 10, y + 23, loads, "small soft")
        y += _ROW
    if left_out:
        draw.text(_LEFT, y + 14, f"and {left_out:,} more", "small soft")
        y += 24
    draw.text(
        _LEFT,
        y + 22,
        f"{plan.load_cycles:,} beats are loaded for each batch, one a cycle at best; what a pass "
        "gives waits in the host's memory.",
        "small soft",
    )
    return draw


def _layers(draw: Drawing, plan: Plan, top: float) -> None:
    """The matrices of the layers, rows down and columns across, each row block in its pass."""
    layers = plan.network.layers
    tall = max(layer.rows for layer in layers)
    wide = max(layer.columns for layer in layers)
    passes_of = _passes_of_layers(plan)
    x = _LEFT
    for number, layer in enumerate(layers[:_MOST_LAYERS]):
        width = max(_LEAST, _WIDE * layer.columns / wide)
        height = max(_LEAST, _TALL * layer.rows / tall)
        y = top
        for place, rows in passes_of[number]:
            share = height * rows / layer.rows
            draw.rect(x, y, width, share, f"pe-{place % 8}", stroke="var(--ground)")
            if share >= _READABLE and width >= 50:
                middle = y + share / 2 + 4
                draw.text(
                    x + width / 2, middle, f"pass {place + 1}", "tiny middle on-colour strong"
                )
            y += share
        label = x + max(width, 0) + 8
        draw.text(label, top + 11, f"layer {number}", "small")
        draw.text(label, top + 25, f"{layer.rows:,} x {layer.columns:,}", "tiny soft")
        x = label + 84
    if len(layers) > _MOST_LAYERS:
        draw.text(x, top + 11, f"and {len(layers) - _MOST_LAYERS} more", "small soft")


def _passes_of_layers(plan: Plan) -> list[list[tuple[int, int]]]:
    """For each layer the passes that have rows of it, and how many rows."""
    found: list[list[tuple[int, int]]] = []
    number = 0
    for stage in plan.stages:
        for _ in stage[0].packed.layers:
            found.append([])
        for each in stage:
            for place, part in enumerate(each.packed.layers):
                found[len(found) - len(stage[0].packed.layers) + place].append(
                    (number, part.layer.rows)
                )
            number += 1
    return found


def _first_layers(plan: Plan) -> list[int]:
    """Number of the first layer of each stage."""
    found, number = [], 0
    for stage in plan.stages:
        found.append(number)
        number += len(stage[0].packed.layers)
    return found


def _fullest(plan: Plan, each: Pass) -> str:
    entries = np.sum([np.diff(part.encoded.pe_starts) for part in each.packed.layers], axis=0)
    return f"fullest PE {int(entries.max()):,} of {plan.design.entries_per_pe:,} entries"


def _rows_text(plan: Plan, each: Pass, first: int) -> str:
    """Say what a pass has: whole layers, or rows of one."""
    held = len(each.packed.layers)
    whole = plan.network.layers[first + held - 1].rows
    if len(each.rows) < whole:
        return f"layer {first}: {len(each.rows):,} of {whole:,} rows"
    return f"layer {first}" if held == 1 else f"layers {first} to {first + held - 1}"
