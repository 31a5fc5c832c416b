"""Paragraphs, lists and pictures of the page, as Markdown."""

from __future__ import annotations

import textwrap

__all__ = ["bullets", "image", "paragraphs"]


def paragraphs(*texts: str) -> str:
    """Fill paragraphs to the width of the other pages; a number stays with its percent sign."""
    return "\n\n".join(_fill(text) for text in texts)


def bullets(*texts: str) -> str:
    """Fill the items of a list alike."""
    return "\n".join(_fill(text, initial_indent="- ", subsequent_indent="  ") for text in texts)


def image(name: str, text: str) -> str:
    """Show the plot `name`, with `text` for those who cannot see it."""
    return f"![{text}](images/evaluation-{name}.png)"


def _fill(text: str, *, initial_indent: str = "", subsequent_indent: str = "") -> str:
    return textwrap.fill(
        " ".join(text.split()).replace(" %", "\N{NO-BREAK SPACE}%"),
        100,
        initial_indent=initial_indent,
        subsequent_indent=subsequent_indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
