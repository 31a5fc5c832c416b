"""The array of a design as a picture: every process and stream of its kernel, and its memories.

Packets come in from above on the left and leave above on the right; what is single stands in
these two columns. Below, between them, are the PEs, a row each, with the tree to them on their left
and the one from them on their right. Where things are follows from the structure of the wiring
alone; nothing is placed by its name.
"""

from __future__ import annotations

import math

from eie.hls.boundary.text import counted
from eie.hls.model.area.memories import Memory
from eie.hls.spec.dataflow import Wiring, wire
from eie.hls.spec.design import NO_BOARD, Design, target_board
from eie.host.view.array_parts import LARGEST, Box, PeRow, block_cells, block_size, memory_side
from eie.host.view.array_places import place
from eie.host.view.structure import Link, Stage, Structure, structure_of
from eie.host.view.svg import Drawing, text_width
from eie.host.view.words import PROCESS_TEXTS, bits_text, kind_text, short_name

__all__ = ["array_picture"]

#: Side of a queue's cell by how deep the deepest queue is.
_CELLS = ((64, 6.0), (256, 4.0), (1 << 20, 2.0))


def array_picture(design: Design, wiring: Wiring | None = None) -> Drawing:
    """Draw the array of a design.

    Parameters
    ----------
    design
        The design.
    wiring
        Its processes and streams, if they are not those of
        :func:`~eie.hls.spec.dataflow.wire`.
    """
    structure = structure_of(design, wiring or wire(design))
    return _Array(design, structure).drawing


