"""Saved programs made to do harm: read without running anything, or refused.

Each attack would make a file; torch.export.load makes it, and eie must not.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from eie.hls.boundary.errors import ModelError
from eie.host.compress import compress, read_model
from eie.host.compress.program import Model

Members = dict[str, bytes]
PROGRAM, EXAMPLES = "models/model.json", "data/sample_inputs/model.pt"
WEIGHTS = "data/weights/model_weights_config.json"
BATCH = ({0: torch.export.Dim("batch")},)


def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4)).eval()


def exported(model: nn.Module, *, dynamic: bool = True) -> torch.export.ExportedProgram:
    shapes = BATCH if dynamic else None
    return torch.export.export(model, (torch.zeros(2, 8),), dynamic_shapes=shapes)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model.pt2"
    torch.export.save(exported(module()), path)
    return path


@pytest.fixture
def members(saved) -> Members:
    """Contents of a good file, by name inside of its folder."""
    with zipfile.ZipFile(saved) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def pack(path: Path, members: Members, folder: str = "model/", compression: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(folder + name, data)
    return path


def edited(members: Members, name: str, edit: Callable[[Any], object]) -> Members:
    document = json.loads(members[name])
    edit(document)
    return {**members, name: json.dumps(document).encode()}


def refusal(path: Model) -> str:
    with pytest.raises(ModelError) as caught:
        read_model(path)
    return str(caught.value)


def same(first: Model, second: Model) -> bool:
    one, two = read_model(first), read_model(second)
    return all(
        np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias)
        for a, b in zip(one.layers, two.layers, strict=True)
    )


@pytest.mark.parametrize("dynamic", [True, False])
def test_what_torch_saves_is_read(dynamic, tmp_path):
    path = tmp_path / "model.pt2"
    torch.export.save(exported(module(), dynamic=dynamic), path, extra_files={"note.txt": "kept"})
    assert same(path, module())


def test_weights_of_other_kinds_are_read(tmp_path):
    for kind in (torch.float64, torch.float16, torch.bfloat16):
        model = nn.Sequential(nn.Linear(8, 4)).to(kind)
        program = torch.export.export(model, (torch.zeros(2, 8, dtype=kind),))
        torch.export.save(program, tmp_path / "model.pt2")
        assert same(tmp_path / "model.pt2", model)


@pytest.mark.filterwarnings("ignore:The tensor attribute:UserWarning")
def test_a_pruned_model_is_read(tmp_path):
    model = nn.Sequential(nn.Linear(8, 4))
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    path = tmp_path / "model.pt2"
    torch.export.save(exported(model), path)
    assert same(path, model)


def tensors(values: dict[str, torch.Tensor]) -> bytes:
    file = io.BytesIO()
    torch.save(values, file)
    return file.getvalue()


def old_members(members: Members) -> Members:
    """As torch 2.6 and 2.7 wrote them: pickles of tensors beside the program."""
    program = exported(module())
    return {
        "version": b"8.8",
        "serialized_exported_program.json": members[PROGRAM],
        "serialized_state_dict.pt": tensors(dict(program.state_dict)),
        "serialized_constants.pt": tensors({}),
        "serialized_example_inputs.pt": members[EXAMPLES],
    }


def half_old_members(members: Members) -> Members:
    """As torch 2.8 wrote them: the new folders, and pickles in them."""
    kept = {name: data for name, data in members.items() if "weight" not in name}
    kept.pop("data/constants/model_constants_config.json")
    old = old_members(members)
    return {
        **kept,
        "data/weights/model.pt": old["serialized_state_dict.pt"],
        "data/constants/model.pt": old["serialized_constants.pt"],
    }


def test_files_of_earlier_versions_are_read(members, tmp_path):
    assert same(pack(tmp_path / "old.pt2", old_members(members), ""), module())
    assert same(pack(tmp_path / "half.pt2", half_old_members(members)), module())


# Attacks -----------------------------------------------------------------------------------


class Trap:
    """Pickled, it makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.path,)


def trap(path: Path) -> bytes:
    file = io.BytesIO()
    torch.save((Trap(path),), file)
    return file.getvalue()


