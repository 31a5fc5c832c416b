"""Rewrite the tables in the documents from what they list.

Run as ``python docs/make_tables.py`` (``make tables``). A table stands between a line
``<!-- table NAME -->`` and a line ``<!-- end -->``; everything else in the file is left alone.
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import grimp

from eie.hls.boundary.atomic import write_whole
from eie.hls.spec.design import PARAMETERS
from eie.hls.spec.packets import COUNTER_ROWS, RECORDS, Function, Kind, Section, Status, answer_kind
from eie.hls.spec.parameter import GROUPS, Group
from eie.hls.spec.record import Record
from eie.hls.spec.registers import REGISTERS
from eie.host.board_emulator import Faults
from eie.host.report.facts import SCHEMA

FOLDER = Path(__file__).parent


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Lay out a Markdown table."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def comments(values: type[enum.IntEnum]) -> dict[str, str]:
    """Texts of the ``#:`` comments behind the members of an enumeration."""
    found = re.findall(r"^    (\w+) = \d+  #: (.*)$", inspect.getsource(values), re.MULTILINE)
    texts = dict(found)
    assert list(texts) == [value.name for value in values], f"a member of {values} has no comment"
    return texts


def record(described: Record) -> str:
    """Text and fields of a record."""
    rows = [
        (field.beat, f"{field.low + field.bits - 1}:{field.low}", f"`{field.name}`", field.text)
        for field in described.fields
    ]
    title = described.name.upper()
    return f"### {title}\n\n{described.text}\n\n{table(('beat', 'bits', 'field', 'meaning'), rows)}"


def faults() -> list[tuple[str, str, str]]:
    """Fields of :class:`Faults`, values, and the texts of the ``#:`` comments above them."""
    source = inspect.getsource(Faults)
    found = re.findall(r"^((?:    #: .*\n)+)    (\w+): ", source, re.MULTILINE)
    texts = {name: " ".join(re.findall(r"#: (.*)", text)) for text, name in found}
    assert list(texts) == [field.name for field in fields(Faults)], "a fault has no comment"
    values = {"DmaStatus | None": "`DmaStatus`", "bool": "`True`"}
    types = {field.name: str(field.type) for field in fields(Faults)}
    return [(f"`{name}`", values.get(types[name], "count"), text) for name, text in texts.items()]


def facts() -> str:
    """Every value of a report's JSON with its fields: the texts of the ``#:`` comments."""
    parts = []
    for value in SCHEMA:
        source = inspect.getsource(value)
        found = re.findall(r"^((?:    #: .*\n)+)    (\w+): (.+?)(?: = .+)?$", source, re.MULTILINE)
        assert [name for _, name, _ in found] == [field.name for field in fields(value)]
        rows = [
            (f"`{name}`", json_type(kind), in_markdown(of_comment(text)))
            for text, name, kind in found
        ]
        title = in_markdown((inspect.getdoc(value) or "").partition("\n")[0])
        parts.append(
            f"### {value.__name__}\n\n{title}\n\n{table(('field', 'type', 'meaning'), rows)}"
        )
    return "\n\n".join(parts)


def of_comment(text: str) -> str:
    """Text of ``#:`` comments."""
    return " ".join(re.findall(r"#: (.*)", text))


def in_markdown(text: str) -> str:
    """Turn what a comment has for Sphinx and Python into Markdown and JSON."""
    text = re.sub(r":\w+:`[.\w]+?(\w+)`", r"`\1`", text).replace("``", "`")
    return re.sub(r"\bNone\b", "null", text)


def json_type(annotation: str) -> str:
    """Say in words what JSON has for a Python type."""
    words = {"str": "string", "int": "integer", "float": "number", "bool": "true or false"}
    if annotation.endswith(" | None"):
        return f"{json_type(annotation.removesuffix(' | None'))}, or null"
    if items := re.fullmatch(r"tuple\[(.+), \.\.\.\]", annotation):
        return f"list of {json_type(items[1])}"
    if annotation.startswith("Mapping"):
        return "object"
    return words.get(annotation, f"[{annotation}](#{annotation.lower()})")


def tables() -> dict[str, dict[str, str]]:
    """Every table by its document and the name in its marker."""
    return {
        "reference/packets.md": packet_tables(),
        "reference/driver.md": {"faults": table(("field", "value", "what happens next"), faults())},
        "reference/parameters.md": {key: parameters(key) for key in GROUPS},
        "explanation/architecture.md": {"picture": picture(), "rooms": rooms()},
        "reference/report.md": {"facts": facts()},
    }


