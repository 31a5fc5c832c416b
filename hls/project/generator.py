"""Generate the HLS project of a design from the templates.

The project is self-contained: an engineer without eie can simulate, synthesise and build it. The
same design gives the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.text import counted
from eie.hls.spec import block_design, cell, packets, registers
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.dataflow import DEPTHS, blocks_of, wire
from eie.hls.spec.design import COMPACT_BASE_BITS, Design, target_board

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from jinja2 import Environment

__all__ = ["render_project", "render_sources"]

_DESIGN_FILE = "design.toml"
#: Columns of a line of generated C++ (``templates/.clang-format``).
_COLUMNS = 100

#: Headers of which a project gets one, under a name that does not tell.
_ONE_OF: dict[str, tuple[str, Callable[[Design], bool]]] = {
    "kernel/pointers_plain.h": ("kernel/pointers.h", lambda design: design.length_bits == 0),
    "kernel/pointers_compact.h": ("kernel/pointers.h", lambda design: design.length_bits > 0),
    "kernel/vectors_single.h": ("kernel/vectors.h", lambda design: design.abreast == 1),
    "kernel/vectors_abreast.h": ("kernel/vectors.h", lambda design: design.abreast > 1),
}
#: Files that only a design with cell units has, and one where vectors go abreast.
_OF_CELL = ("kernel/cell.h", "kernel/cell_table.h.j2", "blocks/cell.cpp")
_OF_GROUPS = ("kernel/join_abreast.h.j2",)


def render_project(design: Design, golden: str) -> dict[str, str]:
    """Render every file of the project: text by relative path, in order of path.

    `golden` is the text of ``testbench/golden/packets.txt``, which needs a packed network: that
    is for the host's side to make (``eie.host.project.golden``).
    """
    project = {
        _DESIGN_FILE: design.to_toml(),
        "testbench/golden/packets.txt": golden,
        **_render(design, ""),
    }
    return dict(sorted(project.items()))


def render_sources(design: Design, prefixes: Sequence[str]) -> dict[str, str]:
    """Render the files whose paths begin with one of `prefixes` from their templates alone."""
    return {path: text for prefix in prefixes for path, text in _render(design, prefix).items()}


def _render(design: Design, prefix: str) -> dict[str, str]:
    """Render the templates whose path begins with `prefix`."""
    environment = _environment()
    board = BOARDS.get(design.board)
    context: dict[str, Any] = {
        "version": _version(),
        "design": design,
        "board": target_board(design),
        "has_board": board is not None,
        "wiring": wire(design),
        "depths": DEPTHS,
        "packets": packets,
        "cell": cell,
        "registers": registers,
        "block_design": block_design,
        "blocks": blocks_of(design),
        "compact_base_bits": COMPACT_BASE_BITS,
    }
    project: dict[str, str] = {}
    for path, source in _template_files():
        if not path.startswith(prefix) or (path.startswith("vivado/") and board is None):
            continue
        if path in _OF_CELL and not design.cell_units:
            continue
        if path in _OF_GROUPS and design.abreast == 1:
            continue
        if path in _ONE_OF:
            name, chosen = _ONE_OF[path]
            if chosen(design):
                project[name] = source.read_text(encoding="utf-8")
            continue
        if path.endswith(".j2"):
            project[path.removesuffix(".j2")] = environment.get_template(path).render(context)
        else:
            project[path] = source.read_text(encoding="utf-8")
    return project


def _environment() -> Environment:
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise ToolError(f"generating needs jinja2: {how_to_install('hls')}") from error

    root = files("eie.templates")

    def load(name: str) -> str:
        return root.joinpath(*name.split("/")).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals["zip"] = zip
    environment.filters["camel"] = _camel
    environment.filters["counted"] = counted
    environment.filters["wrap_arguments"] = _wrap_arguments
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return environment


def _wrap_arguments(text: str, opening: str | None = None) -> str:
    """Break lines between the arguments of a C++ declaration or call, as clang-format does.

    Lines are indented to what follows `opening`, which `text` begins with: to the first parenthesis
    if it is None.
    """
    flat = re.sub(r"\s*,\s*", ", ", text.strip("\n"))
    indent = " " * (len(opening) if opening else flat.index("(") + 1)
    lines = [""]
    for argument in flat.split(", "):
        joined = f"{lines[-1]}, {argument}" if lines[-1] else argument
        # One column is for the comma behind it.
        if len(joined) < _COLUMNS:
            lines[-1] = joined
        else:
            lines.append(indent + argument)
    return ",\n".join(lines) + "\n"


def _camel(name: str) -> str:
    """``header_crc`` or ``BAD_LENGTH`` as in C++ constants: ``HeaderCrc``, ``BadLength``."""
    return "".join(part.capitalize() for part in name.lower().split("_"))


def _template_files() -> list[tuple[str, Traversable]]:
    """Every template with its path, without the folders' own Python and hidden files."""
    found: list[tuple[str, Traversable]] = []

    def walk(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.name.startswith((".", "_")):
                continue
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif prefix or entry.name.endswith(".j2"):
                found.append((f"{prefix}{entry.name}", entry))

    walk(files("eie.templates"), "")
    return sorted(found, key=lambda item: item[0])


def _version() -> str:
    return importlib.metadata.version("eie")
