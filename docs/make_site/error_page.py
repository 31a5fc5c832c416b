"""The page of the errors: what each class says of its cause, and what it says of its cure."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from make_tables import comments

from eie.hls.boundary.errors import EieError, EieWarning
from eie.hls.spec.packets import Status
from eie.host.protocol.responses import _WHAT_TO_DO

_HEAD = """\
# Errors and warnings

Everything that an input, a tool or a device can cause is an `EieError`; the command line makes one
message of it and exit status 2. Warnings are `EieWarning`s and go through Python's `warnings`: a
program can filter them, or make errors of them. A message says what must be, what was found, where,
and what to do; all that is wrong with an input is said at once. This page is made of the classes'
own documentation.
"""


def error_page() -> str:
    """Text of the page."""
    found = list(_classes())
    lines = [_HEAD]
    for title, base in (("Errors", EieError), ("Warnings", EieWarning)):
        lines += ["", f"## {title}", "", f"`except eie.{base.__name__}` catches them all.", ""]
        for kind in found:
            if issubclass(kind, base) and kind is not base:
                lines += _section(kind)
    lines += [
        "",
        "## Statuses of the accelerator",
        "",
        "With which it refuses a packet: in the `status` of an `AnswerError`.",
        "What stays of the network that was loaded is said",
        "[with the packets](packets.md#what-a-bad-packet-does).",
        "",
        "| status | cause | cure |",
        "| --- | --- | --- |",
    ]
    causes = comments(Status)
    lines += [
        f"| `{status.name}` ({int(status)}) | {causes[status.name]} | {cure} |"
        for status, cure in _WHAT_TO_DO.items()
    ]
    return "\n".join(lines) + "\n"


def _section(kind: type[Exception]) -> list[str]:
    bases = ", ".join(f"`{base.__name__}`" for base in kind.__bases__)
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", inspect.getdoc(kind) or "")
    text = re.sub(r"docs/reference/([\w-]+)\.md", r"[\1](\1.md)", text)
    text = re.sub(r"docs/([\w-]+/([\w-]+))\.md", r"[\2](../\1.md)", text)
    cause, _, cure = text.partition("Cure: ")
    if not cure:
        raise SystemExit(f"the docstring of {kind.__module__}.{kind.__name__} must say its cure")
    cure = " ".join(cure.split())
    return [
        f"### {kind.__name__}",
        "",
        f"A kind of {bases}, in `{kind.__module__}`.",
        "",
        f"**Cause.** {' '.join(cause.split())}",
        "",
        f"**Cure.** {cure[0].upper()}{cure[1:].replace('``', '`')}",
        "",
    ]


def _classes() -> Iterator[type[Exception]]:
    """Every public error and warning of the package, in the order of rooms and modules."""
    root = Path(__file__).resolve().parents[2]
    for path in sorted([*root.glob("hls/**/*.py"), *root.glob("host/**/*.py")]):
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"^class ([A-Z]\w+)\(.*(?:Error|Warning)", text, re.M)
        if names:
            module = ".".join(("eie", *path.relative_to(root).with_suffix("").parts))
            for name in names:
                value = getattr(importlib.import_module(module), name)
                if issubclass(value, EieError | EieWarning):
                    yield value