def parameters(group: Group) -> str:
    """Parameters of a group, from the fields' own documentation."""
    rows = [
        (
            f"`{name}`",
            f"{each.text}. {each.more}".rstrip(),
            f"{each.values} {each.unit}".rstrip(),
            "-" if each.default is None else each.default,
            "; ".join(filter(None, (each.paper, each.source))) or "-",
        )
        for name, each in PARAMETERS.items()
        if each.group == group
    ]
    return table(("parameter", "what it is", "values", "default", "paper"), rows)


def room_folders() -> dict[str, Path]:
    """Folders of the rooms by name, as ``hls/spec``."""
    root = FOLDER.resolve().parent
    found = sorted(root.glob("hls/*/__init__.py")) + sorted(root.glob("host/*/__init__.py"))
    return {path.parent.relative_to(root).as_posix(): path.parent for path in found}


def rooms() -> str:
    """What each room is, in the words of its package."""
    rows = []
    for name, folder in room_folders().items():
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        what = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", (text or "").partition("\n")[0])
        rows.append((f"`{name}`", what))
    return table(("room", "what it is"), rows)


def picture() -> str:
    """Draw which room builds on which, as Mermaid, without what follows from other arrows."""
    graph = grimp.build_graph("eie", cache_dir=None)
    below: dict[str, set[str]] = {name: set() for name in room_folders()}

    def room(module: str) -> str:
        return "/".join(module.split(".")[1:3])

    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            if room(module) in below and room(imported) in below:
                below[room(module)].add(room(imported))

    def reached(name: str) -> set[str]:
        others = below[name] - {name}
        return others.union(*(reached(other) for other in others))

    lines = ["```mermaid", "flowchart TD"]
    for side in ("host", "hls"):
        lines.append(f"  subgraph {side}")
        lines += [
            f'    {name.replace("/", "_")}["{name}"]'
            for name in below
            if name.startswith(f"{side}/")
        ]
        lines.append("  end")
    for name in below:
        others = below[name] - {name}
        implied = set().union(*(reached(other) for other in others))
        lines += [
            f"  {name.replace('/', '_')} --> {other.replace('/', '_')}"
            for other in sorted(others - implied)
        ]
    return "\n".join([*lines, "```"])


def packet_tables() -> dict[str, str]:
    """Tables of packets and registers."""
    kinds, sections, statuses = comments(Kind), comments(Section), comments(Status)
    functions = comments(Function)
    return {
        "kinds": table(
            ("kind", "request", "answer", "meaning"),
            [(f"`{k.name}`", int(k), f"0x{answer_kind(k):02x}", kinds[k.name]) for k in Kind],
        ),
        "sections": table(
            ("section", "value", "holds"),
            [(f"`{s.name}`", int(s), sections[s.name]) for s in Section],
        ),
        "functions": table(
            ("function", "value", "what becomes of the rounded sum"),
            [(f"`{f.name}`", int(f), functions[f.name]) for f in Function],
        ),
        "statuses": table(
            ("status", "value", "meaning"),
            [(f"`{s.name}`", int(s), statuses[s.name]) for s in Status],
        ),
        "records": "\n\n".join(record(described) for described in RECORDS),
        "counters": table(
            ("row", "name"), [(row, f"`{name}`") for row, name in enumerate(COUNTER_ROWS)]
        ),
        "registers": table(
            ("offset", "register", "access", "meaning"),
            [(f"0x{r.offset:02x}", f"`{r.name}`", r.access, r.text) for r in REGISTERS],
        ),
    }


def with_tables(document: str, text: str) -> str:
    """Put the tables of today into the text of a document."""
    made = tables()[document]
    found: list[str] = []

    def put(marker: re.Match[str]) -> str:
        found.append(marker[1])
        return f"<!-- table {marker[1]} -->\n\n{made[marker[1]]}\n\n<!-- end -->"

    text = re.sub(r"<!-- table (\w+) -->.*?<!-- end -->", put, text, flags=re.DOTALL)
    if sorted(found) != sorted(made):
        raise SystemExit(f"{document} must have a marker for each of {list(made)}, not {found}")
    return text


def main() -> int:
    """Rewrite the documents."""
    for document in tables():
        path = FOLDER / document
        write_whole(path, with_tables(document, path.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
