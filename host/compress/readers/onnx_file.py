"""ONNX files from anywhere: checked, then parsed; tensors are read one by one, inside the folder.

A file is a protobuf message. A parsed message takes up to a hundred times its bytes where it is
nothing but empty parts, so what is not numbers of tensors is measured before it is parsed. Numbers
may lie in other files ("external data", which torch's exporter writes): only beside the model,
however the path is written and wherever links lead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.text import shown

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

__all__ = ["OnnxFile"]

#: Bytes of a file at most: protobuf's own limit.
_MOST_BYTES = (1 << 31) - 1
#: Bytes of a file that are no numbers of tensors, at most; parsed they take a hundred times that.
_MOST_TEXT = 2 << 20
#: Fields of protobuf messages that lead to tensors, by the message's kind: field -> kind.
_PARTS = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor"},
}
#: Fields of a tensor that hold plain numbers: float_data, raw_data, double_data.
_NUMBERS = frozenset({4, 9, 10})
#: Types of elements that are read, by their number in the format, as they lie in a file.
_TYPES = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2",
    11: "<f8", 12: "<u4", 13: "<u8", 16: "<u2",
}  # fmt: skip
_BFLOAT16 = 16
_EXTERNAL = 1


class OnnxFile:
    """A parsed ONNX file.

    Parameters
    ----------
    path
        The file; external data lies in its folder.

    Raises
    ------
    ModelError
        If it is missing, something else (says what), cut off, or too large.
    ImportError
        If onnx is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnx
        except ModuleNotFoundError as error:
            raise ImportError(
                f"reading {path} needs onnx, which is not installed: {how_to_install('onnx')}"
            ) from error
        self._path = path
        self._external_bytes = 0
        self._external_files: dict[Path, int] = {}
        if not is_regular(path):
            missing = identify(path).name == "missing"
            raise ModelError(f"no model file at {path}" if missing else refusal(path, "model"))
        try:
            data = self._read(path)
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error}") from error
        try:
            _check_text(data)
            model = onnx.ModelProto.FromString(data)
        except InputError as error:
            raise ModelError(f"{path} is no ONNX model that can be read: {error}") from None
        except Exception as error:  # protobuf raises kinds of its own
            raise ModelError(
                f"{path} is no ONNX model that can be read: it is cut off or damaged; export it "
                "again"
            ) from error
        wrong = "it has no graph" if not model.HasField("graph") else ""
        if not all(isinstance(name, str) for name in _names(model)):
            wrong = "it has names that are no text"  # protobuf gives them as bytes
        if wrong:
            raise ModelError(f"{path} is no ONNX model that can be read: {wrong}")
        #: The model; what its tensors hold is for :meth:`array` to read.
        self.model: ModelProto = model

    def array(self, tensor: TensorProto) -> npt.NDArray[Any]:
        """Read a tensor: real numbers as float32 or float64, else integers or truth values.

        Raises
        ------
        InputError
            If it has not the numbers that it promises, they are of another type, or lie where they
            must not. The message begins with the tensor's name.
        """
        name = f"tensor {shown(tensor.name)}"
        kind = _TYPES.get(tensor.data_type)
        if kind is None:
            raise InputError(f"{name} must hold real numbers or integers (its type is "
                             f"{tensor.data_type})")  # fmt: skip
        shape = tuple(tensor.dims)
        if any(size < 0 for size in shape):
            raise InputError(f"{name} must have a shape of positive sizes, not {shown(shape)}")
        dtype, count = np.dtype(kind), math.prod(shape)
        if tensor.data_location == _EXTERNAL:
            data = self._external(tensor, count * dtype.itemsize, name)
        elif tensor.HasField("raw_data"):
            data = tensor.raw_data
        else:
            return self._typed(tensor, dtype, shape, name)
        if len(data) != count * dtype.itemsize:
            raise InputError(
                f"{name} of shape {shown(shape)} must have {count * dtype.itemsize} bytes, not "
                f"{len(data)}"
            )
        return _widened(np.frombuffer(data, dtype).reshape(shape), tensor.data_type)

    def external_files(self) -> list[Path]:
        """Files beside the model that hold numbers of it, as far as they are there."""
        folder = self._path.parent.resolve()
        found = {
            place
            for tensor in self.model.graph.initializer
            for entry in tensor.external_data
            if entry.key == "location"
            and "\0" not in entry.value
            and (place := (folder / entry.value).resolve()).is_relative_to(folder)
            and is_regular(place)
        }
        return sorted(found)

    def _typed(
        self, tensor: TensorProto, dtype: np.dtype[Any], shape: tuple[int, ...], name: str
    ) -> npt.NDArray[Any]:
        """Read numbers that lie in fields of their type, 16-bit floats among the integers."""
        fields = {1: tensor.float_data, 11: tensor.double_data, 7: tensor.int64_data}
        values = fields.get(tensor.data_type, tensor.int32_data)
        if tensor.data_type in (12, 13):
            values = tensor.uint64_data
        if len(values) != math.prod(shape):
            raise InputError(
                f"{name} of shape {shown(shape)} must have {math.prod(shape)} numbers, not "
                f"{len(values)}"
            )
        if tensor.data_type in (10, _BFLOAT16):
            bits = np.array(values, np.int64).astype(np.uint16)
            return _widened(bits.view(dtype).reshape(shape), tensor.data_type)
        return _widened(np.array(values).astype(dtype).reshape(shape), tensor.data_type)

    def _external(self, tensor: TensorProto, size: int, name: str) -> bytes:
        """Read numbers that lie in another file."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        folder = self._path.parent.resolve()
        try:
            offset, length = int(entries.get("offset", "0")), int(entries.get("length", size))
            place = (folder / location).resolve()
        except (ValueError, OSError, RuntimeError) as error:
            raise InputError(f"{name} is at a place that is none: {error}") from None
        if not location or not place.is_relative_to(folder) or place == folder:
            raise InputError(
                f"{name} must lie in the model's own folder or below it, not at {shown(location)}"
            )
        if not is_regular(place):
            raise InputError(
                f"{name} is in the file {shown(location)}, which is missing beside the model: "
                "keep both together"
            )
        try:
            with place.open("rb") as file:
                there = place.stat().st_size
                if offset < 0 or length != size or offset + length > there:
                    raise InputError(
                        f"{name} must be {size} bytes of {shown(location)}, which has {there}, not "
                        f"{length} from {offset} on"
                    )
                # What is read once more is there once: a small file must not fill the memory.
                self._external_files[place] = there
                self._external_bytes += length
                if self._external_bytes > sum(self._external_files.values()):
                    raise InputError(f"{name} lies over other tensors in {shown(location)}")
                file.seek(offset)
                found: bytes = file.read(length)
                return found
        except OSError as error:
            raise InputError(f"{name} cannot be read from {shown(location)}: {error}") from None

    @staticmethod
    def _read(path: Path) -> bytes:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ModelError(f"{path} must take at most {_MOST_BYTES} bytes, not {size}")
        return path.read_bytes()


def _names(model: ModelProto) -> Iterator[str]:
    """All names that are looked at."""
    graph = model.graph
    for domain in model.opset_import:
        yield domain.domain
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    constants = (attribute.t for node in graph.node for attribute in node.attribute)
    for tensor in (*graph.initializer, *constants):
        yield tensor.name
        for entry in tensor.external_data:
            yield from (entry.key, entry.value)
    for value in (*graph.input, *graph.output):
        yield value.name
        for size in value.type.tensor_type.shape.dim:
            yield size.dim_param


def _widened(array: npt.NDArray[Any], kind: int) -> npt.NDArray[Any]:
    """float32 of 16-bit floats, which hold them exactly; all else as it is."""
    if kind == _BFLOAT16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _check_text(data: bytes) -> None:
    """Check how much of a model is no numbers of tensors; ends early where it is too much.

    Raises
    ------
    InputError
        If it is too much, or the message is cut off or none.
    """
    text = 0
    waiting = [("model", 0, len(data))]
    while waiting:
        kind, start, stop = waiting.pop()
        last = start
        for field, begin, end in _fields(data, start, stop):
            part = _PARTS.get(kind, {}).get(field)
            if part is not None:
                waiting.append((part, begin, end))
            inside = part is not None or (kind == "tensor" and field in _NUMBERS)
            text += (begin if inside else end) - last
            last = end
            if text > _MOST_TEXT:
                raise InputError(f"what is no numbers in it must take at most {_MOST_TEXT} bytes")


def _fields(data: bytes, place: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Give number, begin and end of each field of a message that has a length."""
    while place < stop:
        tag, place = _varint(data, place, stop)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            _, place = _varint(data, place, stop)
        elif wire in (1, 5):
            place += 8 if wire == 1 else 4
        elif wire == 2:
            length, place = _varint(data, place, stop)
            if place + length <= stop:
                yield field, place, place + length
            place += length
        else:
            raise InputError("it is damaged")
    if place != stop:
        raise InputError("it is cut off or damaged; export it again")


def _varint(data: bytes, place: int, stop: int) -> tuple[int, int]:
    value = shift = 0
    while place < stop and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise InputError("it is cut off or damaged; export it again")
