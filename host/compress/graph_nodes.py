"""Nodes of an exported program: their arguments, their shapes, and activations among them."""

from __future__ import annotations

import math
from typing import Any

from torch import fx

from eie.host.compress.graph_constants import operation
from eie.host.compress.model_graph import Activation

__all__ = ["activation_of", "arguments_of", "shape_of"]


def activation_of(node: fx.Node) -> Activation | None:
    """Read a function of each value, or a softmax over the outputs."""
    name = operation(node).removeprefix("aten.").partition(".")[0].removeprefix("_")
    if name in ("relu", "sigmoid", "tanh"):
        return Activation(name)  # type: ignore[arg-type]
    arguments = arguments_of(node) if operation(node).startswith("aten.") else {}
    if name == "leaky_relu":
        return Activation("leaky_relu", (float(arguments["negative_slope"]),))
    if name in ("hardtanh", "hardtanh_"):
        return _clamp(arguments["min_val"], arguments["max_val"])
    if name == "relu6":
        return _clamp(0.0, 6.0)
    if name in ("clamp", "clamp_min", "clamp_max") and operation(node).endswith(".default"):
        return _clamp(arguments.get("min"), arguments.get("max"))
    if name in ("softmax", "log_softmax") and arguments["dim"] in (-1, len(shape_of(node)) - 1):
        return Activation(name)  # type: ignore[arg-type]
    return None


def _clamp(low: Any, high: Any) -> Activation:
    """Give a clamp; one from 0 on is a ReLU."""
    bounds = tuple(
        limit if each is None else float(each)
        for each, limit in ((low, -math.inf), (high, math.inf))
    )
    return Activation("relu") if bounds == (0.0, math.inf) else Activation("clamp", bounds)


def arguments_of(node: fx.Node) -> dict[str, Any]:
    """Arguments of an aten node by their names in its schema, with defaults."""
    schema = node.target._schema  # type: ignore[union-attr]
    names = [argument.name for argument in schema.arguments]
    values = {
        argument.name: argument.default_value
        for argument in schema.arguments
        if argument.has_default_value()
    }
    return values | dict(zip(names, node.args, strict=False)) | dict(node.kwargs)


def shape_of(node: fx.Node | None) -> tuple[Any, ...]:
    """Sizes of a node's tensor, some of them symbols; () for anything else."""
    return tuple(getattr(node.meta.get("val"), "shape", ())) if node is not None else ()
