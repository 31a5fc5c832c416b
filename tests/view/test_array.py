"""The picture of an array has what the wiring has: nothing is left out, whatever is added."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest

from eie.hls.model.area.memories import memories_of
from eie.hls.spec.dataflow import Process, Stream, Wiring, wire
from eie.hls.spec.design import Design
from eie.host.view.array_picture import array_picture
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


def with_cells(design: Design, *, of_pes: bool) -> Wiring:
    """A wiring with a process between results and what takes them, and a way back from it."""
    wiring = wire(design)
    pes = design.pes
    old, new = ("results", "states") if of_pes else ("words", "states")
    count = pes if of_pes else 1
    element = next(stream.element for stream in wiring.streams if stream.name == old)
    added = [
        Stream(new, element, "kStreamDepth", count, "states of cells"),
        Stream("gates", "Answer", "kStreamDepth", None, "of the next step"),
    ]

    def moved(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.replace(f"{old}[", f"{new}[") for name in names)

    processes = []
    for process in wiring.processes:
        reads = process.reads
        if not process.function.startswith("multiply_accumulate"):
            reads = moved(reads)
        if process.function == "control_activations":
            reads = (*reads, "gates")
        processes.append(dataclasses.replace(process, reads=reads))
    for number in range(count):
        writes = (f"{new}[{number}]", *(["gates"] if number == 0 else []))
        function = f"cell<{number}>" if of_pes else "cell"
        processes.append(Process(function, (f"{old}[{number}]",), writes, ()))
    return Wiring((*wiring.streams, *added), tuple(processes))


@pytest.mark.parametrize("of_pes", [True, False], ids=["of-each-pe", "single"])
@pytest.mark.parametrize("pes", [1, 4, 8])
def test_what_is_added_turns_up(pes, of_pes):
    design = Design(pes=pes)
    picture = array_picture(design, with_cells(design, of_pes=of_pes)).as_file()
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
