"""Results survive the file, and the page shows all of them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from benchmarks.page.frames import (
    PAPER,
    add,
    fastest,
    frames,
    grid,
    read_cost_bounds,
    rounding,
    table,
    times_here,
)
from benchmarks.page.plots import PLOTS
from benchmarks.page.render import page, write_page
from benchmarks.paper.layers import LAYERS
from benchmarks.results import Results
from eie.hls.boundary.errors import InputError

DOCS = Path(__file__).parents[2] / "docs" / "explanation"


def test_results_survive_the_file(results, tmp_path):
    results.save(tmp_path / "evaluation.json")
    again = Results.load(tmp_path / "evaluation.json")
    assert again == results
    assert page(again) == page(results)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "divisor": 1, "parts": {"x": {}}}']
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(str(path))):
        Results.load(path)


def test_the_page_shows_every_layer_in_every_table(results):
    tables = re.findall(r"(?:^\|.*\n)+", page(results), re.MULTILINE)
    by_layer = [one for one in tables if one.startswith(("| layer |", "| layer | "))]
    assert len(by_layer) >= 14
    for one in by_layer:
        for layer in LAYERS:
            assert f"\n| {layer.name} |" in one
        columns = {line.count("|") for line in one.splitlines()}
        assert len(columns) == 1, "rows of a table must have the same number of cells"
    assert "Do not compare" in page(results)


def test_the_page_has_its_pictures(results, tmp_path):
    path = write_page(results, tmp_path)
    pictures = re.findall(r"!\[.+\]\((.+)\)", path.read_text())
    assert len(pictures) == len(PLOTS)
    for picture in pictures:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_parts_that_were_not_run_are_left_out(results):
    alone = Results(1, {"width": results.parts["width"]})
    text = page(alone)
    assert "width of the matrix memory" in text
    assert "Speed-up" not in text
    assert "Do not compare" not in text


def test_the_table_of_nine_layers_has_the_papers_times(results):
    text = page(results)
    for layer in LAYERS:
        line = next(line for line in text.splitlines() if line.startswith(f"| {layer.name} |"))
        cells = [cell.strip() for cell in line.split("|")]
        assert cells[7] == f"{layer.theoretical_us}"
        assert cells[9] == f"{layer.actual_us}"


def test_rounding_residue_is_what_is_outside_of_the_range(results, monkeypatch):
    layers = frames(results)["layers"]
    low, high = sorted(layers[~layers.own_density].loc["Alex-6"].theoretical_us)

    def residue(papers: float) -> float:
        changed = PAPER.copy()
        changed.loc["Alex-6", "theoretical_us"] = papers
        monkeypatch.setattr("benchmarks.page.frames.PAPER", changed)
        return rounding(layers).residue["Alex-6"]

    assert residue((low + high) / 2) == 0
    assert residue(high + 0.04) == 0, "the paper rounds its times"
    assert residue(high + 1) == pytest.approx(1 / high)
    assert residue(low - 1) == pytest.approx(-1 / low)


def test_the_fastest_way_is_shown(results):
    cpu = frames(results)["cpu"]
    ours = cpu.loc["VGG-6"]
    one = ours[(ours.batch == 1) & (ours.contender != "torch dense")]
    assert len(one) >= 2
    assert times_here(cpu).loc["VGG-6", "sparse, batch 1"] == one.median_us.min()
    csr = one[one.contender == "torch CSR"]
    threads = csr.threads[csr.median_us == csr.median_us.min()].iloc[0]
    assert fastest(cpu).loc["VGG-6", "torch CSR, batch 1"].endswith(f" ({threads})")


def test_a_row_that_is_not_there_is_an_error(results):
    layers = results.parts["layers"]
    rows = [row for row in layers.rows if row["layer"] != "Alex-6" or row["pattern"] != "blocks"]
    parts = {"layers": dataclasses.replace(layers, rows=rows)}
    with pytest.raises(UndefinedError, match="Alex-6"):
        page(Results(results.divisor, parts))


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(1, 10_000), min_size=5, max_size=5, unique=True))
def test_read_costs_between_the_bounds_favour_64_bits(counts):
    reads = dict(zip((32, 64, 128, 256, 512), sorted(counts, reverse=True), strict=True))
    low, high = read_cost_bounds(reads)

    def best(cost: float) -> int:
        return min(reads, key=lambda width: reads[width] * (cost + width))

    if low < high:
        assert best((low + high) / 2) == 64
    assert best(high + 1 + abs(high)) != 64
    if low > 0:
        assert best(low / 2) != 64


def test_tables_have_lines_of_all_layers_and_means():
    rows = pd.DataFrame({"layer": list("abab"), "x": [1, 1, 2, 2], "y": [2.0, 8.0, 0.5, 0.25]})
    wide = grid(rows, "x", "y")
    assert add(wide).loc["geometric mean"].tolist() == [pytest.approx(4), pytest.approx(0.125**0.5)]
    text = table("layer", ("x = {}", add(wide), "{:.1f}"), ("first", wide[1] / 10, "{:.0%}"))
    assert text.splitlines() == [
        "| layer | x = 1 | x = 2 | first |",
        "| --- | ---: | ---: | ---: |",
        "| a | 2.0 | 0.5 | 20 % |",
        "| b | 8.0 | 0.2 | 80 % |",
        "| geometric mean | 4.0 | 0.4 |  |",
    ]


def test_the_page_in_docs_is_that_of_its_results():
    # `make bench` measures again; `python -m benchmarks --page` only writes the page again.
    assert (DOCS / "evaluation.md").read_text(encoding="utf-8") == page(
        Results.load(DOCS / "evaluation.json")
    )
