"""Reads C++: enough of it for code that clang-format has laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


def without_comments(text: str) -> str:
    return re.sub(r"//.*", "", text)


def block_from(text: str, opening: int) -> str:
    """What is between the brace at `opening` and its partner."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[opening + 1 : place]
    raise AssertionError("braces do not match")


@dataclass(frozen=True)
class Function:
    name: str
    signature: str
    body: str


def functions(text: str) -> Iterator[Function]:
    """Functions of a file: everything at the namespace's level with a name, (...) and {...}."""
    pattern = re.compile(r"^(?:inline |constexpr |template |void |[\w:]+[<>\w ]* )[^;{}]*?\{", re.M)
    code = without_comments(text)
    place = 0
    while found := pattern.search(code, place):
        head = found[0]
        place = found.end()
        name = re.search(r"(\w+)\(", head)
        if name is None or head.startswith(("namespace", "struct", "enum")):
            continue
        body = block_from(code, place - 1)
        yield Function(name[1], head, body)
        place += len(body)


FLUSHING = "#pragma HLS PIPELINE II = 1 style = flp\n"


@dataclass(frozen=True)
class Loop:
    label: str | None
    body: str

    @property
    def pipelined(self) -> bool:
        return self.body.lstrip().startswith(("#pragma HLS PIPELINE II = 1\n", FLUSHING))

    @property
    def flushing(self) -> bool:
        return self.body.lstrip().startswith(FLUSHING)

    @property
    def unrolled(self) -> bool:
        return self.body.lstrip().startswith("#pragma HLS UNROLL\n")


def loops(code: str) -> Iterator[Loop]:
    """All loops, inner ones too."""
    for found in re.finditer(r"(?:(\w+):\s+)?\b(?:(?:for|while) \(|do (?=\{))", code):
        place = found.end()
        if not found[0].endswith("do "):
            depth = 1
            while depth:
                depth += {"(": 1, ")": -1}.get(code[place], 0)
                place += 1
            if code[place:].startswith(";"):
                continue  # the end of a do loop
            place += 1
        assert code[place] == "{", code[found.start() :][:80]
        yield Loop(found[1], block_from(code, place))


def all_loops(kernel: dict[str, str]) -> list[Loop]:
    return [
        loop
        for text in kernel.values()
        for function in functions(text)
        if not function.signature.startswith("constexpr")  # runs in the compiler
        for loop in loops(function.body)
    ]
