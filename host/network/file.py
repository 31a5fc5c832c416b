"""The network file: one ``.npz`` that numpy alone reads.

Nothing in it is pickled. It has a version, and a SHA-256 over its contents, so that a file that was
truncated or altered is known as such.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import whole_file
from eie.hls.boundary.errors import InputError, NetworkFileError
from eie.host.network import Layer, Network

__all__ = ["FILE_VERSION", "load_network", "save_network"]

#: Version of the file format; readers refuse any other.
FILE_VERSION = 1
_MAGIC = "eie-network"
#: Suffixes of what torch saves.
_MODEL_SUFFIXES = (".pt2", ".pt", ".pth")


def save_network(network: Network, path: str | os.PathLike[str]) -> None:
    """Write the network file; the same network gives the same bytes.

    The file appears whole or not at all: it is written beside `path` and then renamed.

    Raises
    ------
    NetworkFileError
        If the file cannot be written.
    """
    target = Path(path)
    header: dict[str, Any] = {
        "magic": _MAGIC,
        "version": FILE_VERSION,
        "layers": [layer.scalars() for layer in network.layers],
        "metadata": dict(network.metadata),
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "header": np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    }
    for number, layer in enumerate(network.layers):
        arrays |= {f"layer{number}_{name}": array for name, array in layer.arrays().items()}
    arrays |= {"golden_inputs": network.golden_inputs, "golden_outputs": network.golden_outputs}
    arrays["sha256"] = _digest(arrays)
    try:
        with whole_file(target) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise NetworkFileError(f"cannot write network file {target}: {error}") from error


def load_network(path: str | os.PathLike[str]) -> Network:
    """Read a network file and check all of it.

    Raises
    ------
    NetworkFileError
        If the file is missing, truncated, altered, of another version, or inconsistent.
    """
    source = Path(path)
    if not source.is_file():
        raise NetworkFileError(f"no network file at {source}")
    try:
        # Opened here, since np.load leaves a file open that is no archive after all.
        with source.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an .npz archive")
            with archive:
                arrays = {name: archive[name] for name in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds something else than arrays")
    except Exception as error:  # zipfile and numpy raise a dozen kinds for damaged bytes
        if source.suffix in _MODEL_SUFFIXES:
            raise NetworkFileError(
                f"{source} must be a network file (.npz), not a torch model: `eie compress` makes "
                "one of a saved torch.export program (.pt2)"
            ) from None
        if source.suffix != ".npz":
            raise NetworkFileError(
                f"{source} is not a network file (.npz): `eie compress` makes one of a model"
            ) from None
        raise NetworkFileError(
            f"{source} is damaged or not a network file ({error}); compress the model again"
        ) from error
    return _from_arrays(arrays, str(source))


def _from_arrays(arrays: dict[str, npt.NDArray[Any]], source: str) -> Network:
    try:
        header = json.loads(arrays["header"].tobytes())
        if header["magic"] != _MAGIC:
            raise NetworkFileError(f"{source} is not a network file")
        if header["version"] != FILE_VERSION:
            raise NetworkFileError(
                f"{source} has network file version {header['version']!r}; "
                f"this eie reads version {FILE_VERSION}: compress the model again"
            )
        stored = arrays.pop("sha256")
        if not np.array_equal(stored, _digest(arrays)):
            raise NetworkFileError(f"{source} was altered: its contents do not match its SHA-256")
        layers = []
        for number, scalars in enumerate(header["layers"]):
            fields: dict[str, Any] = dict(scalars)
            for name in ("indptr", "indices", "codes", "codebook", "bias"):
                fields[name] = arrays[f"layer{number}_{name}"]
            layers.append(Layer(**fields))
        return Network(
            layers=tuple(layers),
            golden_inputs=arrays["golden_inputs"],
            golden_outputs=arrays["golden_outputs"],
            metadata=header["metadata"],
        )
    except NetworkFileError:
        raise
    except KeyError as error:
        raise NetworkFileError(f"{source} is not a valid network file: no {error}") from error
    except (InputError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NetworkFileError(f"{source} is not a valid network file: {error}") from error


def _digest(arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """SHA-256 over names, types, shapes and bytes, as uint8."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
