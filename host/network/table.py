"""A table of a few lines: what objects say of themselves, in a terminal and in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from eie.hls.boundary.tables import as_html, as_text
from eie.hls.boundary.text import printable

__all__ = ["Summarized", "Table"]


@dataclass(frozen=True, repr=False)
class Table:
    """A title, rows under a head, and notes below; shows itself as text or as HTML.

    Attributes
    ----------
    title
        One line above.
    head
        Names of the columns; may be empty.
    rows
        Cells, which ``str`` turns into text.
    notes
        Lines below.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        # Names come from files, and must not steer a terminal.
        lines = [self.head, *self.rows] if self.head else self.rows
        cells = [[printable(str(cell)) for cell in line] for line in lines]
        notes = map(printable, self.notes)
        return "\n".join([printable(self.title), as_text(cells), *notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<div>{escape(note)}</div>" for note in self.notes)
        rows = as_html(self.rows, self.head)
        return f"<div><b>{escape(self.title)}</b></div>{rows}{notes}"


class Summarized(ABC):
    """Something whose summary is its text, and what a notebook shows of it."""

    @abstractmethod
    def summary(self) -> Table:
        """Give what is to be known of it as a table of a few lines."""

    def __str__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
