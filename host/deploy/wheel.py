"""A wheel of the eie that runs, made of its own files: without pip, an index or a clone.

``pip wheel`` needs the sources, and fetches what builds them. A package must also be made where eie
is installed without either, and the same eie must give the same bytes. So the files that are
imported are packed, with the metadata that they were installed with.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import importlib.util
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import ToolError
from eie.host.deploy.zip_file import zip_bytes

__all__ = ["Wheel", "wheel_of_eie"]

_NAME = "eie"
#: Metadata that is taken over; how and where this eie was installed is nobody's business.
_METADATA = ("METADATA", "entry_points.txt")
_WHEEL = "Wheel-Version: 1.0\nGenerator: eie package\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
#: Of what was built on this machine only the folder goes along, which pynq looks for.
_BITSTREAMS, _IN_BITSTREAMS = "eie/bitstreams/", "eie/bitstreams/README.md"


@dataclass(frozen=True)
class Wheel:
    """A wheel of eie."""

    #: Name of its file, which says what it is for.
    name: str
    #: Version of eie.
    version: str
    #: What its file holds.
    data: bytes


def wheel_of_eie() -> Wheel:
    """Make a wheel of this eie; the same files give the same bytes.

    Raises
    ------
    ToolError
        If eie was put on the path by hand, so that nothing says which version it is.
    """
    try:
        distribution = importlib.metadata.distribution(_NAME)
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolError(
            "eie must be installed to be packed: `make install` in a clone, or pip install"
        ) from error
    version = distribution.version
    info = f"{_NAME}-{version}.dist-info"
    members = dict(_files_of_eie())
    for name in _METADATA:
        text = distribution.read_text(name)
        if text is not None:
            members[f"{info}/{name}"] = text.encode()
    license_text = distribution.read_text("licenses/LICENSE")
    if license_text is not None:
        members[f"{info}/licenses/LICENSE"] = license_text.encode()
    members[f"{info}/WHEEL"] = _WHEEL.encode()
    members[f"{info}/RECORD"] = _record(members, f"{info}/RECORD")
    return Wheel(f"{_NAME}-{version}-py3-none-any.whl", version, zip_bytes(members))


def _files_of_eie() -> Iterator[tuple[str, bytes]]:
    """Name in the wheel and contents of each file of the package that is imported."""
    spec = importlib.util.find_spec(_NAME)
    for root in spec.submodule_search_locations or () if spec is not None else ():
        yield from _files_below(Path(root), _NAME)


def _files_below(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    # By hand: in an editable install the rooms are links, which rglob does not follow.
    for path in sorted(folder.iterdir()):
        inside = f"{name}/{path.name}"
        if path.name.startswith(".") or path.name == "__pycache__" or path.suffix == ".pyc":
            continue
        if path.is_dir():
            yield from _files_below(path, inside)
        elif not inside.startswith(_BITSTREAMS) or inside == _IN_BITSTREAMS:
            yield inside, path.read_bytes()


def _record(members: dict[str, bytes], own_name: str) -> bytes:
    """List all files with sums and sizes, as the format of wheels wants it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for name, data in sorted(members.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow((name, f"sha256={digest}", len(data)))
    writer.writerow((own_name, "", ""))
    return stream.getvalue().encode()
