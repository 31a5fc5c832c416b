"""The network file: one ``.npz`` that numpy alone reads.

Nothing in it is pickled. It has a version, and a SHA-256 over its contents, so that a file that was
truncated or altered is known as such.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError, NetworkFileError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.npy import HEAD_BYTES, ArrayHeader, parse_array, parse_header
from eie.hls.boundary.text import counted, shown

__all__ = ["FILE_VERSION", "LAYER_ARRAYS", "Parts", "read_parts", "write_parts"]

#: Newest version of the file format. Version 2 adds ``feature_fracs``, version 3 layers with more
#: rights (docs/decisions/0024-layers-that-hold-and-add.md). A network is written as the lowest
#: version that has what it needs: every eie reads version 1.
FILE_VERSION = 3
_MAGIC = "eie-network"
#: Arrays of a layer, with their types.
LAYER_ARRAYS = {
    "indptr": np.int64,
    "indices": np.int32,
    "codes": np.uint8,
    "codebook": np.int16,
    "bias": np.int64,
}
#: Scalars of a layer before version 3.
_OLD_SCALARS = frozenset(
    ("name", "rows", "columns", "activation", "input_frac", "weight_frac", "output_frac")
)
#: Bytes of the header's text at most; those of a layer are about 150.
_MAX_HEADER_BYTES = 4 << 20
#: What the arrays of a file may take: this many times the file, and as much as this anyway. Those
#: of real networks take three to eight times.
_MAX_RATIO, _ALWAYS_BYTES = 32, 64 << 20

_Made = TypeVar("_Made")


@dataclass(frozen=True, eq=False)
class Parts:
    """What a network file holds, whatever it may mean."""

    #: Scalars of each layer by name.
    layers: list[dict[str, Any]]
    #: Texts by name.
    metadata: dict[str, str]
    #: ``layer0_indptr`` and so on for the arrays of each layer, ``golden_inputs``,
    #: ``golden_outputs`` and, in version 2 and where there are any in version 3,
    #: ``feature_fracs``.
    arrays: dict[str, npt.NDArray[Any]]


def write_parts(parts: Parts, path: str | os.PathLike[str]) -> None:
    """Write a network file; the same parts give the same bytes.

    The file appears whole or not at all: it is written beside `path` and then renamed.

    Raises
    ------
    NetworkFileError
        If the file cannot be written.
    """
    target = Path(path)
    header: dict[str, Any] = {
        "magic": _MAGIC,
        "version": _version_of(parts),
        "layers": parts.layers,
        "metadata": parts.metadata,
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "header": np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8),
        **parts.arrays,
    }
    if arrays["header"].size > _MAX_HEADER_BYTES - HEAD_BYTES:
        raise NetworkFileError(
            f"cannot write network file {target}: names and metadata must take at most "
            f"{_MAX_HEADER_BYTES - HEAD_BYTES} bytes, not {arrays['header'].size}"
        )
    arrays["sha256"] = _digest(arrays)
    # In memory first: numpy leaves an archive open that it could not write, whose end would then be
    # written, and fail, when nobody looks any more.
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    if sum(array.nbytes + HEAD_BYTES for array in arrays.values()) > _most(stream.tell()):
        # So regular that a reader would take it for a bomb.
        stream = io.BytesIO()
        np.savez(stream, **arrays)
    try:
        write_whole(target, stream.getbuffer())
    except OSError as error:
        raise NetworkFileError(f"cannot write network file {target}: {error.strerror}") from error


def _version_of(parts: Parts) -> int:
    """Lowest version that has what these parts need."""
    if any(_is_new(layer) for layer in parts.layers):
        return 3
    return 2 if "feature_fracs" in parts.arrays else 1


def _is_new(layer: Mapping[str, Any]) -> bool:
    """Whether a layer has what files before version 3 had not."""
    return not _OLD_SCALARS.issuperset(layer) or layer.get("activation") not in ("none", "relu")


def read_parts(path: str | os.PathLike[str], make: Callable[[Parts], _Made]) -> _Made:
    """Read a network file, check it, and make a value of its parts.

    The file may come from anywhere. Names, types and declared sizes of its arrays are checked
    before any of them is decompressed; together they may take 64 MiB and 32 times the file.

    Parameters
    ----------
    path
        The file.
    make
        Makes the value; an InputError, TypeError or ValueError means that the parts do not fit
        together.

    Raises
    ------
    NetworkFileError
        If the file is missing, truncated, altered, of another version, inconsistent, or not a
        network file at all; says what it is instead.
    """
    source = Path(path)
    if not is_regular(source):
        missing = identify(source).name == "missing"
        raise NetworkFileError(
            f"no network file at {source}" if missing else refusal(source, "network")
        )
    try:
        with source.open("rb") as file, Archive(file) as archive:
            return _read(archive, source.stat().st_size, make)
    except OSError as error:
        raise NetworkFileError(f"cannot read network file {source}: {error}") from error
    except NetworkFileError as error:
        raise NetworkFileError(f"{source} {error}") from error
    except InputError as error:
        kind = identify(source).name
        if kind in ("network", "zip"):
            raise NetworkFileError(
                f"{source} is damaged or not a network file ({error}); compress the model again"
            ) from error
        if kind == "npz":
            raise NetworkFileError(
                f"{source} is not a valid network file: {error}; `eie compress` makes one of a "
                "model"
            ) from error
        raise NetworkFileError(refusal(source, "network")) from error


def _read(archive: Archive, file_bytes: int, make: Callable[[Parts], _Made]) -> _Made:
    """Read the parts in an archive, and make a value of them.

    Raises
    ------
    NetworkFileError
        If it is an archive, but no valid network file; the message goes on after the file's name.
    InputError
        If a member cannot be read.
    """
    if "header.npy" not in archive.sizes:
        raise InputError("no 'header'")
    text = _read_array(archive, "header", np.dtype(np.uint8), 1, _MAX_HEADER_BYTES)
    header = _parse_header(text.tobytes())
    optional = {"feature_fracs"} if header["version"] > 2 else set()
    kinds = {"header": (np.dtype(np.uint8), 1), **_expected(header)}
    for name in optional.difference(each.removesuffix(".npy") for each in archive.sizes):
        del kinds[name]
    for name in archive.sizes:
        if name.removesuffix(".npy") not in kinds or not name.endswith(".npy"):
            raise NetworkFileError(
                f"is not a valid network file: it has a member {shown(name)}, which is none of its "
                "arrays"
            )
    for name in kinds:
        if f"{name}.npy" not in archive.sizes:
            raise NetworkFileError(f"is not a valid network file: no '{name}'")
    most = _most(file_bytes)
    if sum(archive.sizes.values()) > most:
        raise NetworkFileError(
            f"is not a valid network file: its arrays take {sum(archive.sizes.values())} bytes, "
            f"and those of a file of {file_bytes} bytes may take {most}"
        )
    # All headers before all values: what is refused has taken no memory.
    for name, (dtype, axes) in kinds.items():
        _check_array(archive, name, dtype, axes)
    arrays = {name: _read_array(archive, name, *kind, most) for name, kind in kinds.items()}
    stored = arrays.pop("sha256")
    if not np.array_equal(stored, _digest(arrays)):
        raise NetworkFileError("was altered: its contents do not match its SHA-256")
    del arrays["header"]
    try:
        return make(Parts(header["layers"], header["metadata"], arrays))
    except (InputError, TypeError, ValueError) as error:
        raise NetworkFileError(f"is not a valid network file: {error}") from error


def _most(file_bytes: int) -> int:
    """Bytes that the arrays of a file may take."""
    return _MAX_RATIO * file_bytes + _ALWAYS_BYTES


def _parse_header(text: bytes) -> dict[str, Any]:
    """Parse the header and check what reading the rest depends on."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NetworkFileError(
            f"is not a valid network file: its header is no JSON: {error}"
        ) from None
    if not isinstance(header, dict) or header.get("magic") != _MAGIC:
        raise NetworkFileError("is not a network file")
    version = header.get("version")
    if type(version) is not int or not 1 <= version <= FILE_VERSION:  # True is 1, too
        raise NetworkFileError(
            f"has network file version {shown(version)}; "
            f"this eie reads versions 1 to {FILE_VERSION}: compress the model again"
        )
    for name, kind in (("layers", list), ("metadata", dict)):
        if not isinstance(header.get(name), kind):
            raise NetworkFileError(f"is not a valid network file: no {name!r} in its header")
    if not all(isinstance(layer, dict) for layer in header["layers"]):
        raise NetworkFileError("is not a valid network file: its header's layers are none")
    if version < 3:
        for layer in header["layers"]:
            for name in sorted(set(layer) - _OLD_SCALARS):
                raise NetworkFileError(
                    f"is not a valid network file: version {version} has no {shown(name)} of layers"
                )
            if _is_new(layer) and "activation" in layer:
                raise NetworkFileError(
                    f"is not a valid network file: activation must be 'none' or 'relu' in version "
                    f"{version}, not {shown(layer['activation'])}"
                )
    return header


