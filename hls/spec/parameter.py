"""What is known of a design's parameter beside its value: a text, a unit, a range, the paper's.

Each field of :class:`eie.hls.spec.design.Design` carries one, and from it come the checks, the
comments in ``design.toml``, the options of the command line with their help, ``help(Design)`` and
docs/reference/parameters.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, replace
from typing import Any, Literal

__all__ = ["GROUPS", "Group", "Parameter", "described", "numpydoc", "parameters_of"]

Group = Literal["array", "format", "capacity", "queues", "target"]

#: Groups in the order in which they are shown, and what they are about.
GROUPS: Mapping[Group, str] = {
    "array": "the array",
    "format": "the formats of weights and sums",
    "capacity": "capacities: what a network may take",
    "queues": "queues",
    "target": "what it is built for",
}
_KEY = "parameter"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a design, for people and for checks."""

    name: str
    group: Group
    #: What it is, in a line.
    text: str
    #: What it counts; "" for a name.
    unit: str = ""
    #: Smallest and largest value; None for a name.
    range: tuple[int, int] | None = None
    #: The paper's value, or "" where the paper has none.
    paper: str = ""
    #: What more there is to know, in sentences.
    more: str = ""
    #: Where the paper has its value, or what it has instead.
    source: str = ""
    #: Names that it may be, as people may give them.
    choices: tuple[str, ...] = ()
    #: Value unless another is given; None where one must be.
    default: int | str | None = None

    @property
    def values(self) -> str:
        """Values that it may have: ``3 to 8``, or names."""
        if self.range is None:
            return ", ".join(self.choices)
        low, high = self.range
        return f"{low}" if low == high else f"{low} to {high}"

    @property
    def summary(self) -> str:
        """All in a line: text, values with unit, the default and the paper's."""
        facts = [f"{self.values} {self.unit}".strip()]
        if self.default is not None:
            facts.append(f"default {self.default}")
        if self.paper:
            facts.append(f"paper: {self.paper}")
        return f"{self.text} ({'; '.join(facts)})"


def described(
    group: Group,
    text: str,
    *,
    unit: str = "",
    range: tuple[int, int] | None = None,
    paper: str = "",
    more: str = "",
    source: str = "",
    choices: tuple[str, ...] = (),
) -> Mapping[str, Any]:
    """Make the metadata of a dataclass field that is a parameter."""
    return {_KEY: Parameter("", group, text, unit, range, paper, more, source, choices)}


def parameters_of(fields: Iterable[Field[Any]]) -> dict[str, Parameter]:
    """Give the parameters that fields describe, by name, in their order."""
    found = {}
    for field in fields:
        about: Parameter = field.metadata[_KEY]
        default = None if field.default is MISSING else field.default
        found[field.name] = replace(about, name=field.name, default=default)
    return found


def numpydoc(parameters: Mapping[str, Parameter]) -> str:
    """Lay parameters out as a section of a docstring."""
    lines = ["Parameters", "----------"]
    for name, parameter in parameters.items():
        kind = "str" if parameter.range is None else "int"
        lines += [name + f" : {kind}", f"    {parameter.summary}."]
        if parameter.more:
            lines.append(f"    {parameter.more}")
        if parameter.source:
            lines.append(f"    In the paper: {parameter.source}.")
    return "\n".join(lines)
