"""Reading ``DESIGN.toml``: its text, and the values in it, with errors that say what it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import DesignError, ToolError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.text import shown

__all__ = ["TOML_VERSION", "parse_design", "read_text"]

#: Version of the file format; readers refuse any other.
TOML_VERSION = 1
#: Length of a design file at most: a design takes less than a thousand.
_MAX_BYTES = 64 << 10


def read_text(source: Path) -> str:
    """Read the text of a design file.

    Raises
    ------
    DesignError
        If it is missing, a folder, too long, or no text.
    """
    if not is_regular(source):
        if identify(source).name == "missing":
            raise DesignError(f"cannot read design {source}: there is no such file")
        inside = source / "design.toml"
        if is_regular(inside):
            raise DesignError(
                f"{source} must be a design file (DESIGN.toml), not a folder; the project's is "
                f"{inside}"
            )
        raise DesignError(refusal(source, "design"))
    try:
        with source.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DesignError(f"cannot read design {source}: {error}") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise DesignError(refusal(source, "design")) from None
    if len(data) > _MAX_BYTES:
        raise DesignError(f"{source} must be a design file of at most {_MAX_BYTES} bytes")
    return text.replace("\r\n", "\n")


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
    # Not only TOMLDecodeError: Python refuses integers of more than 4,300 digits, for example.
    except (ValueError, RecursionError) as error:
        raise DesignError(f"{source} is not TOML: {error}") from error
    version = document.get("format")
    if type(version) is not int or version != TOML_VERSION:  # true and 1.0 are 1, too
        raise DesignError(f"{source}: format must be {TOML_VERSION}, not {shown(version)}")
    for name in document.keys() - {"format", "design"}:
        raise DesignError(
            f"{source}: {shown(name)} must be in the [design] table, which is all there is but "
            "format"
        )
    table = document.get("design")
    if not isinstance(table, dict):
        raise DesignError(f"{source}: must have a [design] table")
    return table
