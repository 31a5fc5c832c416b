"""A flowchart in Mermaid's words, drawn as SVG in layers: no script, and nothing from a network."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

_HEIGHT, _GAP_ACROSS, _GAP_ALONG, _LETTER, _MARGIN = 34, 26, 46, 7.4, 14
_SWEEPS = 12


@dataclass
class _Node:
    text: str
    group: str = ""
    layer: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return len(self.text) * _LETTER + 22


@dataclass
class _Chart:
    """Nodes by name, and edges with their texts."""

    down: bool = True
    nodes: dict[str, _Node] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)


def as_svg(source: str) -> str:
    """Draw the flowcharts that the pages have: nodes, subgraphs, edges with or without a text."""
    chart = _parsed(source)
    backward = _layered(chart)
    _ordered(chart)
    width, height = _placed(chart)
    parts = [_box(node) for node in chart.nodes.values()]
    lines = [_edge(chart, *edge, back=edge[:2] in backward) for edge in chart.edges]
    return (
        f'<svg class="flowchart" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width: {width:.0f}px" role="img" xmlns="http://www.w3.org/2000/svg">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{''.join(lines)}{''.join(parts)}</svg>"
    )


def _parsed(source: str) -> _Chart:
    chart = _Chart(down="LR" not in source.split("\n", 1)[0])
    group = ""

    def node(text: str) -> str:
        found = re.fullmatch(r"(\w+)\s*(?:\(\[|\[)?\"?(.*?)\"?(?:\]\)|\])?", text.strip())
        assert found is not None, text
        name, label = found[1], found[2]
        made = chart.nodes.setdefault(name, _Node(label or name, group))
        if label:
            made.text = label
        if group:
            made.group = group
        return name

    for line in map(str.strip, source.splitlines()[1:]):
        if line.startswith("subgraph "):
            group = line.removeprefix("subgraph ")
        elif line == "end":
            group = ""
        elif edge := re.fullmatch(r"(.+?)\s*--\s*\"(.*)\"\s*-->\s*(.+)", line):
            chart.edges.append((node(edge[1]), node(edge[3]), edge[2]))
        elif edge := re.fullmatch(r"(.+?)\s*-->\s*(.+)", line):
            chart.edges.append((node(edge[1]), node(edge[2]), ""))
        elif line:
            node(line)
    return chart


def _layered(chart: _Chart) -> set[tuple[str, str]]:
    """Give each node the layer behind its last predecessor; returns edges that lead backward."""
    following: dict[str, list[str]] = {name: [] for name in chart.nodes}
    for begin, end, _ in chart.edges:
        following[begin].append(end)
    backward: set[tuple[str, str]] = set()
    done: list[str] = []
    seen: set[str] = set()

    def visit(name: str, path: frozenset[str]) -> None:
        if name in seen:
            return
        seen.add(name)
        for after in following[name]:
            if after == name or after in path:
                backward.add((name, after))
            else:
                visit(after, path | {after})
        done.append(name)

    ends = {end for _, end, _ in chart.edges}
    for name in [*(n for n in chart.nodes if n not in ends), *chart.nodes]:
        visit(name, frozenset({name}))
    for name in reversed(done):
        for after in following[name]:
            if (name, after) not in backward:
                chart.nodes[after].layer = max(chart.nodes[after].layer, chart.nodes[name].layer + 1)
    return backward


def _layers(chart: _Chart) -> list[list[str]]:
    count = 1 + max(node.layer for node in chart.nodes.values())
    return [[n for n, node in chart.nodes.items() if node.layer == one] for one in range(count)]


def _ordered(chart: _Chart) -> None:
    """Order each layer by where its neighbours stand, so that few edges cross (Sugiyama)."""
    layers = _layers(chart)
    beside: dict[str, list[str]] = {name: [] for name in chart.nodes}
    for begin, end, _ in chart.edges:
        beside[begin].append(end)
        beside[end].append(begin)
    at = {name: float(number) for layer in layers for number, name in enumerate(layer)}
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            middle = {
                name: sum(at[other] for other in beside[name]) / len(beside[name])
                if beside[name]
                else at[name]
                for name in layer
            }
            layer.sort(key=lambda name: (middle[name], name))
            for number, name in enumerate(layer):
                at[name] = number - (len(layer) - 1) / 2
    order = [name for layer in layers for name in layer]
    chart.nodes = {name: chart.nodes[name] for name in order}


def _placed(chart: _Chart) -> tuple[float, float]:
    """Give each node its place; returns width and height of the drawing."""
    layers = _layers(chart)
    if chart.down:
        rows = [sum(chart.nodes[n].width + _GAP_ACROSS for n in layer) - _GAP_ACROSS for layer in layers]
        width = max(rows)
        for number, (layer, row) in enumerate(zip(layers, rows, strict=True)):
            x = (width - row) / 2
            for name in layer:
                node = chart.nodes[name]
                node.x, node.y = _MARGIN + x, _MARGIN + number * (_HEIGHT + _GAP_ALONG)
                x += node.width + _GAP_ACROSS
        return width + 2 * _MARGIN, len(layers) * (_HEIGHT + _GAP_ALONG) - _GAP_ALONG + 2 * _MARGIN
    most = max(len(layer) for layer in layers)
    height, x = most * (_HEIGHT + _GAP_ACROSS) - _GAP_ACROSS, float(_MARGIN)
    for layer in layers:
        column = len(layer) * (_HEIGHT + _GAP_ACROSS) - _GAP_ACROSS
        for number, name in enumerate(layer):
            node = chart.nodes[name]
            node.x = x
            node.y = _MARGIN + (height - column) / 2 + number * (_HEIGHT + _GAP_ACROSS)
        x += max(chart.nodes[name].width for name in layer) + 90
    return x - 90 + _MARGIN, height + 2 * _MARGIN + 40


def _box(node: _Node) -> str:
    kind = f" {html.escape(node.group)}" if node.group else ""
    return (
        f'<rect class="node{kind}" x="{node.x:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" '
        f'height="{_HEIGHT}" rx="5"/><text x="{node.x + node.width / 2:.1f}" '
        f'y="{node.y + _HEIGHT / 2 + 4:.1f}">{html.escape(node.text)}</text>'
    )


def _edge(chart: _Chart, begin: str, end: str, text: str, *, back: bool) -> str:
    a, b = chart.nodes[begin], chart.nodes[end]
    if chart.down:
        x1, y1, x2, y2 = a.x + a.width / 2, a.y + _HEIGHT, b.x + b.width / 2, b.y
        half = (y2 - y1) / 2
        path = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + half:.1f} {x2:.1f} {y2 - half:.1f} {x2:.1f} {y2:.1f}"
    elif back and a is b:
        x, y = a.x + a.width / 2, a.y
        path = f"M{x - 14:.1f} {y:.1f}C{x - 30:.1f} {y - 24:.1f} {x + 30:.1f} {y - 24:.1f} {x + 14:.1f} {y:.1f}"
        x1, x2, y1, y2 = x, x, y - 22, y - 22
    elif back:
        x1, y1, x2, y2 = a.x + a.width / 2, a.y + _HEIGHT, b.x + b.width / 2, b.y + _HEIGHT
        low = max(y1, y2) + 36
        path = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {low:.1f} {x2:.1f} {low:.1f} {x2:.1f} {y2:.1f}"
        y1 = y2 = low - 14
    else:
        x1, y1, x2, y2 = a.x + a.width, a.y + _HEIGHT / 2, b.x, b.y + _HEIGHT / 2
        half = (x2 - x1) / 2
        path = f"M{x1:.1f} {y1:.1f}C{x1 + half:.1f} {y1:.1f} {x2 - half:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    label = (
        f'<text class="label" x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2 - 5:.1f}">{html.escape(text)}</text>'
        if text
        else ""
    )
    return f'<path class="edge{" back" if back else ""}" d="{path}" marker-end="url(#tip)"/>{label}'
