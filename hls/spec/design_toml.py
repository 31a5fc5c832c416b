"""Reading ``DESIGN.toml``: its text, and the values in it, with errors that say what it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import DesignError, ToolError

__all__ = ["TOML_VERSION", "parse_design", "read_text"]

#: Version of the file format; readers refuse any other.
TOML_VERSION = 1


def read_text(source: Path) -> str:
    """Read the text of a design file.

    Raises
    ------
    DesignError
        If it is missing, a folder, or no text.
    """
    if source.is_dir():
        inside = source / "design.toml"
        hint = f"; the project's is {inside}" if inside.is_file() else ""
        raise DesignError(f"{source} must be a design file (DESIGN.toml), not a folder{hint}")
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DesignError(
            f"{source} must be a design file (DESIGN.toml), not a binary file; `eie fit` makes "
            "one for a network"
        ) from None
    except OSError as error:
        raise DesignError(f"cannot read design {source}: {error}") from error


def parse_design(text: str, source: str) -> dict[str, Any]:
    """Parse the text of a design file: values by parameter, not looked at yet.

    Raises
    ------
    DesignError
        If the text is not TOML, of another version, or has no design.
    ToolError
        If Python is 3.10 and has no tomli.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ModuleNotFoundError as error:
            # Not among eie's requirements: nothing that runs a bitstream reads a design's
            # file, and a board's image is left as it is.
            raise ToolError(
                f"cannot read {source}: Python 3.10 reads TOML with tomli, which is not "
                "here; `pip install tomli`"
            ) from error
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DesignError(f"{source} is not TOML: {error}") from error
    if document.get("format") != TOML_VERSION:
        raise DesignError(
            f"{source}: format must be {TOML_VERSION}, not {document.get('format')!r}"
        )
    table = document.get("design")
    if not isinstance(table, dict):
        raise DesignError(f"{source}: must have a [design] table")
    return table
