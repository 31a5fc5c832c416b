"""A flowchart in Mermaid's words, drawn as SVG in layers: no script, and nothing from a network.

Sugiyama's way: nodes in layers, edges over several layers led through places of their own, layers
ordered so that few edges cross.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from itertools import pairwise

_HEIGHT, _BETWEEN, _ALONG, _LETTER, _MARGIN = 34, 24, 46, 7.4, 14
_SWEEPS = 24


@dataclass
class _Node:
    text: str
    group: str = ""
    layer: int = 0
    #: Room for the text of an edge that is led through.
    room: float = 0.0
    #: Its middle.
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        """0 for a place that an edge is led through."""
        return len(self.text) * _LETTER + 22 if self.text else self.room


@dataclass
class _Chart:
    """Nodes by name; edges with their texts, each with the nodes that it is led through."""

    nodes: dict[str, _Node] = field(default_factory=dict)
    edges: list[tuple[list[str], str]] = field(default_factory=list)

    def size_across(self, name: str) -> float:
        """Room that a node takes within its layer."""
        return self.nodes[name].width + _BETWEEN


def as_svg(source: str) -> str:
    """Draw the flowcharts that the pages have: nodes, subgraphs, edges with or without a text."""
    chart = _parsed(source)
    backward = _layered(chart)
    _led(chart, backward)
    layers = _ordered(chart)
    width, height = _placed(chart, layers)
    lines = [_edge([chart.nodes[name] for name in path], text) for path, text in chart.edges]
    boxes = [_box(node) for node in chart.nodes.values() if node.text]
    return (
        f'<svg class="flowchart" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" role="img" xmlns="http://www.w3.org/2000/svg">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _parsed(source: str) -> _Chart:
    chart = _Chart()
    group = ""

    def node(text: str) -> str:
        found = re.fullmatch(r"(\w+)\s*(?:\(\[|\[)?\"?(.*?)\"?(?:\]\)|\])?", text.strip())
        if found is None:
            raise SystemExit(f"flowchart.py must be taught what {text!r} is")
        name, label = found[1], found[2]
        made = chart.nodes.setdefault(name, _Node(label or name, group))
        made.text = label or made.text
        made.group = group or made.group
        return name

    for line in map(str.strip, source.splitlines()[1:]):
        if line.startswith("subgraph "):
            group = line.removeprefix("subgraph ")
        elif line == "end":
            group = ""
        elif edge := re.fullmatch(r"(.+?)\s*--\s*\"(.*)\"\s*-->\s*(.+)", line):
            chart.edges.append(([node(edge[1]), node(edge[3])], edge[2]))
        elif edge := re.fullmatch(r"(.+?)\s*-->\s*(.+)", line):
            chart.edges.append(([node(edge[1]), node(edge[2])], ""))
        elif line:
            node(line)
    between: dict[tuple[str, str], list[str]] = {}
    for (begin, end), text in chart.edges:
        between.setdefault((begin, end), []).append(text)
    chart.edges = [([*ends], ", ".join(filter(None, texts))) for ends, texts in between.items()]
    return chart


def _layered(chart: _Chart) -> set[tuple[str, str]]:
    """Give each node the layer behind its last predecessor; returns edges that lead backward."""
    following: dict[str, list[str]] = {name: [] for name in chart.nodes}
    for (begin, end), _ in chart.edges:
        following[begin].append(end)
    backward: set[tuple[str, str]] = set()
    done: list[str] = []

    def visit(name: str, path: frozenset[str]) -> None:
        for after in following[name]:
            if after in path:
                backward.add((name, after))
            elif after not in done:
                visit(after, path | {after})
        done.append(name)

    ends = {end for (_, end), _ in chart.edges}
    for name in [*(n for n in chart.nodes if n not in ends), *chart.nodes]:
        if name not in done:
            visit(name, frozenset({name}))
    for name in reversed(done):
        for after in following[name]:
            if (name, after) not in backward:
                least = chart.nodes[name].layer + 1
                chart.nodes[after].layer = max(chart.nodes[after].layer, least)
    return backward


def _led(chart: _Chart, backward: set[tuple[str, str]]) -> None:
    """Lead each edge over several layers through a place in each of them."""
    for number, (path, text) in enumerate(chart.edges):
        begin, end = path
        first, last = chart.nodes[begin].layer, chart.nodes[end].layer
        step = -1 if (begin, end) in backward else 1
        through = []
        for layer in range(first + step, last, step):
            through.append(f"{number}.{layer}")
            chart.nodes[through[-1]] = _Node("", layer=layer)
        if through:
            chart.nodes[through[len(through) // 2]].room = len(text) * _LETTER * 0.8
        chart.edges[number] = ([begin, *through, end], text)


def _ordered(chart: _Chart) -> list[list[str]]:
    """Order each layer by where its neighbours stand, so that few edges cross."""
    count = 1 + max(node.layer for node in chart.nodes.values())
    layers = [[n for n, node in chart.nodes.items() if node.layer == one] for one in range(count)]
    beside: dict[str, list[str]] = {name: [] for name in chart.nodes}
    for path, _ in chart.edges:
        for begin, end in pairwise(path):
            if begin != end:
                beside[begin].append(end)
                beside[end].append(begin)
    at: dict[str, float] = {}

    def set_out(layer: list[str]) -> None:
        x = -sum(map(chart.size_across, layer)) / 2
        for name in layer:
            at[name] = x + chart.size_across(name) / 2
            x += chart.size_across(name)

    for layer in layers:
        set_out(layer)
    for sweep in range(_SWEEPS):
        for number in range(count) if sweep % 2 == 0 else reversed(range(count)):
            aside = number - 1 if sweep % 2 == 0 else number + 1
            middle = {}
            for name in layers[number]:
                near = [at[n] for n in beside[name] if chart.nodes[n].layer == aside]
                middle[name] = sum(near) / len(near) if near else at[name]
            layers[number].sort(key=lambda name: (middle[name], name))
            set_out(layers[number])
    for name, place in at.items():
        chart.nodes[name].x = place
    return layers


def _placed(chart: _Chart, layers: list[list[str]]) -> tuple[float, float]:
    """Give each node its place; returns width and height of the drawing."""
    middle = max(sum(map(chart.size_across, layer)) for layer in layers) / 2 + _MARGIN
    for number, layer in enumerate(layers):
        for name in layer:
            chart.nodes[name].x += middle
            chart.nodes[name].y = _MARGIN + _HEIGHT / 2 + number * (_HEIGHT + _ALONG)
    loops = any(path[0] == path[-1] for path, _ in chart.edges)
    return 2 * middle + 60 * loops, len(layers) * (_HEIGHT + _ALONG) - _ALONG + 2 * _MARGIN


def _box(node: _Node) -> str:
    kind = f" {html.escape(node.group)}" if node.group else ""
    return (
        f'<rect class="node{kind}" x="{node.x - node.width / 2:.1f}" '
        f'y="{node.y - _HEIGHT / 2:.1f}" width="{node.width:.1f}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{node.x:.1f}" y="{node.y + 4:.1f}">{html.escape(node.text)}</text>'
    )


def _edge(nodes: list[_Node], text: str) -> str:
    half = _HEIGHT / 2
    first, last = nodes[0], nodes[-1]
    if first is last:
        x, y = first.x + first.width / 2, first.y
        out = x + 34
        d = f"M{x:.1f} {y - 8:.1f}C{out:.1f} {y - 22:.1f} {out:.1f} {y + 22:.1f} "
        d += f"{x:.1f} {y + 8:.1f}"
        return _line(d, text, x + 56, y + 4, back=True)
    back = last.layer < first.layer
    side = -half if back else half
    points = [
        (first.x, first.y + side),
        *((n.x, n.y) for n in nodes[1:-1]),
        (last.x, last.y - side),
    ]
    d = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        d += f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
    if len(nodes) > 2:
        middle = nodes[1:-1][(len(nodes) - 2) // 2]
        return _line(d, text, middle.x, middle.y + 4, back=back)
    return _line(d, text, (first.x + last.x) / 2, (first.y + last.y) / 2 + 4, back=back)


def _line(d: str, text: str, x: float, y: float, *, back: bool) -> str:
    label = f'<text class="label" x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'
    kind = "edge back" if back else "edge"
    return f'<path class="{kind}" d="{d}" marker-end="url(#tip)"/>{label if text else ""}'
