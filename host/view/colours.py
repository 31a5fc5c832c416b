"""The colours of diagrams, in light and dark: defined here, and written as CSS variables."""

from __future__ import annotations

from typing import Literal

__all__ = ["COLOURS", "PE_COLOURS", "Scheme", "as_variables"]

Scheme = Literal["light", "dark"]

#: By name: in light, in dark. Text and marks keep the contrast with `ground` that WCAG asks for.
COLOURS = {
    "ground": ("#ffffff", "#11161c"),
    "raised": ("#f5f7f9", "#1a2129"),
    "ink": ("#16202a", "#e8edf2"),
    "soft": ("#52606d", "#a3b0bd"),
    "line": ("#c5ced7", "#3d4a57"),
    "grid": ("#e6eaee", "#27313b"),
    "wire": ("#7c8894", "#8b98a5"),
    "link": ("#0a5c9e", "#7cbcf0"),
    "mark": ("#b8500a", "#f09a50"),
    "mark-soft": ("#fbe3cf", "#4a2f1a"),
    "process": ("#eef4fa", "#1b2a38"),
    "process-edge": ("#4488bf", "#4f86b3"),
    "queue": ("#8fb8da", "#2f6690"),
    "queue-edge": ("#2f79b5", "#6fb2e6"),
    "bram": ("#0b6bb3", "#4fa3e3"),
    "uram": ("#6a3fb0", "#b08cf0"),
    "lutram": ("#8a6100", "#d6a93c"),
    "spare": ("#dfe5ea", "#2d3843"),
    "caution-ground": ("#fff6e6", "#2b2213"),
    "caution-edge": ("#b8750a", "#d99a2b"),
}

#: Of the PEs that are drawn, in turn: what belongs to one has its colour, as in the paper's
#: figure 2.
PE_COLOURS = (
    ("#0b6bb3", "#5cb0f0"),
    ("#b8500a", "#f09a50"),
    ("#1a7a47", "#4fc98a"),
    ("#a0308f", "#ee8be0"),
    ("#6a5a00", "#d4c04a"),
    ("#5b49c9", "#a79bff"),
    ("#0d7377", "#43c6cb"),
    ("#a8273a", "#ff8d98"),
)


def as_variables(scheme: Scheme) -> str:
    """Write all of them as declarations of CSS variables."""
    number = 0 if scheme == "light" else 1
    named = {**COLOURS, **{f"pe-{place}": pair for place, pair in enumerate(PE_COLOURS)}}
    return " ".join(f"--{name}: {pair[number]};" for name, pair in named.items())
