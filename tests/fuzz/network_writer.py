"""Network files as a plain writer makes them."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from fuzz.valid_network import Arrays, ReadNetwork, digest

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def write_npy(array: npt.NDArray[Any], **changes: Any) -> bytes:
    """Write an array as numpy does; `changes` are other things for its header to say.

    ``text`` replaces the header's text, ``version`` the format's, ``length`` its length.
    """
    header = {
        "descr": changes.get("descr", array.dtype.str),
        "fortran_order": changes.get("fortran_order", False),
        "shape": changes.get("shape", array.shape),
    } | changes.get("more", {})
    text = changes.get("text", repr(header)).encode("utf-8", "surrogatepass")
    major = changes.get("version", 1)
    start = 10 if major == 1 else 12
    text += b" " * (-(start + len(text) + 1) % 64) + b"\n"
    length = changes.get("length", len(text))
    size = length % (1 << 16) if start == 10 else length % (1 << 32)
    head = b"\x93NUMPY" + bytes([major, 0]) + struct.pack("<H" if start == 10 else "<I", size)
    return head + text + array.tobytes()


def write_zip(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """Write an archive: the same bytes for the same members."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")  # a name that is there twice
        for name, body in members:
            info = zipfile.ZipInfo(name)  # of a fixed date
            info.compress_type = method
            archive.writestr(info, body)
    return file.getvalue()


def write_members(header: Any, arrays: Arrays, *, sealed: bool = True) -> dict[str, bytes]:
    """Members of a file by name.

    Parameters
    ----------
    header
        An object to write as JSON, or bytes.
    arrays
        All but header and SHA-256.
    sealed
        Whether the SHA-256 is that of all this.
    """
    text = header if isinstance(header, bytes) else json.dumps(header, sort_keys=True).encode()
    whole: Arrays = {"header": np.frombuffer(text, np.uint8), **arrays}
    seal = digest(whole if sealed else {"header": whole["header"]})
    return {f"{name}.npy": write_npy(array) for name, array in whole.items()} | {
        "sha256.npy": write_npy(seal)
    }


def is_plain(data: bytes, network: ReadNetwork) -> bool:
    """Whether a valid file is what the writers here make of it, byte for byte.

    Such a file must be taken. Another one may be: its archive has a comment, perhaps, or is
    compressed in a way that no writer of network files uses.
    """
    arrays = dict(network.arrays)
    text = arrays.pop("header").tobytes()
    header = json.loads(text)
    if set(header) != {"magic", "version", "layers", "metadata"}:
        return False
    members = list(write_members(header, arrays).items())
    return any(write_zip(members, method) == data for method in _METHODS)
