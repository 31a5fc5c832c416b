"""Arrays and texts of the command line: read with clear errors, written whole or not at all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import whole_file
from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import quantize, saturation
from eie.host.network import Network

__all__ = ["check_target", "read_array", "read_inputs", "write_array", "write_json"]


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
        If it is a folder, or its folder is missing or read-only.
    """
    if path is None:
        return
    try:
        is_folder = path.is_dir()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    if is_folder:
        raise InputError(f"cannot write {path}: it is a folder")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write {path}: the folder {folder} is read-only")


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write a ``.npy`` file."""
    _write(path, lambda file: np.save(file, array, allow_pickle=False))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, indented."""
    _write(path, lambda file: file.write((json.dumps(value, indent=2) + "\n").encode()))


def _write(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    try:
        with whole_file(path) as partial, partial.open("wb") as file:
            write(file)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error}") from error
