"""How eie's templates are rendered: strictly, from text files of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from jinja2 import Environment

__all__ = ["read_text", "template_environment"]


def template_environment(folder: Traversable, what: str, *, autoescape: bool) -> Environment:
    """Give the environment of the templates in a folder of a package.

    Parameters
    ----------
    folder
        Where they lie.
    what
        What is rendered, for the error: "a report".
    autoescape
        Whether values are escaped: where they may be anybody's and the text is HTML.

    Raises
    ------
    ToolError
        If jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise ToolError(f"{what} needs jinja2: {how_to_install('hls')}") from error

    return Environment(
        loader=FunctionLoader(lambda name: read_text(folder, name)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=autoescape,
    )


def read_text(folder: Traversable, name: str) -> str:
    """Read a file below a folder of a package, as ``a/b.css``."""
    return folder.joinpath(*name.split("/")).read_text(encoding="utf-8")
