"""As much of Verilog as is needed to look at what an HLS tool writes: modules, ports, instances.

The tool's text is regular: one statement a line or a group, no macros, no generate blocks in the
modules that matter here. What is not recognised is left out, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Instance", "Module", "names_in", "parse_modules"]

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*(?!\)).*?\*\)", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_MODULE = re.compile(r"\bmodule\s+(\w+)(.*?)\bendmodule\b", re.DOTALL)
_PORT = re.compile(
    r"\b(?:input|output|inout)\s+(?:wire|reg|logic)?\s*(?:signed\s*)?(\[[^\]]*\])?\s*"
    r"(\w+(?:\s*,\s*(?!input\b|output\b|inout\b)\w+)*)"
)
_RANGE = re.compile(r"\[\s*(\d+)\s*:\s*(\d+)\s*\]")
#: ``MODULE #(...) NAME (.port(...), ...);``, parameters optional.
_INSTANCE = re.compile(
    r"^[ \t]*(\w+)\s*(?:#\s*\((?:[^;()]|\([^()]*\))*\)\s*)?(\w+)\s*\(\s*(\.(?:[^;])*?)\)\s*;",
    re.MULTILINE | re.DOTALL,
)
_CONNECTION = re.compile(r"\.(\w+)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
_ASSIGN = re.compile(r"\bassign\s+(\w+)\s*=\s*([^;]*);")
#: ``#0 NAME = 4'd2;`` or ``NAME = 4'd2;``, of which an initial block is made.
_INITIAL = re.compile(r"#0\s+(\w+)\s*=\s*(\d+)'([bdh])([0-9a-fA-FxX_]+)\s*;")
_PARAMETER = re.compile(r"\b(?:parameter|localparam)?\s*\b(\w+)\s*=\s*(?:\d*'d)?(\d+)\s*[,;)\n]")
_NAME = re.compile(r"(?<!['\w])[A-Za-z_]\w*")
_BASES = {"b": 2, "d": 10, "h": 16}
_KEYWORDS = ("begin", "else", "if", "for", "case", "assign", "always", "initial", "module")


@dataclass(frozen=True)
class Instance:
    """An instance of a module in another."""

    #: Module that it is of.
    module: str
    #: Its name.
    name: str
    #: Expression at each connected port.
    connections: Mapping[str, str]


@dataclass(frozen=True)
class Module:
    """A module: what joins it to others, and what it comes up with."""

    name: str
    #: Bits of each port; None where the text gives an expression.
    ports: Mapping[str, int | None]
    instances: tuple[Instance, ...]
    #: Right side of each continuous assignment of a whole signal.
    assigns: Mapping[str, str]
    #: Value of each register at power-up; None where it is unknown (``x``).
    initial: Mapping[str, int | None]
    #: Numbers among its parameters, by name.
    parameters: Mapping[str, int]


def parse_modules(text: str) -> Iterator[Module]:
    """Parse every module in the text of a file."""
    text = _COMMENT.sub(" ", _STRING.sub('""', text))
    for found in _MODULE.finditer(text):
        name, body = found.groups()
        yield Module(
            name=name,
            ports=_ports(body),
            instances=tuple(_instances(body)),
            assigns={left: " ".join(right.split()) for left, right in _ASSIGN.findall(body)},
            initial={
                register: None if set(digits) & set("xX") else int(digits, _BASES[base])
                for register, _, base, digits in _INITIAL.findall(body)
            },
            parameters={name: int(value) for name, value in _PARAMETER.findall(body)},
        )


def names_in(expression: str) -> set[str]:
    """Signals that an expression names."""
    return set(_NAME.findall(expression))


def _ports(body: str) -> dict[str, int | None]:
    ports: dict[str, int | None] = {}
    for bits, names in _PORT.findall(body):
        known = _RANGE.fullmatch(bits)
        width = 1 if not bits else abs(int(known[1]) - int(known[2])) + 1 if known else None
        ports |= {name.strip(): width for name in names.split(",")}
    return ports


def _instances(body: str) -> Iterator[Instance]:
    for module, name, connections in _INSTANCE.findall(body):
        if module not in _KEYWORDS and name not in _KEYWORDS:
            found = _CONNECTION.findall(connections)
            yield Instance(module, name, {port: " ".join(to.split()) for port, to in found})
