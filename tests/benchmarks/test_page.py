"""Results survive the file, and the page shows all of them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import __main__ as program
from benchmarks.layers import LAYERS
from benchmarks.page import page, write_page
from benchmarks.plots import PLOTS
from benchmarks.results import Results
from benchmarks.speedups import best_of
from benchmarks.tables import geometric_mean, layer_row, read_cost_bounds, rounding_residue
from eie.hls.boundary.errors import InputError

DOCS = Path(__file__).parents[2] / "docs"


def test_results_survive_the_file(results, tmp_path):
    results.save(tmp_path / "evaluation.json")
    again = program.load(tmp_path)
    assert again == results
    assert page(again) == page(results)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "divisor": 1, "parts": {"x": {}}}']
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(str(path))):
        Results.load(path, {})


def test_the_page_shows_every_layer_in_every_table(results):
    tables = re.findall(r"(?:^\|.*\n)+", page(results), re.MULTILINE)
    by_layer = [table for table in tables if table.startswith(("| layer |", "| layer | "))]
    assert len(by_layer) >= 14
    for table in by_layer:
        for layer in LAYERS:
            assert f"\n| {layer.name} |" in table
        columns = {line.count("|") for line in table.splitlines()}
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


def test_rounding_residue_is_what_is_outside_of_the_range(results):
    layer = LAYERS[0]
    low, high = sorted(
        row.theoretical_us
        for row in results.rows("layers")
        if row.layer == layer.name and row.weight_density != layer.weight_density
    )
    inside = dataclasses.replace(layer, theoretical_us=(low + high) / 2)
    assert rounding_residue(results, inside) == 0
    above = dataclasses.replace(layer, theoretical_us=high + 1)
    assert rounding_residue(results, above) == pytest.approx(1 / high)
    below = dataclasses.replace(layer, theoretical_us=low - 1)
    assert rounding_residue(results, below) == pytest.approx(-1 / low)


def test_best_of_takes_the_faster_way(results):
    best = best_of(results, "VGG-6", 1, ("torch CSR", "scipy CSR"))
    others = [
        row.median_us
        for row in results.rows("cpu")
        if row.layer == "VGG-6" and row.batch == 1 and row.contender != "torch dense"
    ]
    assert best.median_us == min(others)
    assert len(others) >= 2


def test_a_row_that_is_not_there_is_an_error(results):
    with pytest.raises(KeyError, match="Alex-6, checkered"):
        layer_row(results, "Alex-6", "checkered")


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


def test_geometric_mean():
    assert geometric_mean([2, 8]) == pytest.approx(4)


def test_the_page_in_docs_is_that_of_its_results():
    # `make bench` measures again; `python -m benchmarks --page` only writes the page again.
    assert (DOCS / "evaluation.md").read_text(encoding="utf-8") == page(program.load(DOCS))
