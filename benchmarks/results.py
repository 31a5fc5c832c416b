"""What the parts of a benchmark found, as one JSON file from which the page is made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measuring import Environment
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError

__all__ = ["Part", "Results"]

_FORMAT = 1


@dataclass(frozen=True)
class Part:
    """What one part found."""

    environment: Environment
    #: How long it took.
    seconds: float
    #: Dataclasses of the part's own type.
    rows: tuple[Any, ...]


@dataclass
class Results:
    """Everything found, by part; parts can be run again one by one."""

    #: What inputs and outputs of every layer were divided by; 1 is the paper's size.
    divisor: int
    parts: dict[str, Part] = field(default_factory=dict)

    def rows(self, part: str) -> Sequence[Any]:
        """Rows of a part, none if it has not been run."""
        return self.parts[part].rows if part in self.parts else ()

    def save(self, path: Path) -> None:
        """Write the JSON file; it appears whole or not at all."""
        parts = ",\n".join(_as_json(name, part) for name, part in self.parts.items())
        text = f'{{"format": {_FORMAT}, "divisor": {self.divisor}, "parts": {{\n{parts}\n}}}}\n'
        write_whole(path, text)

    @classmethod
    def load(cls, path: Path, row_types: Mapping[str, type[Any]]) -> Results:
        """Read a JSON file; `row_types` gives the type of each part's rows.

        Raises
        ------
        InputError
            If it is not a file of results, or one of another version.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["format"] != _FORMAT:
                raise InputError(f"{path}: format must be {_FORMAT}, not {document['format']!r}")
            parts = {
                name: Part(
                    Environment(**part["environment"]),
                    part["seconds"],
                    tuple(row_types[name](**row) for row in part["rows"]),
                )
                for name, part in document["parts"].items()
            }
            return cls(document["divisor"], parts)
        except InputError:
            raise
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"{path} must be a file that this benchmark wrote ({error}); delete it"
            ) from error


def _as_json(name: str, part: Part) -> str:
    """A part with one row on a line, so that changes can be read."""
    environment = json.dumps(dataclasses.asdict(part.environment))
    rows = ",\n".join(json.dumps(dataclasses.asdict(row)) for row in part.rows)
    return (
        f'{json.dumps(name)}: {{"seconds": {part.seconds}, "environment": {environment}, '
        f'"rows": [\n{rows}\n]}}'
    )
