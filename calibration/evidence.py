"""The published designs as a table: figures of others, our sums, and the ratios."""

from __future__ import annotations

from collections.abc import Sequence

from eie.hls.model.area.published import PUBLISHED, spread

__all__ = ["evidence_rows"]


def evidence_rows() -> list[Sequence[str]]:
    """Give header and rows, and last the range that follows."""
    head = ("design", "LUTs", "our sum", "ratio", "FFs", "our sum", "ratio", "counted by", "source")
    rows: list[Sequence[str]] = [head]
    for each in PUBLISHED:
        ours = each.block.cost(each.family)
        ff = ("-", "-", "-")
        if each.ff is not None and each.ff_ratio is not None:
            ff = (f"{each.ff:,}", f"{ours.ff:,.0f}", f"{each.ff_ratio:.2f}")
        lut = (f"{each.lut:,}", f"{ours.lut:,.0f}", f"{each.lut_ratio:.2f}")
        rows.append((each.name, *lut, *ff, each.counted, each.source))
    for resource in ("lut", "ff"):
        by = spread(resource)
        rows.append(
            (f"{resource.upper()}: {by.low:.2f} to {by.high:.2f}, expected {by.expected:.2f}",)
        )
    return rows