def pickled_weight(members: Members, sprung: Path) -> Members:
    def edit(document: Any) -> None:
        document["config"]["0.weight"]["use_pickle"] = True

    return {**edited(members, WEIGHTS, edit), "data/weights/weight_0": trap(sprung)}


def with_size(members: Members, sprung: Path) -> Members:
    def edit(document: Any) -> None:
        size = document["graph_module"]["graph"]["tensor_values"]["linear"]["sizes"][0]
        size["as_expr"]["expr_str"] = f"__import__('os').mkdir('{sprung}')"

    return edited(members, PROGRAM, edit)


def with_opaque(members: Members, sprung: Path) -> Members:
    def edit(document: Any) -> None:
        document["config"]["x"] = {"path_name": "opaque_obj_0", "is_param": False,
                                   "use_pickle": True, "tensor_meta": None}  # fmt: skip

    name = "data/constants/model_constants_config.json"
    return {
        **edited(members, name, edit),
        "data/constants/opaque_obj_0": pickle.dumps(Trap(sprung)),
    }


ATTACKS: dict[str, Callable[[Members, Path], Members]] = {
    "example inputs": lambda members, sprung: {**members, EXAMPLES: trap(sprung)},
    "a pickled weight": pickled_weight,
    "an opaque constant": with_opaque,
    "the text of a size": with_size,
    "a pickled state": lambda members, sprung: {
        **half_old_members(members), "data/weights/model.pt": trap(sprung),
    },
    "pickled constants": lambda members, sprung: {
        **half_old_members(members), "data/constants/model.pt": trap(sprung),
    },
}  # fmt: skip

#: Attacks that are no danger once what they are in is left out.
HARMLESS = {"example inputs"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_run(attack, members, tmp_path):
    sprung = tmp_path / "sprung"
    path = pack(tmp_path / "evil.pt2", ATTACKS[attack](members, sprung))
    if attack in HARMLESS:
        assert same(path, module())
    else:
        assert "is no saved torch.export program that is safe to read" in refusal(path)
    assert not sprung.exists()


@pytest.mark.parametrize("attack", ["example inputs", "a pickled weight", "the text of a size"])
def test_the_attacks_are_real(attack, members, tmp_path):
    """Torch itself runs them: else the test above would show nothing."""
    sprung = tmp_path / "sprung"
    path = pack(tmp_path / "evil.pt2", ATTACKS[attack](members, sprung))
    program = "import sys, torch; torch.export.load(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, path], capture_output=True, check=False)
    assert sprung.exists()


def test_a_pickle_in_an_old_file_is_not_run(members, tmp_path):
    for name in ("serialized_state_dict.pt", "serialized_constants.pt"):
        path = pack(tmp_path / "evil.pt2", {**old_members(members), name: trap(tmp_path / "s")}, "")
        assert "holds more than tensors, which would run code" in refusal(path)
    evil = {**old_members(members), "serialized_example_inputs.pt": trap(tmp_path / "s")}
    assert same(pack(tmp_path / "evil.pt2", evil, ""), module())
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "target",
    ["torch.load", "torch.hub.load", "torch.ops.load_library", "torch.utils.cpp_extension.load",
     "torch.ops.aten.from_file.default", "_operator.methodcaller", "math.factorial", "#ext:x",
     "torch.ops.aten.relu.default.__class__", "torch.ops.mine.op.default", "os.system", "", 3,
     "torch.ops.higher_order.flat_apply", "_operator.itemgetter", ["torch.load"]],
)  # fmt: skip
def test_other_operations_are_refused(target, members, tmp_path):
    def edit(document: Any) -> None:
        document["graph_module"]["graph"]["nodes"][2]["target"] = target

    message = refusal(pack(tmp_path / "evil.pt2", edited(members, PROGRAM, edit)))
    assert "which is none of the operations on tensors" in message


@pytest.mark.parametrize(
    "text",
    ["9**9**9**9", "exec('x')", "s0.__class__", "[s0]", "Symbol('a b')", "lambda: 0", "1e999999",
     "Symbol('__import__')", "eval", "open('x')", "s0 if s0 else s0", "9" * 40, "s0\n", "s0;s0",
     "Pow(9, 9)", "factorial(10)", "'s0'.join", "Symbol(\"x\")", "(" * 600, ["exit()"], None],
)  # fmt: skip
def test_texts_that_are_no_sizes_are_refused(text, members, tmp_path):
    def edit(document: Any) -> None:
        size = document["graph_module"]["graph"]["tensor_values"]["linear"]["sizes"][0]
        size["as_expr"]["expr_str"] = text

    message = refusal(pack(tmp_path / "evil.pt2", edited(members, PROGRAM, edit)))
    assert "which is no sum or product of sizes" in message


