"""Parameters and buffers of an exported program, and what is computed from them alone.

A weight in a graph need not be a parameter: it may be its transpose, its product with a pruning
mask (``torch.nn.utils.prune``), or a codebook looked up by codes (a parametrization). All of
these are evaluated here with torch itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import fx
from torch.export import ExportedProgram

from eie.hls.boundary.errors import ModelError

__all__ = ["Constants", "describe", "module_path", "operation"]

_TRANSPOSES = frozenset({"aten.t.default", "aten.permute.default", "aten.transpose.int"})

#: What is computed of a model's parameters may take: this many times them, and as much as this
#: anyway. A codebook that is looked up takes eight times its codes.
_MAX_RATIO, _ALWAYS_BYTES = 16, 64 << 20


def operation(node: fx.Node) -> str:
    """Name of what a node does, such as ``aten.linear.default``."""
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target)
    return str(getattr(node.target, "__name__", node.target))


def describe(node: fx.Node) -> str:
    """Name a node for a message: its name, operation, and module where known."""
    path, kind = _module(node)
    name = kind.rpartition(".")[2]
    place = f", module {path!r} of type {name}" if path else f" in {name}" if name else ""
    return f"node {node.name!r} ({operation(node)}{place})"


def module_path(node: fx.Node) -> str:
    """Path of the innermost module that a node comes from; empty where unknown."""
    return _module(node)[0]


def _module(node: fx.Node) -> tuple[str, str]:
    """Path and type of the innermost module that a node comes from; empty where unknown."""
    stack = node.meta.get("nn_module_stack") or {}
    path, kind = next(reversed(stack.values()), ("", ""))
    return str(path), kind if isinstance(kind, str) else kind.__name__


class Constants:
    """Looks up and evaluates the constant nodes of a functional program."""

    def __init__(self, program: ExportedProgram) -> None:
        signature = program.graph_signature
        #: Name of each parameter, buffer or constant by its placeholder.
        self._names: dict[str, str] = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        # Buffers that are not persistent are among the constants.
        self._tensors = {**program.constants, **program.state_dict}
        given = sum(
            tensor.numel() * tensor.element_size()
            for tensor in self._tensors.values()
            if isinstance(tensor, torch.Tensor)
        )
        self._most = _MAX_RATIO * given + _ALWAYS_BYTES

    def array(self, node: fx.Node) -> npt.NDArray[Any]:
        """Value of a constant node as an array of its own, float32 or float64.

        Raises
        ------
        ModelError
            If the value is random, depends on the model's input, or is not real.
        """
        with torch.no_grad():
            tensor = self._value(node)
        if not tensor.is_floating_point():
            name = self._names.get(node.name, node.name)
            raise ModelError(
                f"model: {name!r} must hold real floating-point numbers, not {tensor.dtype}"
            )
        if tensor.dtype != torch.float64:
            tensor = tensor.to(torch.float32)  # holds float16 and bfloat16 exactly
        return np.array(tensor.detach().cpu().numpy())

    def layer_name(self, node: fx.Node, matrix: fx.Node) -> str:
        """Name of the Linear at `node`: the path of the module that owns `matrix`."""
        while operation(matrix) in _TRANSPOSES:
            matrix = matrix.all_input_nodes[0]
        parameter = self._names.get(matrix.name, "")
        path = parameter.removesuffix(".weight") if parameter else _module(node)[0]
        return "linear" if path in ("", "weight") else path

    def recurrent_name(self, node: fx.Node, matrix: fx.Node) -> str:
        """Begin of the names of a recurrent layer's weights: its module's path, with a dot."""
        parameter = self._names.get(matrix.name, "")
        path = parameter.rpartition(".")[0] if parameter else _module(node)[0]
        return f"{path}." if path else ""

    def matrices_behind(self, node: fx.Node) -> set[str]:
        """Names of the parameters of two or more axes that a node is computed from."""
        if node.name in self._names:
            return {self._names[node.name]} if node.meta["val"].ndim >= 2 else set()
        return {name for before in node.all_input_nodes for name in self.matrices_behind(before)}

    def _value(self, node: fx.Node) -> Any:
        if node.name in self._names:
            return self._tensors[self._names[node.name]]
        target = node.target
        random = (
            isinstance(target, torch._ops.OpOverload)
            and torch.Tag.nondeterministic_seeded in target.tags
        )
        if node.op != "call_function" or not callable(target) or random:
            raise ModelError(f"model: {describe(node)} must be constant to be part of a weight")
        result = node.meta.get("val")
        size = result.numel() * result.element_size() if isinstance(result, torch.Tensor) else 0
        if isinstance(size, int) and size > self._most:
            raise ModelError(
                f"model: {describe(node)} makes {size} bytes of the model's parameters; at most "
                f"{self._most} are taken for a weight"
            )
        args, kwargs = fx.node.map_arg((node.args, dict(node.kwargs)), self._value)
        return target(*args, **kwargs)
