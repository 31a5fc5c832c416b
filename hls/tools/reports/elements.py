"""Values out of XML elements that must be there, once, and hold what they should."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from eie.hls.boundary.errors import Problems

__all__ = ["ElementReader", "range_of"]

_RANGE = re.compile(r"([0-9]+)(?:\s*~\s*([0-9]+))?")


class ElementReader:
    """Reads elements, and collects what is wrong with them.

    A value that is wrong reads as empty or -1, so that all problems are found; whoever reads must
    raise them before using any value.

    Parameters
    ----------
    problems
        Where to note what is missing, undefined or there twice.
    where
        What the elements belong to, for messages; nothing for the whole file.
    """

    def __init__(self, problems: Problems, where: str = "") -> None:
        self._problems = problems
        self._prefix = f"{where}: " if where else ""

    def inside(self, where: str) -> ElementReader:
        """Read on in a part of the file that messages are to name."""
        return ElementReader(self._problems, where)

    def require(self, holds: bool, message: str) -> bool:
        """Note `message` unless `holds`; returns `holds`."""
        return self._problems.require(holds, self._prefix + message)

    def element(self, parent: ET.Element, place: str) -> ET.Element | None:
        """Find the one element at `place`, a path of names below `parent`."""
        found = parent.findall(place)
        if not self.require(len(found) > 0, f"{place} is missing"):
            return None
        self.require(len(found) == 1, f"{place} must be there once, not {len(found)} times")
        return found[0]

    def text(self, parent: ET.Element, place: str) -> str:
        """Read a text that must not be empty."""
        element = self.element(parent, place)
        if element is None:
            return ""
        text = (element.text or "").strip()
        self.require(bool(text), f"{place} must not be empty")
        return text

    def count(self, parent: ET.Element, place: str, least: int = 0) -> int:
        """Read an integer of `least` or more."""
        text = self.text(parent, place)
        value = int(text) if re.fullmatch("[0-9]+", text) else -1
        if text:
            self.require(
                value >= least, f"{place} must be an integer of {least} or more, not {text!r}"
            )
        return value

    def decimal(self, parent: ET.Element, place: str) -> float:
        """Read a non-negative decimal number."""
        text = self.text(parent, place)
        holds = re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) is not None
        if text:
            self.require(holds, f"{place} must be a non-negative number, not {text!r}")
        return float(text) if holds else -1.0


def range_of(element: ET.Element | None) -> tuple[int, int] | None:
    """Read ``12``, ``2 ~ 65`` or a ``range`` element; None for whatever is not a number.

    For values that the tool often cannot know, and says ``undef``, ``-``, ``?`` or ``inf``.
    """
    if element is None:
        return None
    texts = [element.text]
    if element.find("range") is not None:
        texts = [element.findtext("range/min"), element.findtext("range/max")]
    found = [_RANGE.fullmatch((text or "").strip()) for text in texts]
    matches = [match for match in found if match is not None]
    if len(matches) < len(found):
        return None
    return int(matches[0][1]), int(matches[-1][2] or matches[-1][1])
