"""Saved ``torch.export`` programs (``.pt2``) from anywhere: checked, then read by torch.

``torch.export.load`` trusts its file: it unpickles what does not load safely, evaluates the texts
of symbolic sizes as Python, imports what a tree of arguments names, and calls whatever function of
torch a node names. So torch never sees the file. Its members are read and judged here, and what is
needed of them is written into a new archive in memory, which torch reads:

- only members that ``torch.export.save`` writes for a program of plain tensors, none compressed,
  so that nothing takes more memory than the file;
- pickles load with ``weights_only``, and example inputs are left out;
- the program names operations of ``aten`` and arithmetic on sizes, and holds no text that torch
  evaluates but the sums and products of sizes.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.text import shown

__all__ = ["load_saved_program"]

#: Nodes of a graph at most; torch takes milliseconds for each.
_MOST_NODES = 20_000
#: Bytes of the program's text at most.
_MOST_TEXT = 64 << 20
#: A tensor may repeat the values of its storage (an expanded one), up to as many bytes.
_REPEATED_BYTES = 1 << 20

#: Operations that a graph may hold. Each either is computed on tensors alone or refused by name
#: later; what reads or writes files is not among them.
_OPERATIONS = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+\.\w+"
    r"|torch\.ops\.higher_order\.wrap_with_(?:set_grad_enabled|autocast)"
    r"|_operator\.(?:add|sub|mul|floordiv|truediv|mod|pow|neg|pos|abs|eq|ne|lt|le|gt|ge|and_|or_"
    r"|not_|getitem)"
    r"|math\.(?:ceil|floor|trunc|sqrt)"
    r"|torch\.sym_(?:int|float|max|min|not|ite|sum|sqrt)"
    r"|torch\._sym_sqrt",
    re.ASCII,
)
#: Words in the text of a size, beside the names of symbols: what sympy writes of sums, products,
#: quotients and comparisons. A power is not among them, as a few digits would take all memory.
_SIZE_WORDS = re.compile(
    r"Symbol|Dummy|Integer|Rational|Add|Mul|Mod|PythonMod|FloorDiv|CleanDiv|CeilDiv"
    r"|CeilToInt|FloorToInt|TruncToInt|IntTrueDiv|ToFloat|Max|Min|Eq|Ne|Gt|Ge|Lt|Le"
    r"|Equality|Unequality|StrictGreaterThan|GreaterThan|StrictLessThan|LessThan|And|Or"
    r"|Not|True|False|true|false|positive|nonnegative|integer|oo|int_oo",
    re.ASCII,
)
_SIZE_TOKENS = re.compile(
    r"(?P<word>[A-Za-z_]\w*)|'(?P<symbol>[A-Za-z_]\w*)'|[0-9]{1,19}(?!\w)|\*(?!\*)"
    r"|//?|<=?|>=?|==|!=|[-+(),=&|~ ]",
    re.ASCII,
)
_SYMBOL = re.compile(r"[a-z]{1,5}[0-9]+", re.ASCII)
_MOST_SIZE_TEXT = 500
#: Containers of arguments and results.
_CONTAINERS = frozenset({None, "builtins.tuple", "builtins.list", "builtins.dict"})

# Members, by format. Names of tensors are those that a configuration gives.
_NEW_PREFIXES = ("data/weights/", "data/constants/")
_NEW_TEXTS = frozenset({"archive_format", "archive_version", "byteorder", ".data/version"})
_OLD_PICKLES = ("serialized_state_dict.pt", "serialized_constants.pt")
_OLD_PROGRAM, _OLD_EXAMPLES = "serialized_exported_program.json", "serialized_example_inputs.pt"


def load_saved_program(path: Path) -> ExportedProgram:
    """Read what ``torch.export.save`` of torch 2.6 or later wrote, without trusting it.

    Raises
    ------
    ModelError
        If the file is missing, is something else (says what), holds what only a pickle or code
        could bring back, or is of a version that torch does not read.
    """
    if not is_regular(path):
        missing = identify(path).name == "missing"
        raise ModelError(f"no model file at {path}" if missing else refusal(path, "model"))
    if identify(path).name not in ("program", "zip"):
        raise ModelError(refusal(path, "model"))
    try:
        with path.open("rb") as file, Archive(file) as archive:
            copy = _checked_copy(archive, path.stat().st_size)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error}") from error
    except InputError as error:
        raise ModelError(
            f"{path} is no saved torch.export program that is safe to read: {error}; write it "
            "with torch.export.save(torch.export.export(...), path)"
        ) from error
    return torch.export.load(copy)


def _checked_copy(archive: Archive, file_bytes: int) -> io.BytesIO:
    """Write an archive of what was checked.

    Raises
    ------
    InputError
        If there is anything that torch must not see.
    """
    if not archive.stored or sum(archive.sizes.values()) > file_bytes:
        raise InputError("its members must not be compressed or overlap, which torch's are not")
    old = _OLD_PROGRAM in archive.sizes
    members = _old_members(archive) if old else _new_members(archive)
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as made:
        for name, data in members.items():
            made.writestr(name, data)
    copy.seek(0)
    return copy


def _old_members(archive: Archive) -> dict[str, bytes]:
    """Members of torch 2.6 and 2.7: a program, and pickles of its tensors."""
    known = {"version", _OLD_PROGRAM, _OLD_EXAMPLES, *_OLD_PICKLES}
    _check_names(archive, known, ("extra_files/",), "")
    members = {"version": archive.read("version")}
    members[_OLD_PROGRAM] = _checked_program(archive, _OLD_PROGRAM)
    for name in _OLD_PICKLES:
        members[name] = _checked_pickle(archive, name)
    members[_OLD_EXAMPLES] = b""
    return members


def _new_members(archive: Archive) -> dict[str, bytes]:
    """Members since torch 2.8, all in one folder: a program, its tensors' bytes, their shapes."""
    folder = next(iter(archive.sizes), "").partition("/")[0] + "/"
    program, examples = "models/model.json", "data/sample_inputs/model.pt"
    known = {*_NEW_TEXTS, ".data/serialization_id", program, examples}
    _check_names(archive, known, (*_NEW_PREFIXES, "extra/"), folder)
    members = {
        name: archive.read(folder + name) for name in _NEW_TEXTS if folder + name in archive.sizes
    }
    members[program] = _checked_program(archive, folder + program)
    members[examples] = b""
    for prefix in _NEW_PREFIXES:
        pickled = f"{prefix}model.pt"
        if folder + pickled in archive.sizes:  # as torch 2.8 has it
            members[pickled] = _checked_pickle(archive, folder + pickled)
            continue
        configuration = f"{prefix}model_{prefix.split('/')[1]}_config.json"
        text, payloads = _checked_configuration(archive, folder + configuration)
        members[configuration] = text
        for name, most in payloads.items():
            data = archive.read(f"{folder}{prefix}{name}")
            if most > len(data) + _REPEATED_BYTES:
                raise InputError(
                    f"a tensor takes {most} bytes, and its values {name!r} have {len(data)}"
                )
            members[prefix + name] = data
    return {f"model/{name}": data for name, data in members.items()}


