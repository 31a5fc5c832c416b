"""Where the parts of an array's picture are: found from the structure, whatever it has.

Stages that are single stand in two columns, those in front of the PEs on the left and those behind
them on the right, and what is in the array between them. Of many PEs a few are drawn, and of the
trees the nodes that serve these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from eie.hls.model.area.memories import Memory
from eie.hls.spec.design import Design
from eie.host.view.array_parts import TOP, Box, PeRow, Places, Point, Route, block_size, memory_side
from eie.host.view.structure import Link, Stage, Structure
from eie.host.view.svg import text_width
from eie.host.view.words import short_name

__all__ = ["place"]

#: PEs drawn in front of the ellipsis, if not all of them are.
_FIRST_PES = 3
_MARGIN, _COLUMN = 16.0, 214.0
_PITCH, _HEIGHT = 106.0, 54.0
_FRAME, _FRAME_GAP, _ELLIPSIS = 108.0, 8.0, 34.0
_NODE, _NODE_GAP = 24.0, 46.0
_STAGE_HEIGHT = 76.0
_QUEUE_GAP, _RESULT_GAP = 80.0, 70.0


def place(design: Design, structure: Structure, largest: int, cell: float) -> Places:
    """Find where the parts of a structure are.

    Parameters
    ----------
    design, structure
        What is drawn.
    largest
        Bits of the largest memory.
    cell
        Side of a queue's cell.
    """
    return _Placing(design, structure, largest, cell).places


class _Placing:
    """Places while they are found."""

    def __init__(self, design: Design, structure: Structure, largest: int, cell: float) -> None:
        self._stages, self._links = structure.stages, structure.links
        self._largest, self._cell = largest, cell
        self._array = [number for number, each in enumerate(self._stages) if each.in_array]
        inside = min(self._stages[number].rank for number in self._array)
        single = [number for number, each in enumerate(self._stages) if not each.in_array]
        self._left = [number for number in single if self._stages[number].rank < inside]
        self._right = [number for number in single if number not in self._left][::-1]
        self._levels = max(len(self._left), len(self._right)) - 1
        self._pes = design.pes
        self._lane = 0
        columns, end = self._columns()
        # A box beside the root of the gather tree has a stream with a name in front of it.
        gap = 110 if len(self._right) > self._levels else 40
        self.places = Places(width=end + gap + _COLUMN + _MARGIN)
        self._rows()
        self._array_boxes(columns)
        self._column_boxes()
        self._all_routes()
        self._notes()

    # Boxes ---------------------------------------------------------------------------------

    def _columns(self) -> tuple[dict[int, tuple[float, float]], float]:
        """Left edge and width of each stage of the array."""
        found = {}
        x = _MARGIN + _COLUMN + 96 - _NODE_GAP
        of_pe = [number for number in self._array if not self._stages[number].is_tree]
        for number in self._array:
            stage = self._stages[number]
            if stage.is_tree:
                width = _NODE
                x += _NODE_GAP
            else:
                width = self._stage_width(stage)
                # Behind the last node comes the frame of the PE, and then the queue.
                x += _QUEUE_GAP + (26 if number == of_pe[0] else 0)
            found[number] = (x, width)
            x += width + (_RESULT_GAP if number == of_pe[-1] else 0)
        first, last = found[of_pe[0]], found[of_pe[-1]]
        self._span = (first[0] - _QUEUE_GAP, last[0] + last[1] + _RESULT_GAP)
        return found, x

    def _stage_width(self, stage: Stage) -> float:
        names = sum(self._piece_width(stage, memory) + 7 for memory in stage.memories) + 7
        return max(names, text_width(stage.name, 10) + 12)

    def _piece_width(self, stage: Stage, memory: Memory) -> float:
        copies = memory.count // len(stage.processes)
        squares = copies * (memory_side(memory, self._largest) + 2) - 2
        return max(squares, text_width(short_name(memory), 10) + 2)

    def _rows(self) -> None:
        places, pes = self.places, self._pes
        shown = list(range(pes)) if pes <= _FIRST_PES + 1 else [*range(_FIRST_PES), pes - 1]
        y = TOP + self._levels * _PITCH + _FRAME / 2
        for pe in shown:
            if pe > len(places.rows):
                places.ellipsis = y - _FRAME / 2 + _ELLIPSIS / 2 - _FRAME_GAP / 2
                y += _ELLIPSIS
            places.rows.append(PeRow(pe, y, _FRAME))
            y += _FRAME + _FRAME_GAP
        places.height = y - _FRAME / 2 + 50
        places.pe_span = self._span
        places.ports = (_MARGIN + 26, places.width - _MARGIN - 26)
        places.middle = places.width / 2

    def _array_boxes(self, columns: dict[int, tuple[float, float]]) -> None:
        """From the PEs outwards: a node is where the middle of what it serves is."""
        level: dict[tuple[int, int], float] = {}
        of_pe = [n for n in self._array if not self._stages[n].is_tree]
        for number in of_pe:
            for row in self.places.rows:
                level[number, min(row.pe, len(self._stages[number].processes) - 1)] = row.y + 7
        before = [n for n in self._array if n < of_pe[0]]
        behind = [n for n in self._array if n > of_pe[-1]]
        for number in [*before[::-1], *behind]:
            served: dict[int, list[float]] = defaultdict(list)
            for link in self._links:
                for source, target in link.ends:
                    mine, other = (
                        ((link.source, source), (link.target, target))
                        if number in before
                        else ((link.target, target), (link.source, source))
                    )
                    if mine[0] == number and other in level:
                        served[mine[1]].append(level[other])
            for instance, heights in served.items():
                level[number, instance] = sum(heights) / len(heights)
        for number in self._array:
            x, width = columns[number]
            is_node = self._stages[number].is_tree
            height = _NODE if is_node else _STAGE_HEIGHT
            instances = sorted(instance for stage, instance in level if stage == number)
            self.places.boxes[number] = [
                Box(x, level[number, each] - height / 2, width, height, each, is_node, each == 0)
                for each in instances
            ]

    def _column_boxes(self) -> None:
        places = self.places
        inner = self._array[0], self._array[-1]
        for column, x, root in (
            (self._left, _MARGIN, inner[0]),
            (self._right, places.width - _MARGIN - _COLUMN, inner[1]),
        ):
            for place_in, number in enumerate(column):
                in_band = place_in == len(column) - 1 and (
                    place_in >= self._levels or column is self._left
                )
                y = (
                    places.boxes[root][0].middle - _HEIGHT / 2
                    if in_band
                    else TOP + place_in * _PITCH
                )
                places.boxes[number] = [Box(x, y, _COLUMN, _HEIGHT, 0)]

    # Streams -------------------------------------------------------------------------------

    def _all_routes(self) -> None:
        between: dict[tuple[int, int], list[Link]] = defaultdict(list)
        across: dict[float, list[Link]] = defaultdict(list)
        for link in self._links:
            ends = {link.source, link.target}
            if ends <= set(self._left) or ends <= set(self._right):
                between[min(ends), max(ends)].append(link)
            elif ends & set(self._left) and ends & set(self._right):
                (start,) = ends & set(self._left)
                across[self.places.boxes[start][0].y].append(link)
            else:
                self.places.routes[link.name, link.source, link.target] = self._array_route(link)
        for links in between.values():
            self._upright(links)
        for links in across.values():
            self._across(links)

    def _upright(self, links: list[Link]) -> None:
        """Links between two boxes of a column, side by side with their names."""
        one, other = (self.places.boxes[number][0] for number in (links[0].source, links[0].target))
        upper, lower = sorted((one, other), key=lambda box: box.y)
        x, middle = upper.x + 12, (upper.y + upper.height + lower.y) / 2
        for link in links:
            width, _ = block_size(link.depth, self._cell)
            x += max(width / 2, 6)
            down = self.places.boxes[link.source][0] is upper
            ends = [(x, upper.y + upper.height), (x, lower.y)]
            label = (x + width / 2 + 7, middle - 2)
            self.places.routes[link.name, link.source, link.target] = Route(
                [ends if down else ends[::-1]], [], [(x, middle)], label
            )
            x = label[0] + self._label_width(link) + 12

    def _across(self, links: list[Link]) -> None:
        """Links between the columns, one above the other."""
        # The one with a square is the lowest: it hangs down.
        for number, link in enumerate(sorted(links, key=lambda link: link.memory is not None)):
            source, target = (self.places.boxes[each][0] for each in (link.source, link.target))
            left, right = sorted((source, target), key=lambda box: box.x)
            share = (number + 1) / (len(links) + 1)
            offset = 10 + (_HEIGHT - 20) * (number / (len(links) - 1) if len(links) > 1 else 0.5)
            start, end = left.x + left.width, right.x
            x = start + (end - start) * share
            line = [(start, left.y + offset), (end, right.y + offset)]
            if left.y != right.y:
                # Up or down beside the column on the right, where no PE is in the way.
                bend = end - 14 - 8 * number
                low = right.y + 10
                line = [line[0], (bend, line[0][1]), (bend, low), (end, low)]
            width, _ = block_size(link.depth, self._cell)
            if link.memory is not None:
                width = memory_side(link.memory, self._largest) * 2
            self.places.routes[link.name, link.source, link.target] = Route(
                [line if source is left else line[::-1]],
                [],
                [(x, line[0][1])],
                (x + width / 2 + 8, line[0][1] - 6),
                "level",
            )

    def _array_route(self, link: Link) -> Route:
        route = Route()
        sources = {box.instance: box for box in self.places.boxes[link.source]}
        targets = {box.instance: box for box in self.places.boxes[link.target]}
        counts = len(self._stages[link.source].processes), len(self._stages[link.target].processes)
        fans_out = counts[1] > counts[0] or (counts == (1, 1) and self._stages[link.source].is_tree)
        left_out: set[int] = set()
        for source, target in link.ends:
            one, other = sources.get(source), targets.get(target)
            if one is None or other is None:
                if (one if fans_out else other) is not None:
                    left_out.add(source if fans_out else target)
                continue
            if other.x < one.x + one.width and link.target not in self._right:
                self._around(link, route, one, other)
                return route
            route.lines.append(
                self._bent(one, other, fans_out=fans_out, upwards=self._upwards(link, other))
            )
            route.blocks.append(self._block_place(link, one, other))
        if self.places.ellipsis is not None:
            for each in left_out:
                box = sources[each] if fans_out else targets[each]
                x = box.x + box.width + 10 if fans_out else box.x - 10
                route.dashed.append([(x, box.middle), (x, self.places.ellipsis)])
        route.label, route.anchor = self._array_label(link, route)
        return route

    def _bent(self, one: Box, other: Box, *, fans_out: bool, upwards: bool) -> list[Point]:
        start, end = (one.x + one.width, one.middle), (other.x, other.middle)
        if upwards:
            x = other.x + 26
            return [start, (x, one.middle), (x, other.y + other.height)]
        if abs(start[1] - end[1]) < 0.5:
            return [start, (end[0], start[1])]
        x = start[0] + 10 if fans_out else end[0] - 14
        return [start, (x, start[1]), (x, end[1]), end]

    def _upwards(self, link: Link, target: Box) -> bool:
        """Whether a link out of the array goes up into the column on the right."""
        return link.target in self._right and target.y + target.height < self.places.rows[0].y

    def _around(self, link: Link, route: Route, one: Box, other: Box) -> None:
        """A way back, below the array and up beside the column in front of it."""
        self._lane += 1
        y = self.places.rows[-1].y + _FRAME / 2 + 20 * self._lane
        x = max(_MARGIN + _COLUMN, other.x + other.width) + 2 + 8 * self._lane
        right = one.x + one.width
        low = other.y + other.height - 8
        route.lines.append(
            [
                (right, one.middle + 16), (right + 10, one.middle + 16), (right + 10, y), (x, y),
                (x, low), (other.x + other.width, low),
            ]
        )  # fmt: skip
        width, _ = block_size(link.depth, self._cell)
        route.blocks.append((self.places.pe_span[0], y))
        route.label, route.anchor = (self.places.pe_span[0] + width / 2 + 8, y - 5), "level"

    def _block_place(self, link: Link, one: Box, other: Box) -> Point:
        """In front of what reads, but of results, which wait behind the PE."""
        width, _ = block_size(link.depth, self._cell)
        if self._upwards(link, other):
            return (other.x + 26, other.y + other.height + 34)
        if one.is_node and other.is_node:
            fans_out = len(self._stages[link.target].processes) >= len(
                self._stages[link.source].processes
            )
            return (
                (other.x - 12 - width / 2, other.middle)
                if fans_out
                else (one.x + one.width + 6 + width / 2, one.middle)
            )
        if other.is_node and not one.is_node and link.source in self._array:
            return (one.x + one.width + _RESULT_GAP / 2, one.middle)
        if not other.is_node and link.target in self._array:
            return (other.x - _QUEUE_GAP / 2, other.middle)
        return ((one.x + one.width + other.x) / 2, other.middle)

    def _array_label(self, link: Link, route: Route) -> tuple[Point | None, str]:
        stages = self._stages[link.source], self._stages[link.target]
        if all(stage.is_tree for stage in stages) or not route.blocks:
            return None, ""
        x, y = route.blocks[0]
        if link.target in self._right and len(route.lines[0]) == 3:
            return (x + block_size(link.depth, self._cell)[0] / 2 + 7, y - 2), ""
        _, height = block_size(link.depth, self._cell)
        return (x, y - height / 2 - 19), "middle"

    def _label_width(self, link: Link) -> float:
        return max(text_width(link.name, 11.5), text_width(f"{link.depth} x {link.bits} bit", 11.5))

    def _notes(self) -> None:
        """What the trees are made of, as there is no room for it among their nodes."""
        of_pe = [n for n in self._array if not self._stages[n].is_tree]
        for numbers, x, anchor in (
            ([n for n in self._array if n < of_pe[0]], _MARGIN, ""),
            ([n for n in self._array if n > of_pe[-1]], self.places.width - _MARGIN, " end"),
        ):
            names = dict.fromkeys(self._stages[number].name for number in numbers)
            by_name = {
                name: [
                    len(self._stages[n].processes) for n in numbers if self._stages[n].name == name
                ]
                for name in names
            }
            counts = [f"{name}: {_sum(nodes)}" for name, nodes in by_name.items()]
            inner = [
                f"{link.name} {len(link.ends)} x {link.depth} x {link.bits} bit"
                for link in self._links
                if {link.source, link.target} <= set(numbers)
            ]
            lines = [f"{', '.join(counts)}"] if counts else []
            lines += inner
            self.places.notes.append((x, lines, anchor))
            below = self.places.rows[-1].y + _FRAME / 2 + 24 + 20 * self._lane
            self.places.notes_from = below
            self.places.height = max(self.places.height, below + 15 * len(lines))


def _sum(counts: Iterable[int]) -> str:
    """Nodes level by level: "1 + 4 + 16 nodes"."""
    each = list(counts)
    return f"{' + '.join(map(str, each))} {'node' if each == [1] else 'nodes'}"
