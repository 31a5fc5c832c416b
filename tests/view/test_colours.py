"""Texts and marks of diagrams have the contrast that WCAG 2.1 asks for, in light and dark."""

from __future__ import annotations

import pytest

from eie.host.view.colours import COLOURS, PE_COLOURS


def light(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme):
    named = {name: pair[scheme] for name, pair in COLOURS.items()}
    grounds = ("ground", "raised", "process", "mark-soft")
    for text in ("ink", "soft"):
        assert min(contrast(named[text], named[ground]) for ground in grounds) >= 4.5, text
    for pair in PE_COLOURS:
        # Text of a PE's colour, and text upon it.
        assert contrast(pair[scheme], named["ground"]) >= 4.5, pair
    for mark in ("wire", "bram", "uram", "lutram", "queue-edge", "mark"):
        assert min(contrast(named[mark], named[of]) for of in ("ground", "process")) >= 3, mark