def _check_names(archive: Archive, known: set[str], prefixes: tuple[str, ...], folder: str) -> None:
    for name in archive.sizes:
        inside = name.removeprefix(folder)
        if not name.startswith(folder) or not (inside in known or inside.startswith(prefixes)):
            raise InputError(f"it has a member {shown(name)}, which is no part of a plain program")


def _json(data: bytes, what: str) -> Any:
    if len(data) > _MOST_TEXT:
        raise InputError(f"{what} must take at most {_MOST_TEXT} bytes, not {len(data)}")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is no JSON: {error}") from None


def _checked_pickle(archive: Archive, name: str) -> bytes:
    """Read a pickle of tensors, written by ``torch.save``, if it is one that runs nothing."""
    data = archive.read(name)
    if not data:
        return data
    # An archive again, whose members must take no more than it.
    with Archive(io.BytesIO(data)) as inner:
        if not inner.stored or sum(inner.sizes.values()) > len(data):
            raise InputError(f"the members of {name!r} must not be compressed or overlap")
    try:
        tensors = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:  # the safe unpickler names what it refuses, in many ways
        raise InputError(
            f"its pickle {name!r} holds more than tensors, which would run code to be read "
            f"({str(error).strip().splitlines()[0][:200]})"
        ) from error
    if not isinstance(tensors, dict):
        raise InputError(f"its pickle {name!r} must hold tensors by name")
    for label, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise InputError(f"its {shown(label)} must be a tensor, not {type(tensor).__name__}")
        if tensor.numel() * tensor.element_size() > len(data) + _REPEATED_BYTES:
            raise InputError(f"its tensor {shown(label)} is larger than the values it has")
    return data


def _checked_configuration(archive: Archive, name: str) -> tuple[bytes, dict[str, int]]:
    """Read which bytes are which tensors; also gives the bytes that each payload must have."""
    document = _json(archive.read(name), name)
    table = document.get("config") if isinstance(document, dict) else None
    if not isinstance(table, dict):
        raise InputError(f"{name!r} must have a table 'config'")
    payloads: dict[str, int] = {}
    for label, entry in table.items():
        if not isinstance(entry, dict) or entry.get("use_pickle") is not False:
            raise InputError(
                f"its {shown(label)} is pickled, which would run code to be read: only plain "
                "tensors are taken"
            )
        payload = entry.get("path_name")
        if not isinstance(payload, str) or not re.fullmatch(r"(?:weight|tensor)_[0-9]+", payload):
            raise InputError(
                f"its {shown(label)} is in {shown(payload)}, which is none of the tensors' names"
            )
        payloads[payload] = max(payloads.get(payload, 0), _tensor_bytes(entry, label))
    _check_texts(document)
    return json.dumps(document).encode(), payloads


