"""The ``.npy`` format: its header is read and judged before any of the values.

``numpy.load`` takes memory for as many values as a header says, and runs pickles if it is let.
Here a header is taken for what it is, a claim, which must fit the bytes that are there.
"""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError

__all__ = ["HEAD_BYTES", "MAGIC", "ArrayHeader", "parse_array", "parse_header"]

#: First bytes of a ``.npy`` file.
MAGIC = b"\x93NUMPY"
#: Bytes that hold the longest header that is read; those of plain arrays take 128.
HEAD_BYTES = 10_000
#: Format and size of the header's length, by the file's version. Version 3 is for field names.
_LENGTHS = {(1, 0): "<H", (2, 0): "<I"}


@dataclass(frozen=True)
class ArrayHeader:
    """What a ``.npy`` file says of its array."""

    #: Never an object's: such arrays are pickles.
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    #: Whether the first index runs fastest.
    fortran: bool
    #: Where the values begin, in bytes.
    offset: int

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def parse_header(head: bytes) -> ArrayHeader:
    """Read a header from the first :data:`HEAD_BYTES` of a file, or from all of it.

    Raises
    ------
    InputError
        If the bytes are none, or the array's type is not plain numbers or text.
    """
    if not head.startswith(MAGIC) or len(head) < 12:
        raise InputError("it does not begin as a .npy file")
    version = (head[6], head[7])
    if version not in _LENGTHS:
        raise InputError(f"its .npy version must be 1.0 or 2.0, not {head[6]}.{head[7]}")
    (length,) = struct.unpack_from(_LENGTHS[version], head, 8)
    offset = 8 + struct.calcsize(_LENGTHS[version]) + length
    if offset > min(len(head), HEAD_BYTES):
        raise InputError(f"its .npy header of {length} bytes is cut off or too long")
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        shape, fortran, dtype = read(io.BytesIO(head[8:offset]))  # type: ignore[no-untyped-call]
    except Exception as error:  # numpy evaluates a literal, which can fail in any way
        raise InputError(f"its .npy header cannot be read: {error}"[:300]) from error
    if dtype.hasobject:
        raise InputError("its array holds Python objects, which are pickled: save numbers")
    if dtype.kind == "V" or dtype.itemsize == 0:
        raise InputError(f"its array must be of numbers, not of type {str(dtype)[:80]}")
    if len(shape) > 32 or not all(type(size) is int and size >= 0 for size in shape):
        raise InputError(f"its array has the impossible shape {str(shape)[:80]}")
    return ArrayHeader(dtype, shape, bool(fortran), offset)


def parse_array(header: ArrayHeader, data: bytes) -> npt.NDArray[Any]:
    """Give the array of a file with this header; a read-only view of `data`.

    Raises
    ------
    InputError
        If there are more or fewer bytes than the header says.
    """
    if len(data) != header.size:
        raise InputError(f"it must have {header.size} bytes by its header, not {len(data)}")
    try:
        values = (
            np.frombuffer(data, header.dtype, math.prod(header.shape), offset=header.offset)
            if header.size > header.offset
            else np.empty(0, header.dtype)
        )
        return values.reshape(header.shape, order="F" if header.fortran else "C")
    except ValueError as error:  # such as sizes that no index can hold beside one of 0
        raise InputError(f"its array has the impossible shape {str(header.shape)[:80]}") from error
