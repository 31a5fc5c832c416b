"""The page: its template filled from results, and the prose wrapped."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from scipy.stats import gmean

from benchmarks.measure import our_kernel, paper_array
from benchmarks.measure.driver_call import BOARD
from benchmarks.page import frames
from benchmarks.page.plots import draw_all
from benchmarks.paper import ese, layers, patterns
from benchmarks.results import Results
from eie.hls.boundary.atomic import write_whole
from eie.hls.model import energy
from eie.hls.spec.boards import BOARDS


def write_page(results: Results, folder: Path) -> Path:
    """Write ``evaluation.md`` to `folder` and the plots to its ``images``; returns the page."""
    draw_all(results, folder / "images")
    path = folder / "evaluation.md"
    write_whole(path, page(results))
    return path


def page(results: Results) -> str:
    """Text of the page: a section for each part that has been run."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    filters = {"f": format, "gmean": gmean, "percent": frames.percent, "add": frames.add}
    environment.filters |= filters
    text = environment.get_template("page.md.j2").render(
        vars(frames)
        | {"results": results, "parts": frames.frames(results), "board": BOARDS[BOARD]}
        | {"constants": layers, "patterns": patterns, "paper_array": paper_array}
        | {"our_kernel": our_kernel, "energy": energy, "ese": ese, "LSTM": layers.LAYERS[-1]}
    )
    # Headings and pictures stand alone, with or without empty lines around them in the template.
    text = re.sub(r"^(#+ .*|!\[.*)$", r"\n\1\n", text, flags=re.MULTILINE)
    return "\n\n".join(map(_fill, re.split(r"\n\s*\n", text.strip()))) + "\n"


def _fill(block: str) -> str:
    """Wrap a paragraph or a list to the width of the page; a number stays with its percent sign."""
    if block.startswith(("|", "#", "!")):
        return block
    indent = "  " if block.startswith("- ") else ""
    items = re.split(r"\n(?=- )", block) if indent else [block]
    return "\n".join(
        textwrap.fill(
            " ".join(item.split()).replace(" %", "\N{NO-BREAK SPACE}%"),
            100,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for item in items
    )