@pytest.mark.parametrize(
    ("kind", "context"),
    [
        ("collections.namedtuple", '"os.system"'),
        ("collections.defaultdict", '{"default_factory_module": "antigravity"}'),
        ("builtins.dict", '{"__enum__": true, "fqn": "antigravity:x", "name": "x"}'),
        ("builtins.tuple", '[{"__enum__": true, "fqn": "antigravity:x", "name": "x"}]'),
        ("mine.Type", "null"),
    ],
)
def test_containers_that_import_something_are_refused(kind, context, members, tmp_path):
    def edit(document: Any) -> None:
        spec = [1, {"type": kind, "context": context, "children_spec": []}]
        document["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = json.dumps(spec)

    message = refusal(pack(tmp_path / "evil.pt2", edited(members, PROGRAM, edit)))
    assert "must be tensors in tuples, lists or dictionaries" in message
    assert "antigravity" not in sys.modules


def test_python_that_guards_a_program_is_left_out(members, tmp_path):
    def edit(document: Any) -> None:
        document["guards_code"] = [f"__import__('os').mkdir('{tmp_path / 'sprung'}')"]

    assert same(pack(tmp_path / "model.pt2", edited(members, PROGRAM, edit)), module())
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("value", [10**7, 10**12, -1, "8", None, 2**70])
def test_a_tensor_larger_than_its_values_is_refused(value, members, tmp_path):
    """With a stride of 0, a few values would become a matrix that fills the memory."""

    def edit(document: Any) -> None:
        meta = document["config"]["0.weight"]["tensor_meta"]
        meta["sizes"] = [{"as_int": value}, {"as_int": 1}]
        meta["strides"] = [{"as_int": 0}, {"as_int": 0}]

    refusal(pack(tmp_path / "evil.pt2", edited(members, WEIGHTS, edit)))


def test_a_weight_computed_beyond_all_bounds_is_refused(tmp_path):
    class Large(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.linear(x, self.weight.expand(1 << 22, 8) + 1)

    path = tmp_path / "large.pt2"
    torch.export.save(exported(Large()), path)
    assert "bytes of the model's parameters; at most" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_archives_that_torch_does_not_write_are_refused(members, tmp_path):
    path = tmp_path / "evil.pt2"
    assert "must not be compressed" in refusal(
        pack(path, members, compression=zipfile.ZIP_DEFLATED)
    )
    assert "no part of a plain program" in refusal(pack(path, {**members, "other": b""}))
    aoti = {**members, "data/aotinductor/model/x.so": b"\x7fELF"}
    assert "machine code" in refusal(pack(path, aoti))
    with zipfile.ZipFile(pack(path, members), "a") as archive:
        archive.writestr(f"model/{PROGRAM}", members[PROGRAM])
    assert "two members of one name" in refusal(path)
    for name in members:
        fewer = {each: data for each, data in members.items() if each != name}
        pack(path, fewer)
        try:
            assert same(path, module())
        except ModelError:
            continue


def test_damaged_files_are_read_or_refused(saved, tmp_path):
    data = saved.read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "damaged.pt2"
    for _ in range(60):
        damaged = bytearray(data)
        start, length = int(random.integers(len(data))), int(random.integers(1, 40))
        damaged[start : start + length] = random.bytes(length)
        path.write_bytes(damaged[: len(data) if random.random() < 0.8 else start])
        try:
            compress(path)
        except ModelError as error:
            assert str(path) in str(error) or "model" in str(error)


def test_an_argument_may_be_called_as_fields_are(tmp_path):
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 4)

        def forward(self, target: torch.Tensor) -> torch.Tensor:
            metadata: torch.Tensor = self.fc(target)
            return metadata

    model = Named()
    path = tmp_path / "model.pt2"
    torch.export.save(exported(model), path)
    assert same(path, model)
