"""Arrays and texts of the command line: read with clear errors, written whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.atomic import Data, check_writable, write_whole
from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.npy import HEAD_BYTES, MAGIC, ArrayHeader, parse_array, parse_header
from eie.hls.boundary.text import printable
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs, saturated_inputs

__all__ = [
    "check_target",
    "read_array",
    "read_data",
    "read_inputs",
    "write_array",
    "write_arrays",
    "write_file",
    "write_json",
]


def read_array(path: Path) -> npt.NDArray[Any]:
    """Read a ``.npy`` file of real numbers; its header is checked before its values are read.

    Returns
    -------
    ndarray
        Read-only, of the file's own type and order.

    Raises
    ------
    InputError
        If the file is missing, is no ``.npy``, or is damaged; says what it is instead.
    """
    if not is_regular(path):
        raise InputError(refusal(path, "array"))
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if not head.startswith(MAGIC):
                raise InputError(refusal(path, "array"))
            try:
                header = parse_header(head)
                # What numpy.load would leave unread is another array, or no array at all.
                size = path.stat().st_size
                if size != header.size:
                    raise InputError(f"it must have {header.size} bytes by its header, not {size}")
                _check_numbers(header)
                file.seek(0)
                return parse_array(header, file.read(header.size + 1))
            except InputError as error:
                raise InputError(f"{path} must be a .npy file of numbers: {error}") from error
    except OSError as error:
        raise InputError(f"{path} must be a .npy file of numbers: {error}") from error


def read_data(path: Path) -> Any:
    """Read a ``.npy`` file as :func:`read_array` does, or all arrays of an ``.npz``.

    Returns
    -------
    ndarray or dict of ndarray
        Of an ``.npz`` by name, in the order of the file: sequences of a recurrent network, or what
        belongs to each.

    Raises
    ------
    InputError
        If it is neither, or damaged; of an ``.npz`` names every array that is.
    """
    if identify(path).name != "npz":
        return read_array(path)
    problems = Problems(f"{path} must be a .npz file of numbers")
    found = {}
    try:
        with path.open("rb") as file, Archive(file) as archive:
            for member in archive.sizes:
                try:
                    data = archive.read(member)
                    header = parse_header(data)
                    _check_numbers(header)
                    found[member.removesuffix(".npy")] = parse_array(header, data)
                except InputError as error:
                    problems.require(False, f"array {printable(member)}: {error}")
    except (InputError, OSError) as error:
        raise InputError(f"{path} must be a .npz file of numbers: {error}") from error
    problems.raise_as(InputError)
    return found


def _check_numbers(header: ArrayHeader) -> None:
    if header.dtype.kind not in "fiub":
        raise InputError(f"its values must be real numbers, not dtype {header.dtype}")


def read_inputs(path: Path, network: Network) -> tuple[npt.NDArray[np.int16], int]:
    """Read real inputs, flat or in the model's own shape, and quantise them for `network`.

    Returns
    -------
    tuple of ndarray and int
        int16 codes, and how many of them were saturated.

    Raises
    ------
    InputError
        If shape or type are wrong, or a value is not finite.

    Warns
    -----
    SaturationWarning
        If values lie beyond what the network's inputs hold.
    """
    array = read_array(path)
    array = network.flat_inputs(array, name=f"inputs in {path}")
    if len(array) == 0:
        raise InputError(f"inputs in {path} must have at least one vector, not 0")
    codes = quantize_inputs(network, array, name=f"inputs in {path}")
    return codes, int(saturated_inputs(network, array, codes).sum())


def check_target(path: Path | None) -> None:
    """Refuse a file to write that cannot be written, before any work is done; None is left out.

    Raises
    ------
    InputError
        If it is a folder, a disk, a socket or read-only, or its folder is missing or read-only.
    """
    if path is None:
        return
    try:
        check_writable(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write a ``.npy`` file.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    # In memory first: into a file numpy writes past Python, and says of a full disk how many
    # numbers it lacks room for.
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_file(path, stream.getbuffer())


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write an ``.npz`` file of arrays by name.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:  # numpy.savez takes no array named "file"
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    write_file(path, stream.getbuffer())


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, indented.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    write_file(path, json.dumps(value, indent=2) + "\n")


def write_file(path: Path, data: Data) -> None:
    """Write a file as :func:`eie.hls.boundary.atomic.write_whole` does.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        write_whole(path, data)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
