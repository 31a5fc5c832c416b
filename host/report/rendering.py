"""Render a report's page: one HTML document with its style inside, and nothing to fetch."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.text import counted, printable
from eie.hls.project.template_environment import read_text, template_environment
from eie.host.report import charts
from eie.host.report.facts import Facts, as_json
from eie.host.report.formats import FORMATS, UNKNOWN, short_names
from eie.host.report.next_steps import stand_ins

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

__all__ = ["render_page"]

_TEMPLATES = files("eie.host.report").joinpath("page")


def render_page(facts: Facts) -> str:
    """Render the page.

    Raises
    ------
    ToolError
        If jinja2 is not installed.
    """
    environment = _environment()
    values = as_json(facts)
    environment.globals["fact"] = _fact_of(values)
    return environment.get_template("report.html.j2").render(
        facts=facts,
        style=read_text(_TEMPLATES, "report.css"),
        charts=charts,
        timeline=charts.timeline(facts),
        batch_rows=charts.batch_rows(facts.batch),
        short=short_names([layer.name for layer in facts.layers]),
        unknown=UNKNOWN,
    )


def _environment() -> Environment:
    # Names and texts come from files that may be anybody's.
    environment = template_environment(_TEMPLATES, "a report", autoescape=True)
    environment.filters.update(FORMATS)
    environment.filters["counted"] = counted
    environment.filters["options"] = _options
    environment.filters["stand_ins"] = stand_ins
    environment.filters["printable"] = printable
    environment.filters["at"] = lambda share: f"{100 * share:.3f}%"
    return environment


def _options(text: str) -> str:
    """Keep options of the command line, and the file behind one, in one piece."""
    from markupsafe import Markup, escape

    return Markup(
        re.sub(
            r"--[a-z]+(?: [A-Z]+\.npy)?", r'<code class="option">\g<0></code>', str(escape(text))
        )
    )


def _fact_of(values: dict[str, Any]) -> Callable[[str, str], str]:
    """Give the function that shows a value of the JSON, with the value itself for programs."""
    from markupsafe import Markup

    def fact(path: str, form: str = "number") -> str:
        value: Any = values
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        if value is None:
            return Markup('<span class="unknown" title="not known">{}</span>').format(UNKNOWN)
        return Markup('<data data-fact="{}" value="{}">{}</data>').format(
            path, value, FORMATS[form](value)
        )

    return fact
