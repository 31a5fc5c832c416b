"""``DESIGN.toml``: writing it with a comment for each parameter; reading it, with clear errors."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import DesignError, ToolError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.text import shown
from eie.hls.spec.parameter import GROUPS, Parameter

__all__ = ["TOML_VERSION", "parse_design", "read_text", "write_design"]

#: Version of the file format; readers refuse any other.
TOML_VERSION = 1
#: Length of a design file at most: a design takes some three thousand, most of it comments.
_MAX_BYTES = 64 << 10


def write_design(values: Mapping[str, int | str], parameters: Mapping[str, Parameter]) -> str:
    """Write parameters as the text of a ``DESIGN.toml``, in groups, each with what it is."""
    lines = [
        "# An eie design: `eie generate` makes an HLS project of it.",
        "# Comments are for people. What is left out, but for pes, has its default.",
        "",
        f"format = {TOML_VERSION}",
        "",
        "[design]",
    ]
    for group, about in GROUPS.items():
        lines += ["", f"# -- {about} --"]
        for name, parameter in parameters.items():
            if parameter.group == group:
                value = values[name]
                lines.append(f"# {parameter.summary}")
                lines.append(
                    f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"'
                )
    return "\n".join(lines) + "\n"


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
