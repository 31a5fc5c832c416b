"""Network files made of any arrays, header and members, and the refusal of a file."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eie.hls.boundary.errors import NetworkFileError
from eie.host.network import Network

Arrays = dict[str, np.ndarray]


def digest(arrays: Arrays) -> np.ndarray:
    """The file's SHA-256, as its definition says."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return np.frombuffer(sha.digest(), np.uint8)


def write(path: Path, arrays: Arrays, *, sign: bool = True) -> Path:
    """Write a file of these arrays, with the right SHA-256."""
    if sign:
        arrays = {name: array for name, array in arrays.items() if name != "sha256"}
        arrays["sha256"] = digest(arrays)
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def replace_member(path: Path, name: str, content: bytes | None) -> None:
    """Write a zip archive again with another member of this name, or without one."""
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist() if each != name}
    if content is not None:
        members[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in members.items():
            archive.writestr(each, data)


def with_header(arrays: Arrays, change: Callable[[Any], Any]) -> Arrays:
    header = change(json.loads(arrays["header"].tobytes()))
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return {**arrays, "header": np.frombuffer(text, np.uint8)}


def refusal(path: Path) -> str:
    """The message with which a file is refused: of the right kind, with the path, one line."""
    with pytest.raises(NetworkFileError) as caught:
        Network.load(path)
    message = str(caught.value)
    assert str(path) in message
    return message