def _tensor_bytes(entry: dict[str, Any], label: str) -> int:
    """Bytes of a tensor with the shape of a configuration's entry; element sizes are at most 16."""
    try:
        sizes = [size["as_int"] for size in entry["tensor_meta"]["sizes"]]
        kind = entry["tensor_meta"]["dtype"]
        if not all(type(number) is int and number >= 0 for number in (*sizes, kind)):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise InputError(f"its tensor {shown(label)} has no shape") from None
    size: int = math.prod(sizes, start=_ITEM_BYTES.get(kind, 16))
    return size


#: Bytes of an element by its number in the format (torch._export.serde.schema.ScalarType).
_ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 12: 1, 13: 2}


def _checked_program(archive: Archive, name: str) -> bytes:
    """Read a program's graph, without whatever of it is text that torch would look into."""
    document = _json(archive.read(name), "its program")
    if not isinstance(document, dict):
        raise InputError("its program must be an object")
    document["guards_code"] = []  # Python, for a module that nobody makes of this program
    _check_texts(document)
    return json.dumps(document).encode()


def _check_texts(document: Any) -> None:
    """Check every text of a program that torch evaluates, imports by or looks a function up by.

    They are found by the names of their fields, wherever those are: a field that moves with a
    version of the format is found, too.
    """
    nodes = 0
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
            continue
        if not isinstance(value, dict):
            continue
        waiting += value.values()
        # Where the keys are names of values, one may be "target"; torch takes only texts for one.
        is_node = "target" in value and not isinstance(value["target"], dict)
        if is_node:
            _check_operation(value["target"])
        if "as_operator" in value:
            _check_operation(value["as_operator"])
        if "expr_str" in value:
            _check_size(value["expr_str"])
        for field in ("in_spec", "out_spec"):
            if field in value:
                _check_containers(value[field])
        for field in ("as_custom_obj", "custom_obj", "custom_obj_values", "class_fqn"):
            if value.get(field):
                raise InputError("it holds objects of classes of its own, which would run code")
        if isinstance(value.get("range_constraints"), dict):
            for text in value["range_constraints"]:
                _check_size(text)
        if "treespec_namedtuple_fields" in value:
            value["treespec_namedtuple_fields"] = {}
        if (is_node or "graph" in value) and isinstance(value.get("metadata"), dict):
            # Of a node, only where it comes from is told of it.
            kept = value["metadata"].get("nn_module_stack")
            value["metadata"] = {"nn_module_stack": kept} if isinstance(kept, str) else {}
        nodes += is_node
    if nodes > _MOST_NODES:
        raise InputError(f"its graph must have at most {_MOST_NODES} nodes, not {nodes}")


def _check_operation(target: Any) -> None:
    if not isinstance(target, str) or not _OPERATIONS.fullmatch(target):
        raise InputError(f"it calls {shown(target)}, which is none of the operations on tensors")


def _check_size(text: Any) -> None:
    """Check a size: sympy evaluates its text as Python."""
    if not isinstance(text, str) or len(text) > _MOST_SIZE_TEXT or not _is_size(text):
        raise InputError(f"it has a size {shown(text)}, which is no sum or product of sizes")


def _is_size(text: str) -> bool:
    place = 0
    while place < len(text):
        token = _SIZE_TOKENS.match(text, place)
        if token is None:
            return False
        word, symbol = token.group("word"), token.group("symbol")
        if word is not None and not (_SIZE_WORDS.fullmatch(word) or _SYMBOL.fullmatch(word)):
            return False
        if symbol is not None and not _SYMBOL.fullmatch(symbol):
            return False
        place = token.end()
    return True


def _check_containers(text: Any) -> None:
    """Check a tree of arguments: containers of a type of its own are imported by their names."""
    tree = _json(text.encode(), "a tree of arguments") if isinstance(text, str) else None
    if not isinstance(tree, list) or len(tree) != 2:
        raise InputError(f"it has a tree of arguments {shown(text)}")
    waiting = [tree[1]]
    while waiting:
        node = waiting.pop()
        fine = isinstance(node, dict) and isinstance(node.get("children_spec"), list)
        if not fine or node.get("type") not in _CONTAINERS or not _plain(node.get("context")):
            raise InputError(
                "its arguments and results must be tensors in tuples, lists or dictionaries, not "
                f"{shown(node.get('type') if isinstance(node, dict) else node)}"
            )
        waiting += node["children_spec"]


def _plain(context: Any) -> bool:
    """Whether the context of a container is nothing, or a list of names."""
    if context is None:
        return True
    keys = _json(context.encode(), "a context") if isinstance(context, str) else context
    return keys is None or (
        isinstance(keys, list) and all(isinstance(key, (str, int)) for key in keys)
    )
