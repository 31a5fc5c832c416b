"""What changes of the kernel would save, by parts: estimates for whoever decides on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from eie.hls.model.area.blocks import kernel_blocks
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.estimate import family_of
from eie.hls.model.area.memories import bram18_of
from eie.hls.model.area.part import Part, fixed, part
from eie.hls.model.area.published import spread
from eie.hls.spec.design import Design

__all__ = ["CHANGES", "Change", "savings_rows"]

#: Blocks that tokens pass on their way to the PEs.
_TOKENS = ("broadcast", "column_fetch", "stream queue", "stream work", "stream branch")
#: A token as it is, and one of a run: kind, column and value, or where work begins and how much.
_WIDE, _NARROW = 68, 36


@dataclass(frozen=True)
class Change:
    """A change of the kernel: what becomes of each part."""

    name: str
    #: Given the design, the block's name and a part: the parts in its place, or None to keep it.
    of: Callable[[Design, str, Part], Sequence[Part] | None]


def _in_block_ram(design: Design, block: str, each: Part) -> Sequence[Part] | None:
    if block != "multiply_accumulate" or each.name != "codebooks":
        return None
    sizes = dict(each.sizes)
    # The banks become one.
    return (fixed(each.name, Cost(bram18=bram18_of(sizes["depth"] * each.count, sizes["width"]))),)


def _narrow_tokens(design: Design, block: str, each: Part) -> Sequence[Part] | None:
    width = dict(each.sizes).get("width", 0)
    if not block.startswith(_TOKENS) or width not in (_WIDE, _WIDE - 4):
        return None
    narrow = tuple(
        (name, size - _WIDE + _NARROW if name == "width" else size) for name, size in each.sizes
    )
    return (dataclasses.replace(each, sizes=narrow),)


def _one_bank(design: Design, block: str, each: Part) -> Sequence[Part] | None:
    if block != "multiply_accumulate":
        return None
    if each.name == "codebooks":
        return (part(each.name, "lutram_1p", width=16, depth=design.layers * 16),)
    return () if each.name in ("weight of its bank", "place in the codebook") else None


#: What review of the kernel proposed, each alone; what is built leaves the list.
CHANGES = (
    Change("codebooks in block RAM", _in_block_ram),
    Change("codebooks of one bank, loaded a weight a cycle", _one_bank),
    Change("tokens of 36 bits to the PEs in place of 68", _narrow_tokens),
)


def savings_rows(design: Design) -> Iterator[tuple[str, ...]]:
    """Header, and what each change saves of `design`, by the sum over the parts."""
    yield ("change", "LUTs saved a PE", "LUTs saved once", f"LUTs saved with {design.pes} PEs",
           "of the kernel", "BRAM18 more", "DSP more")  # fmt: skip
    before, _ = _costs(design, None)
    for change in CHANGES:
        after, once = _costs(design, change)
        saved = before.lut - after.lut
        each = (saved - once) / design.pes
        yield (
            change.name,
            f"{each:,.0f}",
            f"{once:,.0f}",
            f"{saved:,.0f}",
            f"{100 * saved / before.lut:.1f} %",
            f"{after.bram18 - before.bram18}",
            f"{after.dsp - before.dsp}",
        )
    expected = spread("lut").expected
    yield (f"All LUTs of the kernel by parts: {before.lut:,.0f}; expected {expected:.2f} times",)


#: Blocks that there is one of, whatever the number of PEs.
_ONCE = ("receive", "send", "control_activations", "detect_nonzero", "collect")


def _costs(design: Design, change: Change | None) -> tuple[Cost, float]:
    """What the kernel takes with a change, and the LUTs that it saves in what there is one of."""
    family = family_of(design)
    total, once = Cost(), 0.0
    for block in kernel_blocks(design):
        parts: list[Part] = []
        for each in block.parts:
            found = change.of(design, block.name, each) if change else None
            parts += [each] if found is None else found
        cost = sum((each.cost(family) for each in parts), Cost())
        total = total + cost * block.count
        if block.name in _ONCE:
            once += block.cost(family).lut - cost.lut
    return total, once
