"""Arrays and texts of the command line: read with clear errors, written whole or not at all."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.host.errors import InputError
from eie.host.fixed_point import quantize, saturation
from eie.host.network import Network
from eie.host.whole_file import Data, check_writable, write_whole

__all__ = [
    "check_target",
    "read_array",
    "read_inputs",
    "write_array",
    "write_file",
    "write_json",
]


def read_array(path: Path) -> npt.NDArray[Any]:
    """Read a ``.npy`` file of numbers.

    Raises
    ------
    InputError
        If the file is missing, is no ``.npy``, or is damaged.
    """
    try:
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except OSError as error:
        raise InputError(f"{path} must be a .npy file of numbers: {error}") from error
    except Exception as error:  # numpy raises half a dozen kinds for damaged bytes
        if _starts_as_array(path):
            raise InputError(f"{path} must be a .npy file of numbers: {error}") from error
        # numpy takes any other file for a pickle, which helps nobody.
        raise InputError(
            f"{path} must be a .npy file of numbers, not a file of another kind: write one with "
            "numpy.save (a text of numbers is read by numpy.loadtxt)"
        ) from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} must be a .npy file, not an .npz archive")
    return array


def _starts_as_array(path: Path) -> bool:
    """Whether a file has the first bytes of a ``.npy`` file or of an ``.npz`` archive."""
    with path.open("rb") as file:
        return file.read(6).startswith((b"\x93NUMPY", b"PK"))


def read_inputs(path: Path, network: Network) -> npt.NDArray[np.int16]:
    """Read real inputs of shape (batch, inputs) and quantise them for `network`.

    Raises
    ------
    InputError
        If shape or type are wrong, or a value is not finite.
    """
    array = read_array(path)
    if array.ndim != 2 or array.shape[1] != network.inputs:
        raise InputError(
            f"inputs in {path} must have shape (batch, {network.inputs}), not {array.shape}"
        )
    if len(array) == 0:
        raise InputError(f"inputs in {path} must have at least one vector, not 0")
    codes = quantize(array, network.input_frac, name=f"inputs in {path}")
    lost = saturation(array, codes, network.input_frac)
    if lost is not None:
        print(f"eie: {lost}", file=sys.stderr)
    return codes


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


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, indented.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    write_file(path, json.dumps(value, indent=2) + "\n")


def write_file(path: Path, data: Data) -> None:
    """Write a file as :func:`eie.host.whole_file.write_whole` does.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        write_whole(path, data)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
