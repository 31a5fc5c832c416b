"""Pages of the API: what ``import eie`` has, in the order of the way."""

from __future__ import annotations

from inspect import getdoc, getmodule
from typing import Any

import eie

#: Names of each page. Everything that `eie` has must be on one.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "convert": (
        "From a model to an accelerator",
        ("convert", "AcceleratedModel", "Evaluation", "Comparison"),
    ),
    "compress": (
        "Compression",
        ("compress", "prune_linears", "apply_masks", "share_linears", "freeze_codebooks"),
    ),
    "retrain": ("Retraining", ("retrain", "Schedule", "Retrained")),
    "network": ("The network", ("Network", "Layer", "LossRecord", "quantize_inputs")),
    "design": ("The design", ("BOARDS", "Design", "fit", "Fit", "explore", "view", "generate")),
    "engines": (
        "Engines without a board",
        ("emulate", "simulate", "Emulator", "CompiledKernel", "RunResult"),
    ),
    "board": ("Boards", ("Accelerator", "EmulatedBoard")),
}
_RULES = """\
`import eie` has every name below, and loads nothing before it is used; torch only for what
compresses. One convention for numbers: real numbers (float) in give real numbers (float32) out, and
int16 in are fixed-point codes and give int16 codes out. Inputs have the model's own shape,
`(n, 1, 28, 28)` say, or are flat, `(n, 784)`. What 16 bits cannot hold is cut off with a warning.
Errors are `EieError`, warnings `EieWarning` ([all of them](../errors.md)).
"""
#: Described with the errors.
_ELSEWHERE = ("EieError", "EieWarning", "__version__")


def api_pages() -> dict[str, str]:
    """Text of each page by its file's name, and the index."""
    shown = [name for _, names in PAGES.values() for name in names]
    if sorted([*shown, *_ELSEWHERE]) != sorted(eie.__all__):
        missing = sorted(set(eie.__all__) ^ set(shown) ^ set(_ELSEWHERE))
        raise SystemExit(f"docs/make_site/api_pages.py must have a page for each of {missing}")
    pages = {f"{page}.md": _page(title, names) for page, (title, names) in PAGES.items()}
    return {"index.md": _index()} | pages


def _index() -> str:
    """Say what rules hold everywhere, and list all names with a line each."""
    lines = [
        "# Python",
        "",
        *_RULES.splitlines(),
        "",
    ]
    for page, (title, names) in PAGES.items():
        lines += [f"## {title}", "", "| name | what it is |", "| --- | --- |"]
        lines += [f"| [`eie.{n}`]({page}.md#{_path(n)}) | {_first_line(n)} |" for n in names]
        lines.append("")
    return "\n".join(lines)


def _page(title: str, names: tuple[str, ...]) -> str:
    parts = [f"# {title}"]
    parts += [f'::: {_path(name)}\n    options:\n      heading: "eie.{name}"' for name in names]
    return "\n\n".join(parts) + "\n"


def _path(name: str) -> str:
    """Where a name is defined, as mkdocstrings finds it."""
    value: Any = getattr(eie, name)
    module = getmodule(value)
    if module is None or not hasattr(value, "__qualname__"):  # a constant
        return f"{eie._DEFINED_IN[name]}.{name}"
    return f"{module.__name__}.{value.__qualname__}"


def _first_line(name: str) -> str:
    if name == "BOARDS":
        return "The boards by name, with what each holds."
    return (getdoc(getattr(eie, name)) or "").partition("\n")[0].replace("``", "`")
