"""What a file is, by its contents: for refusals that say so, and what makes the file usable.

Only names and first bytes are looked at. Nothing is unpickled, parsed as a model or run: of a
pickle, the names that it would import are listed (:mod:`pickletools`).
"""

from __future__ import annotations

import contextlib
import io
import os
import pickletools
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.errors import InputError
from eie.hls.boundary.npy import MAGIC as NPY_MAGIC

__all__ = ["MODELS", "FileKind", "Wanted", "identify", "is_regular", "refusal"]

#: What a command wants a file to be.
Wanted = Literal["network", "model", "array", "design", "project"]

#: Kinds of files that hold a model to be compressed.
MODELS = frozenset({"program", "onnx", "keras"})

_WANTED: dict[Wanted, str] = {
    "network": "a network file (.npz)",
    "model": "a saved torch.export program (.pt2), an ONNX (.onnx) or a Keras 3 model (.keras)",
    "array": "a .npy file of numbers",
    "design": "a design file (DESIGN.toml)",
    "project": "a project folder, as `eie generate` writes one",
}
#: What makes a file of a kind, for one that tells nothing of what it was meant to be.
_MAKERS: dict[Wanted, str] = {
    "network": "`eie compress` makes a network file of a model",
    "design": "`eie fit` makes one for a network",
    "project": "`eie generate` makes one of a design",
}
_EXPORT = "torch.export.save(torch.export.export(module.eval(), (example,)), 'model.pt2')"
_COMPRESS = "`eie compress MODEL.pt2 --out NET.npz` makes a network file of it"
_COMPRESS_IT = "`eie compress MODEL --out NET.npz` makes a network file of it"
_TO_TORCH = f"build the same layers in torch, copy the weights over, and save with {_EXPORT}"
_MODULE = f"load it where its classes are, and save with {_EXPORT}"


@dataclass(frozen=True)
class FileKind:
    """What a file is."""

    #: A word for programs, such as ``"state_dict"``.
    name: str
    #: A noun phrase for messages, with its article.
    text: str
    #: What makes it usable, if anything does.
    advice: str = ""


_KINDS = {
    kind.name: kind
    for kind in (
        FileKind("missing", "missing", "check the path"),
        FileKind("special", "a device, pipe or socket", "copy it to a file first"),
        FileKind("unreadable", "a file that cannot be read", "check its permissions"),
        FileKind("empty", "an empty file", "what should have written it has failed"),
        FileKind(
            "project",
            "a project folder",
            "`eie simulate` and `eie run --emulated-board` take it; its design is its design.toml",
        ),
        FileKind("saved_model", "a TensorFlow SavedModel folder", _TO_TORCH),
        FileKind(
            "flow",
            "a folder of `eie flow`",
            "its network is network.npz, its design design.toml, its project the folder project",
        ),
        FileKind(
            "explored",
            "a folder of `eie explore`",
            "`eie explore FOLDER --pick N --out DESIGN.toml` takes a design out of it",
        ),
        FileKind("folder", "a folder", "name a file in it"),
        FileKind(
            "network",
            "a compressed network (.npz)",
            "fit, emulate, simulate and run take it",
        ),
        FileKind("npz", "an .npz archive of arrays", "save one array with numpy.save"),
        FileKind("array", "a single array (.npy)", "--inputs and --calibration take it"),
        FileKind("program", "a saved torch.export program", _COMPRESS),
        FileKind(
            "compiled",
            "a package of AOTInductor, which holds machine code",
            f"save the program itself with {_EXPORT}",
        ),
        FileKind("torchscript", "a TorchScript archive", f"from its source, save with {_EXPORT}"),
        FileKind(
            "state_dict",
            "a state_dict (weights without their module)",
            "in Python, eie.convert(module, state_dict=path) takes it with its module; or build "
            "the module, module.load_state_dict(torch.load(path, weights_only=True)), and save "
            f"with {_EXPORT}",
        ),
        FileKind("module", "a module pickled by torch.save", _MODULE),
        FileKind(
            "quantized",
            "a quantised module pickled by torch.save",
            f"eie quantises itself: take the float module, and save with {_EXPORT}",
        ),
        FileKind("torch", "a file of torch.save", _MODULE),
        FileKind("pickle", "a pickle", _MODULE),
        FileKind("onnx", "an ONNX model", _COMPRESS_IT),
        FileKind(
            "safetensors",
            "a safetensors file (weights without their module)",
            f"build the module, load its weights with safetensors.torch, and save with {_EXPORT}",
        ),
        FileKind("keras", "a Keras model (.keras)", _COMPRESS_IT),
        FileKind(
            "hdf5",
            "an HDF5 file, such as Keras' .h5",
            "of a whole model: load it in Keras and save it with model.save('model.keras')",
        ),
        FileKind("tflite", "a TensorFlow Lite model", _TO_TORCH),
        FileKind("executorch", "an ExecuTorch program", f"from its source, save with {_EXPORT}"),
        FileKind("gguf", "a GGUF file (weights without their module)", _TO_TORCH),
        FileKind("bitstream", "a bitstream (.bit)", "`eie run --bitstream` takes it"),
        FileKind(
            "design",
            "a design file (DESIGN.toml)",
            "`eie emulate --design` and `eie generate` take it",
        ),
        FileKind("hwh", "a hardware description (.hwh)", "it lies beside the .bit, which is given"),
        FileKind("package", "a package of `eie package`", "`eie deploy` takes it to a board"),
        FileKind("zip", "a zip archive", "unpack it, or see whether it is whole"),
        FileKind("compressed", "a compressed file", "unpack it first"),
        FileKind(
            "text",
            "a text file",
            "numbers as text are read by numpy.loadtxt and written by numpy.save",
        ),
        FileKind("binary", "a binary file of an unknown kind", "see what has written it"),
    )
}

