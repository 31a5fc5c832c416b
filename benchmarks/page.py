"""The page ``evaluation.md``: tables and plots with what they mean, made from results alone."""

from __future__ import annotations

from pathlib import Path

from benchmarks import page_beyond, page_energy, page_host, page_layers, page_sweeps
from benchmarks.layers import CLOCK_MHZ
from benchmarks.plots import draw_all
from benchmarks.prose import bullets, paragraphs
from benchmarks.results import Results
from eie.hls.boundary.atomic import write_whole

__all__ = ["page", "write_page"]


def write_page(results: Results, folder: Path) -> Path:
    """Write ``evaluation.md`` to `folder` and the plots to its ``images``; returns the page."""
    draw_all(results, folder / "images")
    path = folder / "evaluation.md"
    write_whole(path, page(results))
    return path


def page(results: Results) -> str:
    """Text of the page: a section for each part that has been run."""
    sections = [
        (("layers",), page_layers.nine_layers),
        (("layers",), page_layers.theoretical),
        (("layers", "skew"), page_layers.actual),
        (("skewness",), page_layers.skewness),
        (("layers",), page_layers.kernel),
        (("beyond",), page_beyond.cycles),
        (("beyond",), page_beyond.switches),
        (("beyond",), page_beyond.storage),
        (("passes",), page_beyond.passes),
        (("layers", "cpu"), page_layers.speedup),
        (("queue",), page_sweeps.queue),
        (("width",), page_sweeps.width),
        (("precision",), page_sweeps.precision),
        (("pes",), page_sweeps.pes),
        (("roofline",), page_energy.roofline),
        (("energy",), page_energy.energy),
        (("speed",), page_sweeps.speed),
        (("build",), page_sweeps.build),
        (("host",), page_host.host),
    ]
    texts = [_introduction(results)]
    texts += [make(results) for parts, make in sections if set(parts) <= set(results.parts)]
    texts.append(_missing())
    return "\n\n".join(texts) + "\n"


def _introduction(results: Results) -> str:
    environments = {
        f"{part.environment.processor}, {part.environment.cores} cores, {part.environment.versions}"
        for part in results.parts.values()
    }
    measured = ("cpu", "speed", "build", "host")
    loads = ", ".join(
        f"{part.environment.load:.1f} ({name})"
        for name, part in results.parts.items()
        if name in measured
    )
    seconds = sum(part.seconds for part in results.parts.values())
    shrunk = (
        ""
        if results.divisor == 1
        else f"\n\n**A quick run: inputs and outputs divided by {results.divisor}. Do not compare "
        "it with the paper.**"
    )
    text = paragraphs(
        """
        The evaluation of the paper ([Han et al., ISCA 2016](https://arxiv.org/abs/1602.01528)),
        run on our models. `make bench` writes this page, its plots and
        [evaluation.json](evaluation.json); no number in a table is typed. There are three kinds
        of numbers:
        """
    )
    kinds = bullets(
        "**paper**: printed in the paper. Of its figures only what its text says is here.",
        f"""
        **model**: counted by a cycle model on seeded random patterns of the paper's sizes and
        densities. Microseconds are cycles at the paper's {CLOCK_MHZ} MHz. Nothing of ours has run
        at that clock.
        """,
        "**measured**: wall-clock time on the machine below, the median of several rounds.",
    )
    machine = paragraphs(
        f"""
        Measured on: {"; ".join(sorted(environments))}. Load average when each measured part began,
        of which the benchmark itself is about one and the rest other programs: {loads or "none"}.
        All parts together took {seconds / 60:.0f} minutes.
        """
    )
    return f"# Evaluation{shrunk}\n\n{text}\n\n{kinds}\n\n{machine}"


def _missing() -> str:
    text = paragraphs(
        """
        Area, and the power of a board: the paper has them from a synthesised design, and nothing of
        ours has been synthesised. Time on an FPGA, for the same reason. The paper's own pruned
        layers: only their sizes and densities are known here.
        """
    )
    return f"## What is not here\n\n{text}"
