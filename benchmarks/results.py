"""What the parts of a benchmark found, as one JSON file from which the page is made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure.timing import Environment
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError

_FORMAT = 1
#: What was found for one case, by name; a part's module says what its fields are.
Row = dict[str, Any]
Rows = Iterator[Row]


@dataclass(frozen=True)
class Part:
    """What one part found."""

    #: How long it took.
    seconds: float
    environment: Environment
    rows: list[Row]


@dataclass
class Results:
    """Everything found, by part; parts can be run again one by one."""

    #: What inputs and outputs of every layer were divided by; 1 is the paper's size.
    divisor: int
    parts: dict[str, Part] = field(default_factory=dict)

    def machines(self) -> list[str]:
        """The machines that parts ran on."""
        found = (part.environment for part in self.parts.values())
        return sorted({f"{one.processor}, {one.cores} cores, {one.versions}" for one in found})

    def loads(self, *parts: str) -> list[str]:
        """The machine's load when each of these parts began."""
        begun = {name: self.parts[name].environment for name in self.parts if name in parts}
        return [f"{environment.load:.1f} ({name})" for name, environment in begun.items()]

    def save(self, path: Path) -> None:
        """Write the JSON file, a row on a line; it appears whole or not at all."""
        parts = []
        for name, part in self.parts.items():
            document = dataclasses.asdict(part)
            rows = ",\n".join(json.dumps(row) for row in document.pop("rows"))
            parts.append(f'"{name}": {json.dumps(document)[:-1]}, "rows": [\n{rows}\n]}}')
        text = f'{{"format": {_FORMAT}, "divisor": {self.divisor}, "parts": {{\n'
        write_whole(path, text + ",\n".join(parts) + "\n}}\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read a JSON file.

        Raises
        ------
        InputError
            If it is not a file of results, or one of another version.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["format"] != _FORMAT:
                raise ValueError(f"format must be {_FORMAT}, not {document['format']!r}")
            results = cls(document["divisor"])
            for name, part in document["parts"].items():
                environment = Environment(**part["environment"])
                results.parts[name] = Part(part["seconds"], environment, part["rows"])
            return results
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"{path} must be a file that this benchmark wrote ({error}); delete it"
            ) from error
