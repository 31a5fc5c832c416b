"""What a valid network file is, and what its network computes: written without eie's own code.

The zip archive and the JSON are read by Python's library; everything above that is checked here,
value by value.
"""

from __future__ import annotations

import ast
import hashlib
import io
import itertools
import json
import math
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fuzz.valid_layers import (
    OPTIONS,
    States,
    check_graph,
    check_options,
    complete,
    compute_layers,
    is_recurrent,
    results_of,
)
from fuzz.verdict import Damaged, NotValid, require

Arrays = dict[str, npt.NDArray[Any]]

_ARRAYS = {"indptr": "<i8", "indices": "<i4", "codes": "|u1", "codebook": "<i2", "bias": "<i8"}
_SCALARS = {
    "name", "rows", "columns", "activation", "input_frac", "weight_frac", "output_frac"
}  # fmt: skip
#: Members larger than this are in no seed: what declares more is a bomb.
_MOST_BYTES = 1 << 26


@dataclass(frozen=True, eq=False)
class ReadNetwork:
    """A network as this module reads it."""

    layers: list[dict[str, Any]]
    arrays: Arrays
    metadata: dict[str, str]


def digest(arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """SHA-256 of names, types, shapes and bytes, as the file holds it."""
    whole = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        whole.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        whole.update(array.tobytes())
    return np.frombuffer(whole.digest(), np.uint8)


def read_npy(data: bytes) -> npt.NDArray[Any]:
    """Read a ``.npy`` of plain numbers; NotValid if it is none, or does not hold what it says."""
    require(data[:6] == b"\x93NUMPY" and len(data) >= 10, "no .npy magic")
    version = tuple(data[6:8])
    require(version in ((1, 0), (2, 0), (3, 0)), f"unknown version: {version}")
    start = 10 if version == (1, 0) else 12
    require(len(data) >= start, "cut in its header")
    (length,) = struct.unpack("<H" if version == (1, 0) else "<I", data[8:start])
    text = data[start : start + length]
    require(len(text) == length <= 10_000, "header cut, or too long")
    try:
        header = ast.literal_eval(text.decode("utf-8" if version == (3, 0) else "latin1"))
    except SyntaxError as error:
        # numpy reads headers of Python 2 as well.
        raise Damaged(f"header is no literal: {error}") from error
    except (ValueError, TypeError, MemoryError, RecursionError) as error:
        raise NotValid(f"header is no literal: {error}") from error
    require(
        isinstance(header, dict) and set(header) == {"descr", "fortran_order", "shape"},
        "header has other keys",
    )
    shape, order = header["shape"], header["fortran_order"]
    require(
        isinstance(shape, tuple)
        and len(shape) <= 32
        and all(isinstance(n, int) and n >= 0 for n in shape),
        f"no shape: {shape}",
    )
    require(isinstance(order, bool), "fortran_order is no bool")
    require(isinstance(header["descr"], str), "descr is no string")
    try:
        dtype = np.dtype(header["descr"])
    except (TypeError, ValueError, SyntaxError) as error:
        raise NotValid(f"no dtype: {error}") from error
    if dtype.subdtype is not None:
        raise Damaged(f"a dtype of several numbers: {dtype}")
    require(dtype.kind in "iufb", f"other dtype: {dtype}")
    size = math.prod(shape) * dtype.itemsize
    body = data[start + length :]
    require(size <= min(len(body), _MOST_BYTES), f"less than declared: {len(body)} of {size} bytes")
    flat = np.frombuffer(body[:size], dtype)
    return flat.reshape(tuple(map(int, shape)), order="F" if order else "C")


def read_network(data: bytes) -> ReadNetwork:
    """Read and check a whole file.

    Raises
    ------
    NotValid
        With the reason; Damaged if it is that of the archive.
    """
    members = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
            require(len(set(names)) == len(names), "a member twice")
            for name, info in zip(names, archive.infolist(), strict=True):
                with archive.open(info) as member:
                    members[name] = member.read(_MOST_BYTES + 1)
    except NotValid:
        raise
    except Exception as error:  # zipfile raises many kinds for damaged archives
        raise Damaged(f"a damaged archive: {error!r}") from error
    require(max(map(len, members.values()), default=0) <= _MOST_BYTES, "a bomb")
    return check_arrays({name: read_npy(member) for name, member in members.items()})


def check_arrays(arrays: Arrays) -> ReadNetwork:
    """Check the arrays of a file against each other."""
    require("header" in arrays and "sha256" in arrays, "no header, or no sha256")
    stored = arrays.pop("sha256")
    require(stored.shape == (32,) and bool((stored == digest(arrays)).all()), "other sha256")
    try:
        header = json.loads(arrays["header"].tobytes())
    except (ValueError, RecursionError) as error:
        raise NotValid(f"header is no JSON: {error}") from error
    require(isinstance(header, dict), "header is no object")
    require(header.get("magic") == "eie-network", "other magic")
    require(type(header.get("version")) is int and header["version"] in (1, 2, 3), "other version")
    layers, metadata = header.get("layers"), header.get("metadata")
    require(isinstance(layers, list) and bool(layers), "no layers")
    require(
        isinstance(metadata, dict) and all(isinstance(text, str) for text in metadata.values()),
        "metadata is no texts",
    )
    expected = {"header", "golden_inputs", "golden_outputs"}
    expected |= {f"layer{n}_{name}" for n in range(len(layers)) for name in _ARRAYS}
    newest = header["version"] == 3
    if header["version"] == 2 or (newest and "feature_fracs" in arrays):
        expected.add("feature_fracs")
    if header["version"] == 3:
        may_have = {"feature_fracs", *(f"layer{n}_activity" for n in range(len(layers)))}
        expected |= may_have & set(arrays)
    require(set(arrays) >= expected, "a member missing")
    require(set(arrays) == expected, "an unknown member")
    for number, layer in enumerate(layers):
        of_layer = {name: arrays[f"layer{number}_{name}"] for name in _ARRAYS}
        layers[number] = _check_layer(layer, of_layer, newest)
    check_graph(layers)
    names = [layer["name"] for layer in layers]
    require(len(set(names)) == len(names), "two layers of one name")
    for name, width in (
        ("golden_inputs", layers[0]["columns"]),
        ("golden_outputs", results_of(layers[-1])),
    ):
        array = arrays[name]
        require(
            array.dtype.str == "<i2" and array.ndim == 2 and array.shape[1] == width,
            f"{name} of another shape or type",
        )
    require(len(arrays["golden_inputs"]) == len(arrays["golden_outputs"]), "golden unequal")
    for number, layer in enumerate(layers):
        if f"layer{number}_activity" in arrays:
            activity = arrays[f"layer{number}_activity"]
            require(
                activity.dtype.str == "<f4" and activity.shape == (layer["columns"],),
                "activity of another shape or type",
            )
            require(all(0 <= share <= 1 for share in activity.tolist()), "activity out of range")
    if "feature_fracs" in arrays:
        fracs = arrays["feature_fracs"]
        require(
            fracs.dtype.str == "<i8" and fracs.shape == (layers[0]["columns"],),
            "feature_fracs of another shape or type",
        )
        require(all(-96 <= frac <= 96 for frac in fracs.tolist()), "a feature's frac out of range")
    return ReadNetwork(layers, arrays, metadata)


def _check_layer(given: Any, arrays: Arrays, newest: bool) -> dict[str, Any]:
    """Check a layer, and give it with all that it may say."""
    allowed = _SCALARS | set(OPTIONS) if newest else _SCALARS
    require(
        isinstance(given, dict) and _SCALARS <= set(given) <= allowed, "a layer of other fields"
    )
    require("low" not in given or type(given["low"]) is int, "low is no integer")
    layer = complete(given)
    require(newest or layer["activation"] in ("relu", "none"), "other activation")
    require(isinstance(layer["name"], str) and layer["name"] != "", "a layer without a name")

    for name, (low, high) in {
        "rows": (1, 1 << 60),
        "columns": (1, 1 << 16),
        "input_frac": (-96, 96),
        "weight_frac": (-96, 96),
        "output_frac": (-96, 96),
    }.items():
        require(type(layer[name]) is int, f"{name} is {type(layer[name]).__name__}, no integer")
        require(low <= layer[name] <= high, f"{name} out of range")
    for name, dtype in _ARRAYS.items():
        require(arrays[name].dtype.str == dtype and arrays[name].ndim == 1, f"{name} of other type")
    indptr, indices, codes, codebook, bias = (arrays[name].tolist() for name in _ARRAYS)
    require(len(bias) == layer["rows"], "bias of another length")
    require(all(-(1 << 47) <= value < 1 << 47 for value in bias), "a bias beyond 48 bits")
    require(len(codebook) == 16 and codebook[0] == 0, "other codebook")
    require(len(indptr) == layer["columns"] + 1, "indptr of another length")
    require(indptr[0] == 0 and indptr[-1] == len(codes) == len(indices), "indptr of another end")
    require(all(a <= b for a, b in itertools.pairwise(indptr)), "indptr falls")
    require(all(1 <= code <= 15 for code in codes), "a code out of range")
    for first, stop in itertools.pairwise(indptr):
        column = indices[first:stop]
        require(all(a < b for a, b in itertools.pairwise(column)), "rows do not rise")
        require(not column or (column[0] >= 0 and column[-1] < layer["rows"]), "a row out of range")
    check_options(layer, bias)
    return layer


def compute(
    network: ReadNetwork, inputs: npt.NDArray[np.int16], states: States | None = None
) -> npt.NDArray[np.int64]:
    """Outputs by dense products of 64-bit integers: (batch, inputs) to (batch, outputs).

    Vectors of a recurrent network are the steps of a sequence, which `states` takes further.
    """
    matrices, biases = [], []
    for number, layer in enumerate(network.layers):
        indptr, indices, codes, codebook, bias = (
            network.arrays[f"layer{number}_{name}"] for name in _ARRAYS
        )
        weights = np.zeros((layer["columns"], layer["rows"]), np.int64)
        for column in range(layer["columns"]):
            part = slice(indptr[column], indptr[column + 1])
            weights[column, indices[part]] = codebook[codes[part]]
        matrices.append(weights)
        biases.append(bias)
    given = network.layers, matrices, biases
    if not is_recurrent(network.layers):
        return compute_layers(*given, inputs.astype(np.int64))
    states = {} if states is None else states
    steps = [compute_layers(*given, step[None].astype(np.int64), states) for step in inputs]
    return np.concatenate(steps)
