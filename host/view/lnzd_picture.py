"""Leading-non-zero detection as a picture: the tree over the lanes of a word, and an example."""

from __future__ import annotations

from eie.hls.spec.dataflow import RADIX
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.view.svg import Drawing

__all__ = ["lnzd_picture"]

#: An example of a word: these lanes are not zero.
_WORD = {2: 41, 5: -7, 6: 12, 11: 3, 15: -20}
_LEFT, _CELL, _TOP = 92.0, 50.0, 74.0
_NODE = 60.0


def lnzd_picture(design: Design) -> Drawing:
    """Draw how the first non-zero activation of a word is found, and what goes to the PEs.

    Parameters
    ----------
    design
        Says how many PEs it goes to.
    """
    lanes = ACTIVATIONS_PER_WORD
    width = _LEFT + lanes * _CELL + 24
    draw = Drawing(
        width,
        430,
        "Leading-non-zero detection",
        f"A tree of radix {RADIX} over the {lanes} activations of a word finds the first that is "
        "not zero, one a cycle. Of the example's word, lanes "
        f"{', '.join(map(str, _WORD))} are sent in as many cycles.",
    )
    draw.text(16, 24, "Leading-non-zero detection (LNZD)", "head")
    draw.text(
        16,
        42,
        f"A word of {lanes} activations; the first one that is not zero leaves in each cycle.",
        "small soft",
    )
    first = min(_WORD)
    centres = _lanes(draw, first)
    groups = [
        [lane in _WORD for lane in range(start, start + RADIX)] for start in range(0, lanes, RADIX)
    ]
    leaves = _level(draw, centres, groups, 190.0, "leaf", first // RADIX)
    root = _level(draw, leaves, [[any(group) for group in groups]], 282.0, "root", 0)
    x = root[0]
    draw.path([(x, 282 + 34), (x, 352)], "wire arrow")
    draw.rect(x - 130, 352, 260, 30, "mark-soft", rx=5)
    draw.text(x, 372, f"lane {first}: value {_WORD[first]}, and its column", "small middle strong")
    draw.text(
        x + 146,
        372,
        f"to the broadcast, and to {design.pes} PE{'s' * (design.pes > 1)}",
        "small soft",
    )
    draw.text(
        16,
        412,
        f"Then the lane's bit is cleared. This word takes {len(_WORD)} cycles; a word of zeros "
        "takes one.",
        "small soft",
    )
    return draw


def _lanes(draw: Drawing, first: int) -> list[float]:
    """The word, lane by lane; gives the middle of each."""
    draw.text(16, _TOP + 27, "word", "small")
    draw.text(16, _TOP + 62, "not zero", "small")
    centres = []
    for lane in range(ACTIVATIONS_PER_WORD):
        x = _LEFT + lane * _CELL
        value = _WORD.get(lane, 0)
        kind = "mark-soft" if lane == first else "process" if value else "around"
        draw.rect(x + 2, _TOP + 8, _CELL - 4, 28, kind, rx=3)
        draw.text(x + _CELL / 2, _TOP + 27, f"{value}".replace("-", "−"), "small middle")
        draw.text(x + _CELL / 2, _TOP, f"{lane}", "tiny middle soft")
        draw.text(x + _CELL / 2, _TOP + 62, f"{int(value != 0)}", "small middle")
        centres.append(x + _CELL / 2)
    return centres


def _level(
    draw: Drawing, above: list[float], some: list[list[bool]], y: float, name: str, chosen: int
) -> list[float]:
    """Nodes of a level, each over four of the level above; gives their middles."""
    draw.text(16, y + 22, f"{len(some)} {name if len(some) == 1 else 'leaves'}", "small")
    centres = []
    for node, inputs in enumerate(some):
        sources = above[node * RADIX : (node + 1) * RADIX]
        x = sum(sources) / len(sources)
        found = next((number for number, each in enumerate(inputs) if each), None)
        for number, source in enumerate(sources):
            on = number == found and node == chosen
            spread = (number - (RADIX - 1) / 2) * 12
            top = _TOP + 68 if name == "leaf" else 190.0 + 34
            middle = y - 18
            draw.path(
                [(source, top), (source, middle), (x + spread, middle), (x + spread, y)],
                "wire back arrow" if on else "wire arrow",
            )
        draw.rect(x - _NODE / 2, y, _NODE, 34, "mark-soft" if node == chosen else "process", rx=5)
        text = "none" if found is None else f"first: {found}"
        draw.text(x, y + 21, text, "small middle")
        centres.append(x)
    return centres