#: Kinds by their first bytes, or by those at an offset.
_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, NPY_MAGIC, "array"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"GGUF", "gguf"),
    (4, b"TFL3", "tflite"),
    (4, b"ET12", "executorch"),
    (0, b"\x00\x09\x0f\xf0\x0f\xf0\x0f\xf0\x0f\xf0\x00\x00\x01", "bitstream"),
    (0, b"\x1f\x8b", "compressed"),
    (0, b"\xfd7zXZ\x00", "compressed"),
    (0, b"BZh", "compressed"),
    (0, b"(\xb5/\xfd", "compressed"),
    (0, b"7z\xbc\xaf\x27\x1c", "compressed"),
)
#: What files begin with; enough for the text of a design or the header of a tensor file.
_HEAD_BYTES = 4096
#: Bytes of a pickle that are looked through for the names that it would import.
_PICKLE_BYTES = 1 << 20
#: Version field of an ONNX model (protobuf), then the tag of a field that follows it.
_ONNX = re.compile(rb"\x08[\x01-\x20](?:[\x12\x1a\x22\x32\x3a\x42][^\x00]|\x28.)", re.DOTALL)


def identify(path: str | os.PathLike[str]) -> FileKind:
    """Say what is at `path`; never raises, runs nothing, and reads a few kilobytes."""
    return _KINDS[_identify(Path(path))]


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file that ends, which no folder, device or pipe is; never raises."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def refusal(path: str | os.PathLike[str], wanted: Wanted) -> str:
    """Say that a file is not what it must be, but what it is, and what makes it usable."""
    kind = identify(path)
    if kind.name == "missing":
        return f"no file {path}"
    advice = kind.advice
    if kind.name in ("text", "npz", "binary") and wanted in _MAKERS:
        advice = _MAKERS[wanted]
    return f"{path} must be {_WANTED[wanted]}, not {kind.text}" + (f": {advice}" if advice else "")


def _identify(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return "missing"
    try:
        if stat.S_ISDIR(mode):
            return _folder(path)
        if not stat.S_ISREG(mode):
            return "special"
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if head.startswith(b"PK"):
                file.seek(0)
                return _archive(file)
            return _first_bytes(head, file.seek(0, os.SEEK_END))
    except (OSError, InputError):
        return "unreadable"


def _folder(path: Path) -> str:
    if (path / "flow.json").is_file():
        return "flow"
    if (path / "design.toml").is_file() or (path / "kernel" / "eie.cpp").is_file():
        return "project"
    if (path / "points.jsonl").is_file():
        return "explored"
    return "saved_model" if (path / "saved_model.pb").is_file() else "folder"


def _archive(file: io.BufferedReader) -> str:
    try:
        archive = Archive(file)
    except InputError:
        return "zip"
    with archive:
        names = set(archive.sizes)
        if {"header.npy", "sha256.npy"} <= names:
            return "network"
        if {"package.json", "run.py", "SHA256SUMS"} <= {name.rpartition("/")[2] for name in names}:
            return "package"
        if names and all(name.endswith(".npy") for name in names):
            return "npz"
        if {"config.json", "metadata.json"} <= names:
            return "keras"
        if "serialized_exported_program.json" in names:
            return "program"
        # Everything of torch's own writer lies in one folder, whose name says nothing.
        inside = {name.partition("/")[2]: name for name in names}
        if any(name.startswith(("data/aotinductor/", "aotinductor/")) for name in inside):
            return "compiled"
        if any(name.startswith("models/") and name.endswith(".json") for name in inside):
            return "program"
        if "constants.pkl" in inside or any(name.startswith("code/") for name in inside):
            return "torchscript"
        if "data.pkl" in inside:
            with contextlib.suppress(InputError):
                kind = _pickled(archive.head(inside["data.pkl"], _PICKLE_BYTES))
                return "torch" if kind == "pickle" else kind
            return "torch"
        return "zip"


def _first_bytes(head: bytes, size: int) -> str:
    if not head:
        return "empty"
    for offset, magic, kind in _MAGICS:
        if head[offset:].startswith(magic):
            return kind
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= length <= size - 8:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _pickled(head)
    if _ONNX.match(head):
        return "onnx"
    return _text(head)


def _text(head: bytes) -> str:
    text = None
    for cut in range(4):  # the end may be in the middle of a character
        with contextlib.suppress(UnicodeDecodeError):
            text = head[: len(head) - cut].decode("utf-8")
            break
    if text is None or "\0" in text:
        return "binary"
    if re.search(r"^\s*\[design\]", text, re.MULTILINE):
        return "design"
    if "<EDKSYSTEM" in text:
        return "hwh"
    return "text"


def _pickled(data: bytes) -> str:
    """Tell weights, modules and other pickles apart by what they would import."""
    imports: set[str] = set()
    strings: list[str] = []
    # Cut off in the middle, or no pickle after all: what was found before counts.
    with contextlib.suppress(Exception):
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "GLOBAL":
                imports.add(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                imports.add(".".join(strings[-2:]))
            elif isinstance(argument, str):
                strings.append(argument)
    tensors = any(name.startswith(("torch._utils.", "torch.storage.")) for name in imports)
    modules = [name for name in imports if ".modules." in name or ".nn." in name]
    if any("quantized" in name for name in imports):
        return "quantized"
    others = [
        name
        for name in imports
        if not name.startswith(("torch._utils.", "torch.storage.", "collections."))
        and not re.fullmatch(
            r"torch\.\w*(Storage|Tensor|Size|device)|torch\.serialization\.\w+", name
        )
    ]
    if modules or (tensors and others):
        return "module"
    if tensors:
        return "state_dict"
    return "torch" if any(name.startswith("torch.") for name in imports) else "pickle"
