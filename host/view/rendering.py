"""Render a view's page: one HTML document with style and player inside, and nothing to fetch."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.text import printable
from eie.hls.project.template_environment import read_text, template_environment
from eie.host.view import words
from eie.host.view.colours import as_variables

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_page"]

_PAGE = files("eie.host.view").joinpath("page")


def render_page(values: dict[str, Any]) -> str:
    """Render the page of what :class:`~eie.host.view.view.View` knows.

    Raises
    ------
    ToolError
        If jinja2 is not installed.
    """
    script = read_text(_PAGE, "player.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    animation = values["animation"]
    return (
        _environment()
        .get_template("view.html.j2")
        .render(
            **values,
            version=importlib.metadata.version("eie"),
            style=_style(),
            script=script,
            script_hash=f"'sha256-{digest}'",
            trace="" if animation is None else _as_script_data(animation.data),
        )
    )


def _as_script_data(data: dict[str, Any]) -> str:
    """Write JSON that no element can be closed from within."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _style() -> str:
    dark = (
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {as_variables('dark')} }} }}"
    )
    own = "".join(
        f".of-pe-{place} {{ --own: var(--pe-{place}); fill: var(--pe-{place}); }}\n"
        for place in range(8)
    )
    parts = (
        f":root {{ {as_variables('light')} }}",
        dark,
        read_text(_PAGE, "diagram.css"),
        read_text(_PAGE, "view.css"),
        own,
    )
    return "\n".join(parts)


def _environment() -> Environment:
    # Names and texts come from files that may be anybody's.
    environment = template_environment(_PAGE, "a view's page", autoescape=True)
    environment.filters["printable"] = printable
    environment.filters["number"] = words.number
    return environment
