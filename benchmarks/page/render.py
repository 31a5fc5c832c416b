"""The page: its template filled from results, prose wrapped, tables ruled."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.measure import cpu, improvements, in_passes, kernel, nine_layers, sweeps
from benchmarks.measure.driver_call import BOARD
from benchmarks.page.figures import (
    EIE_TIMES,
    FILTERS,
    PAPER_TIMES,
    Figures,
    quotients,
    speedup,
    tr,
)
from benchmarks.page.plots import draw_all
from benchmarks.paper import layers, patterns
from benchmarks.results import Results
from eie.hls.model import energy
from eie.hls.spec.atomic import whole_file
from eie.hls.spec.boards import BOARDS


def write_page(results: Results, folder: Path) -> Path:
    """Write ``evaluation.md`` to `folder` and the plots to its ``images``; returns the page."""
    draw_all(results, folder / "images")
    path = folder / "evaluation.md"
    with whole_file(path) as partial:
        partial.write_text(page(results), encoding="utf-8")
    return path


def page(results: Results) -> str:
    """Text of the page: a section for each part that has been run."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=["jinja2.ext.do"],
    )
    environment.filters |= FILTERS
    text = environment.get_template("page.md.j2").render(
        results=results,
        rows=results.rows,
        row=results.row,
        figures=Figures(results),
        paper_times=PAPER_TIMES,
        eie_times=EIE_TIMES,
        quotients=quotients,
        speedup=speedup,
        tr=tr,
        paper=layers,
        patterns=patterns,
        nine_layers=nine_layers,
        kernel=kernel,
        sweeps=sweeps,
        improvements=improvements,
        in_passes=in_passes,
        cpu=cpu,
        energy=energy,
        board=BOARDS[BOARD],
    )
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(map(_lay_out, blocks)) + "\n"


def _lay_out(block: str) -> str:
    """Lay out what stands between empty lines as Markdown of the width of the other pages."""
    if block.startswith("|"):
        # All columns but the first are aligned to the right.
        head, *lines = block.split("\n")
        rule = "| --- " + "| ---: " * (len(re.findall(r"\|", head)) - 2) + "|"
        return "\n".join((head, rule, *lines))
    if block.startswith(("#", "!")):
        return block
    if block.startswith("- "):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return "\n".join(_fill(item, first="- ", others="  ") for item in items)
    return _fill(block)


def _fill(text: str, first: str = "", others: str = "") -> str:
    """Wrap a paragraph; a number stays with its percent sign."""
    return textwrap.fill(
        " ".join(text.split()).replace(" %", "\N{NO-BREAK SPACE}%"),
        100,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