def _expected(header: dict[str, Any]) -> dict[str, tuple[np.dtype[Any], int]]:
    """Type and number of axes of every array beside the header, by name."""
    layers = len(header["layers"])
    of_layers = {
        f"layer{number}_{name}": (np.dtype(dtype), 1)
        for number in range(layers)
        for name, dtype in LAYER_ARRAYS.items()
    }
    golden = {name: (np.dtype(np.int16), 2) for name in ("golden_inputs", "golden_outputs")}
    fracs = {"feature_fracs": (np.dtype(np.int64), 1)} if header["version"] > 1 else {}
    return {**of_layers, **golden, **fracs, "sha256": (np.dtype(np.uint8), 1)}


def _check_array(archive: Archive, name: str, dtype: np.dtype[Any], axes: int) -> ArrayHeader:
    """Check the header of an array, and the size that the archive's directory says."""
    header = parse_header(archive.head(f"{name}.npy", HEAD_BYTES))
    if header.dtype != dtype or len(header.shape) != axes:
        raise InputError(
            f"its array {name!r} must be of {dtype.name} and have {counted(axes, 'dimension')}, "
            f"not {header.dtype.str} of shape {header.shape}"
        )
    size = archive.sizes[f"{name}.npy"]
    if header.size != size:
        raise InputError(f"its array {name!r} must take {header.size} bytes, not {size}")
    return header


def _read_array(
    archive: Archive, name: str, dtype: np.dtype[Any], axes: int, most: int
) -> npt.NDArray[Any]:
    """Read an array of at most `most` bytes."""
    header = _check_array(archive, name, dtype, axes)
    if header.size > most:
        raise InputError(f"its array {name!r} may take {most} bytes, not {header.size}")
    return parse_array(header, archive.read(f"{name}.npy"))


def _digest(arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """SHA-256 over names, types, shapes and bytes, as uint8."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)  # the buffer itself, which is not copied
    return np.frombuffer(digest.digest(), np.uint8)
