"""The picture of an array has what the wiring has: nothing is left out, whatever is added."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest

import eie
from eie.hls.model.area import estimate
from eie.hls.model.area.memories import memories_of
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.dataflow import Wiring, wire
from eie.hls.spec.design import Design
from eie.host.packing.packer import pack
from eie.host.view.array_picture import array_picture
from eie.host.view.fill import fill_picture, fills_of
from eie.host.view.memory_list import memory_list
from eie.host.view.structure import name_of, structure_of

SVG = "{http://www.w3.org/2000/svg}"
DESIGNS = [
    Design(pes=1),
    Design(pes=2, length_bits=5),
    Design(pes=4),
    Design(pes=16, memory="uram", hidden_activations=256),
    Design(pes=64, queue_depth=256, result_depth=1024),
    Design(pes=256),
]


def drawn(picture: str, attribute: str) -> list[str]:
    return [each.get(attribute) for each in ET.fromstring(picture).iter() if each.get(attribute)]


@pytest.mark.parametrize("design", DESIGNS, ids=[f"{design.pes}" for design in DESIGNS])
def test_every_process_stream_and_memory_is_drawn(design):
    wiring = wire(design)
    picture = array_picture(design).as_file("light")
    names = {stream.name for stream in wiring.streams} | {"packets_in", "packets_out"}
    assert set(drawn(picture, "data-stream")) == names
    assert set(drawn(picture, "data-process")) == {name_of(each) for each in wiring.processes}
    assert set(drawn(picture, "data-memory")) == {each.name for each in memories_of(design)}


@pytest.mark.parametrize("design", DESIGNS, ids=[f"{design.pes}" for design in DESIGNS])
def test_every_stream_has_both_its_ends(design):
    wiring = wire(design)
    structure = structure_of(design, wiring)
    joined = sum(len(link.ends) for link in structure.links)
    assert joined == sum(stream.count or 1 for stream in wiring.streams)
    assert sum(len(stage.processes) for stage in structure.stages) == len(wiring.processes)
    assert [link.name for link in structure.links if link.back] == ["hidden"]


@pytest.mark.parametrize("of_pes", [True, False], ids=["of-each-pe", "single"])
@pytest.mark.parametrize("pes", [1, 4, 8])
def test_what_is_added_turns_up(pes, of_pes, with_cells):
    design = Design(pes=pes)
    picture = array_picture(design, with_cells(design, of_pes)).as_file()
    assert {"states", "gates"} <= set(drawn(picture, "data-stream"))
    assert "cell" in drawn(picture, "data-process")


def test_a_depth_that_nobody_knows_is_an_error():
    design = Design(pes=2)
    wiring = wire(design)
    stream = dataclasses.replace(wiring.streams[0], depth="kOtherDepth")
    with pytest.raises(KeyError, match="kOtherDepth"):
        array_picture(design, Wiring((stream, *wiring.streams[1:]), wiring.processes))


def test_areas_are_to_scale_of_bits():
    design = Design(pes=4, length_bits=5)
    root = ET.fromstring(array_picture(design).as_file("light"))
    bits = {each.name: each.depth * each.width for each in memories_of(design)}
    areas = {
        (group.get("data-memory"), float(square.get("width")) * float(square.get("height")))
        for group in root.iter(f"{SVG}g")
        if group.get("data-memory")
        for square in group.iter(f"{SVG}rect")
    }
    assert len(areas) == len(bits)
    largest = max(area for _, area in areas)
    for name, area in areas:
        # Lengths are written with two digits.
        expected = largest * bits[name] / max(bits.values())
        assert abs(area**0.5 - expected**0.5) < 0.01


@pytest.mark.parametrize("depth", [2, 8, 9, 64, 65, 256])
def test_a_queue_has_a_cell_for_each_place(depth):
    design = Design(pes=1, queue_depth=depth)
    root = ET.fromstring(array_picture(design).as_file("light"))
    (work,) = (each for each in root.iter(f"{SVG}g") if each.get("data-stream") == "work")
    (cells,) = (each for each in work.iter(f"{SVG}path") if each.get("class") == "cells")
    assert cells.get("d").count("M") == depth


def test_shares_of_the_board_are_the_estimates():
    design = Design(pes=16, board="zcu104", memory="uram", entries_per_pe=32768, length_bits=5)
    found, board = estimate(design), BOARDS["zcu104"]
    listed = memory_list(design)
    assert {each.name for each in listed} == {each.name for each in memories_of(design)}
    shares = {
        kind: sum(each.share for each in listed if each.kind == kind) for kind in ("bram", "uram")
    }
    assert shares["bram"] * board.bram36 * 2 == pytest.approx(found.bram18)
    assert shares["uram"] * board.uram == pytest.approx(found.uram)
    assert all(each.share is None for each in memory_list(Design(pes=2)))


def test_fills_are_what_the_packer_says(random_network):
    design = Design(pes=4, length_bits=5)
    packed = pack(random_network(40, 100, 20), design)
    fills = {each.name: each for each in fills_of(packed)}
    entries = sum(len(part.encoded.entries) for part in packed.layers)
    assert sum(fills["sparse matrix"].used) == entries
    assert (fills["accumulators"].used, fills["accumulators"].room) == ((28,), 64)
    assert fills["column pointers"].used == (40 + 104,)
    assert fills["hidden vectors"].used == (7,)
    assert fills["biases"].used == (28 + 8,)
    picture = fill_picture(packed).as_file("light")
    columns = [each for each in ET.fromstring(picture).iter() if each.get("class") == "column"]
    assert len(columns) == 4


def test_a_notebook_shows_the_picture_or_the_page(views):
    alone, example = views["alone"], views["example"]
    assert alone._repr_html_() == alone._repr_svg_() == alone.array.as_file()
    assert example._repr_html_().startswith("<iframe ")
    assert repr(example) == "<View of 4 PEs, layer 0 to play: .save('view.html')>"


def test_views_by_their_front_door(random_network, tmp_path):
    network = random_network(20, 30, 10)
    with eie.convert(network, board="pynq-z2") as acc:
        made = acc.view(layer=1)
    assert made.animation.outputs == 10
    assert eie.view(acc.design).save(tmp_path / "array.svg").read_text().startswith("<svg")
    with pytest.raises(eie.EieError, match="cannot write view"):
        made.save(tmp_path / "none" / "view.html")
