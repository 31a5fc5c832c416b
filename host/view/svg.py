"""A small writer of SVG: elements in order, text that is escaped, widths that are estimated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib.resources import files

from eie.hls.boundary.text import printable
from eie.host.view.colours import Scheme, as_variables

__all__ = ["Drawing", "text_width"]

_NARROW, _WIDE = set("iljtfrI.,:;'|!()[] "), set("mwMWABCDEGHKNOQRSUVXYZ%@×→")
#: Height of the classes of text in diagram.css, in pixels.
SIZES = {"": 13.0, "head": 15.0, "small": 11.5, "tiny": 10.0, "code": 12.5}


def text_width(text: str, size: float = 13.0) -> float:
    """Estimate how wide a text is in a sans-serif of `size` pixels: rather too wide."""
    return size * sum(0.34 if each in _NARROW else 0.78 if each in _WIDE else 0.6 for each in text)


class Drawing:
    """An SVG that is being drawn. Lengths are pixels of a drawing `width` pixels wide.

    Parameters
    ----------
    width, height
        Size.
    title
        What it is, in a few words.
    text
        What it shows, for those who do not see it.
    """

    def __init__(self, width: float, height: float, title: str, text: str) -> None:
        self.width, self.height = width, height
        self.title = title
        self._text = text
        self._lines: list[str] = []
        self._depth = 1

    def add(self, tag: str, **attributes: object) -> None:
        """Add an element; ``class_`` is its class, and ``_`` in names stands for ``-``."""
        self._line(f"<{tag}{_written(attributes)}/>")

    def rect(
        self, x: float, y: float, width: float, height: float, kind: str, **more: object
    ) -> None:
        """Add a rectangle of class `kind`."""
        self.add("rect", class_=kind, x=x, y=y, width=width, height=height, **more)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "wire") -> None:
        """Add a line of class `kind`."""
        self.add("line", class_=kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def path(self, points: list[tuple[float, float]], kind: str = "wire") -> None:
        """Add a line through points; class ``arrow`` gives it a head."""
        steps = " L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self.add("path", class_=kind, d=f"M{steps}")
        if "arrow" in kind.split():
            self._head(*points[-2], *points[-1])

    def text(self, x: float, y: float, text: str, kind: str = "", **more: object) -> None:
        """Add a text whose baseline begins at a point; class ``middle`` or ``end`` moves it."""
        attributes = _written(
            {"class_": kind, "x": x, "y": y, **more} if kind else {"x": x, "y": y, **more}
        )
        self._line(f"<text{attributes}>{escape(printable(text))}</text>")

    def tip(self, text: str) -> None:
        """Add what a pointer at the group shows."""
        self._line(f"<title>{escape(printable(text))}</title>")

    @contextmanager
    def group(self, kind: str, **more: object) -> Iterator[None]:
        """Put what follows into a group of class `kind`."""
        self._line(f"<g{_written({'class_': kind, **more})}>")
        self._depth += 1
        yield
        self._depth -= 1
        self._line("</g>")

    def as_element(self, identity: str, kind: str = "") -> str:
        """Write it as an element of a page, which has the style of diagrams.

        Parameters
        ----------
        identity
            Identity of the element in the page.
        kind
            A class besides ``diagram``.
        """
        return self._written(f' id="{escape(identity)}"', "", kind)

    def as_file(self, scheme: Scheme | None = None) -> str:
        """Write it as a file of its own, in light or dark, or in either as the reader has it."""
        style = files("eie.host.view").joinpath("page", "diagram.css").read_text(encoding="utf-8")
        # A ground of its own: who shows it may be dark where its reader is light.
        ground = "background: var(--ground);"
        variables = f".diagram {{ {as_variables(scheme or 'light')} {ground} }}"
        if scheme is None:
            variables += (
                f"\n@media (prefers-color-scheme: dark) {{ .diagram {{ {as_variables('dark')} }} }}"
            )
        size = f' width="{_number(self.width)}" height="{_number(self.height)}"'
        return self._written(size, f"<style>\n{variables}\n{style}</style>\n") + "\n"

    def _written(self, attributes: str, style: str, kind: str = "") -> str:
        body = "\n".join(self._lines)
        shape = f"diagram {kind}".strip()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{shape}" role="img"{attributes} '
            f'viewBox="0 0 {_number(self.width)} {_number(self.height)}">\n'
            f"<title>{escape(printable(self.title))}</title>\n"
            f"<desc>{escape(printable(self._text))}</desc>\n{style}{body}\n</svg>"
        )

    def _line(self, text: str) -> None:
        self._lines.append(f"{'  ' * self._depth}{text}")

    def _head(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """The head of an arrow along an upright or level line."""
        long, wide = 7.0, 3.5
        across, along = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
        back = (x2 - long * across, y2 - long * along)
        side = (wide * along, wide * across)
        points = (
            (x2, y2),
            (back[0] - side[0], back[1] - side[1]),
            (back[0] + side[0], back[1] + side[1]),
        )
        self.add(
            "polygon",
            class_="head-of-arrow",
            points=" ".join(f"{_number(x)},{_number(y)}" for x, y in points),
        )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _written(attributes: dict[str, object]) -> str:
    parts = []
    for name, value in attributes.items():
        shown = _number(value) if isinstance(value, (int, float)) else escape(str(value))
        parts.append(f' {name.rstrip("_").replace("_", "-")}="{shown}"')
    return "".join(parts)