class _Array:
    """The picture while it is drawn."""

    def __init__(self, design: Design, structure: Structure) -> None:
        self._design, self._structure = design, structure
        drawn = [link.depth for link in structure.links if link.memory is None]
        self._cell = next(size for most, size in _CELLS if max(drawn) <= most)
        held = [memory for stage in structure.stages for memory in stage.memories]
        held += [link.memory for link in structure.links if link.memory is not None]
        self._largest = max(memory.depth * memory.width for memory in held)
        places = self._places = place(design, structure, self._largest, self._cell)
        self.drawing = Drawing(
            places.width, places.height, _title(design), _text(design, structure)
        )
        self._host()
        self._key()
        for row in places.rows:
            self._pe_frame(row)
        for link in structure.links:
            self._link(link)
        for number, stage in enumerate(structure.stages):
            self._stage(number, stage)
        self._notes()

    # The surroundings ----------------------------------------------------------------------

    def _host(self) -> None:
        places, draw = self._places, self.drawing
        draw.text(16, 24, _title(self._design), "head")
        left, right = places.ports
        top, bottom = 40.0, 76.0
        draw.rect(16, top, places.width - 32, bottom - top, "around", rx=6)
        draw.text(
            places.width / 2, 63, "processing system: program, memory, AXI DMA", "middle soft"
        )
        for x, name, down in ((left, "packets_in", True), (right, "packets_out", False)):
            ends = [(x, bottom), (x, places.first_row)]
            with draw.group("stream", data_stream=name):
                draw.path(ends if down else ends[::-1], "wire arrow")
                side = "small" if down else "small end"
                draw.text(x + (8 if down else -8), bottom + 18, f"{name}: AXI4-Stream", side)
                draw.text(x + (8 if down else -8), bottom + 32, "64 bit", f"{side} soft")

    def _key(self) -> None:
        """What squares and cells stand for, in the middle under the host."""
        draw, x, y = self.drawing, self._places.middle, 104.0
        kibibits = self._largest / 1024
        side = LARGEST
        # A round number of bits whose square is not too small.
        unit = next(
            (each for each in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) if each * 16 >= kibibits),
            1024,
        )
        size = side * math.sqrt(unit / kibibits)
        kinds = sorted(
            {m.kind for stage in self._structure.stages for m in stage.memories} | {"lutram"},
        )
        x -= 250
        draw.rect(x, y - size, size, size, "spare")
        draw.text(x + size + 6, y - 2, f"= {unit} Kib", "small soft")
        x += size + 72
        for kind in kinds:
            draw.rect(x, y - 10, 10, 10, kind)
            draw.text(x + 15, y - 1, kind_text(kind), "small soft")
            x += 98
        self._block(x, y - 8, 2)
        draw.text(x + 2 * self._cell + 6, y - 1, "one place of a queue each", "small soft")

    # Streams -------------------------------------------------------------------------------

    def _link(self, link: Link) -> None:
        route = self._places.routes[link.name, link.source, link.target]
        kind = "wire arrow back" if link.back else "wire arrow"
        with self.drawing.group("stream", data_stream=link.name):
            self.drawing.tip(
                f"{link.name}: {link.text}; {counted(len(link.ends), 'stream')} of {link.depth} x "
                f"{link.bits} bit"
            )
            for points in route.dashed:
                self.drawing.path(points, "wire dashed")
            for points in route.lines:
                self.drawing.path(points, kind)
            for number, (x, y) in enumerate(route.blocks):
                if link.memory is not None:
                    self._memory(x, y - 12, link.memory)
                else:
                    width, height = block_size(link.depth, self._cell)
                    self._block(x - width / 2, y - height / 2, link.depth)
                if number == 0 and route.label is not None:
                    self._label(link, route.label, route.anchor)

    def _label(self, link: Link, at: tuple[float, float], anchor: str) -> None:
        x, y = at
        size = f"{link.depth} x {link.bits} bit"
        if anchor == "level":
            self.drawing.text(x, y, link.name, "small")
            self.drawing.text(x + text_width(link.name, 11.5) + 9, y, size, "small soft")
            return
        kind = f"tiny {anchor}" if anchor else "small"
        self.drawing.text(x, y, link.name, kind)
        self.drawing.text(x, y + 13, size, f"{kind} soft")

    def _block(self, x: float, y: float, depth: int) -> None:
        """The places of a queue, a cell each."""
        cell = self._cell
        width, height = block_size(depth, cell)
        self.drawing.rect(x - 1, y - 1, width + 2, height + 2, "ground")
        inside = cell - (1 if cell > 2 else 0.5)
        cells = "".join(
            f"M{x + column * cell:g} {y + row * cell:g}h{inside:g}v{inside:g}h-{inside:g}z"
            for row, column in block_cells(depth)
        )
        self.drawing.add("path", class_="cells", d=cells)

    # Processes -----------------------------------------------------------------------------

    def _pe_frame(self, row: PeRow) -> None:
        left, right = self._places.pe_span
        self.drawing.rect(left, row.y - row.height / 2, right - left, row.height, "pe-frame", rx=8)
        self.drawing.text(left + 8, row.y - row.height / 2 + 15, f"PE {row.pe}", "small strong")

    def _stage(self, number: int, stage: Stage) -> None:
        for box in self._places.boxes[number]:
            with self.drawing.group("process-box", data_process=stage.name):
                x, y, width, height = box.x, box.y, box.width, box.height
                self.drawing.rect(x, y, width, height, "process", rx=5)
                if box.is_node:
                    self.drawing.tip(stage.processes[box.instance].function)
                    of = stage.processes[box.instance]
                    ways = max(len(of.reads), len(of.writes))
                    self.drawing.text(x + width / 2, y + height / 2 + 4, f"{ways}", "small middle")
                elif stage.in_array:
                    self.drawing.text(x + width / 2, y + 14, stage.name, "tiny middle")
                    self._memories(stage, box.x, y + height, width, labelled=box.first)
                else:
                    self.drawing.text(x + 10, y + 17, stage.name, "small strong")
                    if stage.name in PROCESS_TEXTS:
                        self.drawing.text(x + 10, y + 31, PROCESS_TEXTS[stage.name], "tiny")
                    self._small_memories(stage, box)

    def _memories(
        self, stage: Stage, left: float, bottom: float, width: float, *, labelled: bool
    ) -> None:
        """The memories of a process of a PE, side by side, with names under the first PE's."""
        pieces = [(memory, memory.count // len(stage.processes)) for memory in stage.memories]
        sizes = [copies * (self._side(memory) + 2) - 2 for memory, copies in pieces]
        # Names are wider than small squares, so each has a place as wide as its name.
        places = [
            max(size, text_width(short_name(memory), 10) + 2)
            for size, (memory, _) in zip(sizes, pieces, strict=True)
        ]
        gap = (width - sum(places)) / (len(pieces) + 1)
        x = left + gap
        for (memory, copies), size, taken in zip(pieces, sizes, places, strict=True):
            at = x + (taken - size) / 2
            for _ in range(copies):
                self._memory(at, bottom - 18 - self._side(memory), memory)
                at += self._side(memory) + 2
            if labelled:
                self.drawing.text(x + taken / 2, bottom - 5, short_name(memory), "tiny middle soft")
            x += taken + gap

    def _small_memories(self, stage: Stage, box: Box) -> None:
        """The memories of a single process, right in its box, and their names if they fit."""
        right = box.x + box.width - 8
        for memory in stage.memories[::-1]:
            right -= self._side(memory)
            self._memory(right, box.y + box.height - 6 - self._side(memory), memory)
            right -= 4
        names = [short_name(memory) for memory in stage.memories]
        bits = [bits_text(memory.depth * memory.width) for memory in stage.memories]
        both = [f"{name} {size}" for name, size in zip(names, bits, strict=True)]
        room = right - box.x - 16
        for text in (", ".join(both), ", ".join(names)):
            if text and text_width(text, 10) <= room:
                self.drawing.text(box.x + 10, box.y + 46, text, "tiny soft")
                return

    def _side(self, memory: Memory) -> float:
        """Side of the square of a memory: its area is to scale of the bits of one copy."""
        return memory_side(memory, self._largest)

    def _memory(self, x: float, y: float, memory: Memory) -> None:
        side = self._side(memory)
        with self.drawing.group("memory", data_memory=memory.name):
            self.drawing.tip(
                f"{memory.name}: {memory.depth:,} x {memory.width} bit, {kind_text(memory.kind)}"
            )
            self.drawing.rect(x, y, side, side, memory.kind)

    def _notes(self) -> None:
        """What is said below: how many PEs are left out, and what the trees are made of."""
        draw, places = self.drawing, self._places
        if places.ellipsis is not None:
            left, right = places.pe_span
            hidden = self._design.pes - len(places.rows)
            text = f"⋮  {counted(hidden, 'more PE')}"
            draw.text((left + right) / 2, places.ellipsis + 4, text, "middle soft")
        for x, lines, anchor in places.notes:
            for number, line in enumerate(lines):
                kind = "small" if number == 0 else "small soft"
                draw.text(x, places.notes_from + 15 * number, line, f"{kind}{anchor}")


def _title(design: Design) -> str:
    if design.board == NO_BOARD:
        return f"{counted(design.pes, 'PE')}, for no board yet"
    board = target_board(design).title
    return f"{counted(design.pes, 'PE')} for {board}, {design.clock_mhz} MHz"


def _text(design: Design, structure: Structure) -> str:
    names = ", ".join(dict.fromkeys(stage.name for stage in structure.stages))
    return (
        f"Packets pass the processes {names} on their way through {counted(design.pes, 'PE')}. "
        "Every stream is drawn with as many cells as it has places, every memory as a square whose "
        "area is to scale of its bits."
    )
