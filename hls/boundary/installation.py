"""How to install what a part of eie needs: one sentence for every message that says so."""

from __future__ import annotations

__all__ = ["how_to_install"]


def how_to_install(extra: str) -> str:
    """Say how an extra of pyproject.toml is installed.

    The name eie is not published on a package index, so pip has to be given a clone or a wheel.
    """
    return (
        f"in a clone of eie, pip install '.[{extra}]'; from its wheel, pip install "
        f"'./eie-VERSION-py3-none-any.whl[{extra}]'"
    )
