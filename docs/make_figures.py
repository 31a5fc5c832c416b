"""Draw the figures of the explanation, as SVG: ``make tables``.

They stand for themselves in a file, light or dark as the reader's screen is; the site puts them
into its pages, where they take its colours. Numbers in them come from the code.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from pathlib import Path

from eie.hls.boundary.atomic import write_whole
from eie.hls.spec.packets import HEADER, STATUS, TRAILER, Section

FOLDER = Path(__file__).parent / "explanation" / "images"
#: Colours of a figure that stands alone; the site's style sheet has its own for these classes.
STYLE = """<style>
svg{--ink:#1f2328;--faint:#8b949e;--paper:#f6f8fa;--a:#d8e6fd;--b:#fde7cf;--c:#d9f2dc;--hot:#d1242f}
@media (prefers-color-scheme:dark){svg{--ink:#e6edf3;--faint:#7d8590;--paper:#161b22;--a:#1c3658;
--b:#54391a;--c:#1d4426;--hot:#ff7b72}}
</style>"""
PES = 4


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """Words, their middle at x."""
    fill = {"small": "var(--faint)", "hot": "var(--hot)"}.get(kind, "var(--ink)")
    size = {"small": 10.5, "big": 15}.get(kind, 12.5)
    weight = ' font-weight="600"' if kind in ("big", "hot") else ""
    return (
        f'<text x="{x}" y="{y}" fill="{fill}" font-size="{size}"{weight} '
        f'text-anchor="{anchor}">{html.escape(words)}</text>'
    )


def box(
    x: float, y: float, w: float, h: float, words: str = "", *, fill: str = "paper", small: str = ""
) -> str:
    """A box with words, and smaller ones below."""
    parts = [
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="4" fill="var(--{fill})" '
        'stroke="var(--faint)"/>'
    ]
    if words:
        parts.append(text(x + w / 2, y + h / 2 + (4 if not small else -2), words))
    if small:
        parts.append(text(x + w / 2, y + h / 2 + 12, small, "small"))
    return "".join(parts)


def arrow(*points: tuple[float, float], words: str = "", dashed: bool = False) -> str:
    """A line along points, with a tip, and words at its first stretch."""
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    line = (
        f'<path d="{path}" fill="none" stroke="var(--ink)" stroke-width="1.3"{dash} '
        'marker-end="url(#figure-tip)"/>'
    )
    (x1, y1), (x2, y2) = points[:2]
    return line + (text((x1 + x2) / 2, (y1 + y2) / 2 - 6, words, "small") if words else "")


def svg(width: int, height: int, title: str, *parts: str) -> str:
    """Put a figure together."""
    return (
        f'<svg class="figure" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img" aria-label="{html.escape(title)}" '
        f'font-family="system-ui, sans-serif">{STYLE}'
        '<defs><marker id="figure-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="var(--ink)"/></marker></defs>'
        f"{''.join(parts)}</svg>\n"
    )


def array() -> str:
    """Draw the whole accelerator, with the paper's names below ours."""
    parts = [
        arrow((6, 64), (36, 64)),
        text(24, 34, "packets", "small"),
        box(38, 40, 92, 48, "receive", small="DMA, I/O mode"),
        arrow((130, 64), (158, 64)),
        box(160, 40, 118, 48, "control", small="central control unit"),
        arrow((278, 64), (306, 64)),
        box(308, 40, 118, 48, "detect_nonzero", small="LNZD tree"),
        arrow((426, 64), (454, 64)),
        box(456, 40, 118, 48, "broadcast", small="value and column"),
    ]
    for pe in range(PES):
        x = 76 + pe * 176
        parts += [
            arrow((515, 88), (x + 78, 130)),
            f'<rect x="{x}" y="132" width="156" height="190" rx="6" fill="none" '
            'stroke="var(--faint)" stroke-dasharray="3 3"/>',
            text(x + 78, 150, f"PE {pe}", "big"),
            box(x + 10, 160, 136, 36, "column_fetch", fill="a", small="pointer read"),
            box(x + 10, 204, 136, 26, "queue", fill="b"),
            box(
                x + 10,
                238,
                136,
                36,
                "multiply_accumulate",
                fill="a",
                small="matrix read, arithmetic",
            ),
            box(x + 10, 282, 64, 30, "entries", fill="c"),
            box(x + 82, 282, 64, 30, "sums", fill="c"),
            arrow((x + 78, 322), (x + 78, 348)),
        ]
    parts += [
        box(76, 350, 684, 30, "gather: results side by side, in the order of rows"),
        arrow((418, 380), (418, 404)),
        box(338, 406, 160, 40, "collect", small="counts what was saturated"),
        arrow((498, 426), (640, 426), words="outputs"),
        box(642, 406, 92, 40, "send"),
        arrow((734, 426), (776, 426)),
        arrow((338, 426), (22, 426), (22, 110), (218, 110), (218, 90), dashed=True),
        text(150, 418, "hidden vectors stay on the chip", "small"),
    ]
    return svg(
        800, 460, "The array: one broadcast, many PEs, results back to the control unit", *parts
    )


def pe_pipeline() -> str:
    """Draw what an activation meets in a PE."""
    stages = (
        ("pointers", "column: begin, end", "a"),
        ("queue", "columns with work", "b"),
        ("entry", "code v, zero run z", "a"),
        ("codebook", "v to a weight", "a"),
        ("multiply", "weight x activation", "a"),
        ("accumulate", "row of this PE", "c"),
    )
    parts = []
    for number, (name, small, fill) in enumerate(stages):
        x = 12 + number * 132
        parts.append(box(x, 30, 108, 52, name, small=small, fill=fill))
        if number:
            parts.append(arrow((x - 24, 56), (x - 1, 56)))
    parts += [
        text(330, 18, "row += z + 1", "small"),
        arrow((330, 84), (330, 112), (620, 112), (706, 112), (706, 84)),
        text(500, 106, "address: the rows passed so far, no memory in the way", "small"),
        box(480, 140, 130, 36, "bank 0: adds up", fill="c"),
        box(628, 140, 150, 36, "bank 1: is written back", fill="c"),
        text(690, 198, "the banks change sides with each layer", "small", "end"),
        arrow((703, 176), (703, 214)),
        box(
            568,
            216,
            216,
            40,
            "bias, shift, round, ReLU",
            small="16 bits; what is cut off is counted",
        ),
    ]
    return svg(800, 268, "The pipeline of a PE: one entry a cycle", *parts)


def columns() -> str:
    """Draw a matrix dealt out to two PEs, and what is stored of it."""
    weights = [
        [0, 5, 0, 0],
        [2, 0, 0, 0],
        [0, 0, 0, 7],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [4, 0, 0, 6],
        [3, 0, 0, 0],
        [0, 1, 0, 0],
    ]
    parts = [text(130, 18, "activations"), text(480, 18, "what each PE stores of column 0")]
    inputs = (9, 0, 8, 1)
    for column, value in enumerate(inputs):
        parts.append(box(60 + column * 36, 26, 34, 26, str(value), fill="b" if value else "paper"))
    for row, line in enumerate(weights):
        parts.append(text(46, 83 + row * 28, f"row {row}", "small", "end"))
        for column, value in enumerate(line):
            parts.append(
                box(
                    60 + column * 36,
                    66 + row * 28,
                    34,
                    26,
                    str(value) if value else "",
                    fill=("a", "c")[row % 2] if value or not inputs[column] else "paper",
                )
                if value
                else box(60 + column * 36, 66 + row * 28, 34, 26)
            )
        parts.append(text(214, 83 + row * 28, f"PE {row % 2}", "small", "start"))
    for pe, fill in enumerate(("a", "c")):
        own = [line[0] for line in weights][pe::2]
        entries, run = [], 0
        for value in own:
            if value:
                entries.append((value, run))
                run = 0
            else:
                run += 1
        y = 40 + pe * 96
        parts.append(
            text(
                300,
                y + 18,
                f"PE {pe} has rows {', '.join(map(str, range(pe, 8, 2)))}:",
                "",
                "start",
            )
        )
        for number, value in enumerate(own):
            parts.append(
                box(
                    300 + number * 36,
                    y + 28,
                    34,
                    26,
                    str(value) if value else "0",
                    fill=fill if value else "paper",
                )
            )
        parts.append(arrow((452, y + 41), (486, y + 41)))
        for number, (value, zeros) in enumerate(entries):
            parts.append(
                box(490 + number * 118, y + 24, 110, 34, f"v = {value}, z = {zeros}", fill=fill)
            )
    parts += [
        text(300, 250, "A column whose activation is 0 is not looked at (column 1).", "", "start"),
        text(
            300,
            272,
            "A column in which a PE has no weight costs that PE nothing (column 2).",
            "",
            "start",
        ),
    ]
    return svg(
        760, 300, "Rows are dealt to PEs; each stores its columns as weights and zero runs", *parts
    )


def packet() -> str:
    """Draw a packet: its header to scale of the bits, and what a load holds."""
    parts, x = [text(20, 16, "header, 2 beats of 64 bits", "", "start")], 20.0
    for field in HEADER.fields:
        width = 760 * field.bits / 128
        parts.append(box(x, 24, width, 40, field.name, small=f"{field.bits} bits", fill="b"))
        x += width
    parts.append(text(20, 92, "a load", "", "start"))
    x = 20.0
    of_pes = (Section.POINTERS, Section.BIASES, Section.ENTRIES)
    per_pe = f"{PES} times: {', '.join(section.name for section in of_pes)}"
    blocks = (
        ("header", 64, "b"),
        ("NETWORK", 80, "a"),
        (Section.LAYERS.name, 76, "a"),
        (Section.CODEBOOKS.name, 100, "a"),
        (per_pe, 370, "c"),
        ("trailer", 70, "b"),
    )
    for name, width, fill in blocks:
        parts.append(box(x, 100, width, 34, name, fill=fill))
        x += width
    parts.append(text(20, 162, "a run, and its answer", "", "start"))
    for y, last in ((170, ()), (212, (("SATURATED", 100, "a"), ("STATUS", 80, "a")))):
        x = 20.0
        vectors = (
            (("RUN", 60, "a"), ("input vectors", 240, "c"))
            if not last
            else (("output vectors", 240, "c"),)
        )
        for name, width, fill in (("header", 64, "b"), *vectors, *last, ("trailer", 70, "b")):
            parts.append(box(x, y, width, 34, name, fill=fill))
            x += width
    beats = (
        f"header {HEADER.beats}, status {STATUS.beats}, trailer {TRAILER.beats} beats; "
        "CRC-32 in header and trailer"
    )
    parts.append(text(20, 270, beats, "small", "start"))
    return svg(800, 282, "A packet: header, payload, trailer", *parts)


FIGURES: dict[str, Callable[[], str]] = {
    "array": array,
    "pe-pipeline": pe_pipeline,
    "columns": columns,
    "packet": packet,
}


def main() -> int:
    """Draw them."""
    for name, draw in FIGURES.items():
        write_whole(FOLDER / f"{name}.svg", draw())
    return 0


if __name__ == "__main__":
    sys.exit(main())
