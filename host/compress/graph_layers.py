"""Nodes of an exported program that have constants: products, norms, arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from torch import fx

from eie.host.compress.graph_constants import Constants, describe, operation
from eie.host.compress.graph_nodes import arguments_of, shape_of
from eie.host.compress.model_graph import (
    SUPPORTED,
    Affine,
    Linear,
    constant_affine,
    normalization,
)
from eie.host.compress.sequence_axes import Refused

__all__ = ["ARITHMETIC", "PRODUCTS", "LayerNodes"]

#: Arithmetic of data and a constant.
ARITHMETIC: dict[str, Literal["add", "subtract", "multiply", "divide"]] = {
    "aten.add.Tensor": "add",
    "aten.sub.Tensor": "subtract",
    "aten.mul.Tensor": "multiply",
    "aten.div.Tensor": "divide",
}
#: Product of data and a constant: names of the data, matrix and bias arguments, and whether the
#: matrix has one row for each output (else one column).
PRODUCTS = {
    "aten.linear.default": ("input", "weight", "bias", True),
    "aten.addmm.default": ("mat1", "mat2", "self", False),
    "aten.mm.default": ("self", "mat2", None, False),
    "aten.matmul.default": ("self", "other", None, False),
}


class LayerNodes:
    """Reads them, of one program.

    Parameters
    ----------
    constants
        Of the program.
    check_vectors
        Refuses a node whose data are not vectors: of a node, its data, and the axis of features.
    """

    def __init__(self, constants: Constants, check_vectors: Callable[..., None]) -> None:
        self._constants = constants
        self._check_vectors = check_vectors
        self._names: set[str] = set()
        #: Node by the parameter that its weights come from.
        self._owners: dict[str, str] = {}

    def linear(self, node: fx.Node, data: fx.Node) -> Linear:
        """Read a product of vectors and constant weights, plus a bias."""
        data_name, matrix_name, bias_name, by_rows = PRODUCTS[operation(node)]
        arguments = arguments_of(node)
        matrix = arguments[matrix_name]
        plain = arguments.get("alpha", 1) == 1 and arguments.get("beta", 1) == 1
        if arguments[data_name] is not data or not plain or len(shape_of(matrix)) != 2:
            raise Refused(
                f"{describe(node)} must be a product of its input and constant weights, plus a bias"
            )
        self._check_vectors(node, data)
        weights = self._constants.array(matrix)
        if not by_rows:
            weights = weights.T
        rows = weights.shape[0]
        bias = np.zeros(rows)
        if bias_name is not None and arguments[bias_name] is not None:
            bias = self._constants.array(arguments[bias_name]).astype(np.float64)
        if bias.shape != (rows,):
            raise Refused(f"{describe(node)} must have a bias of shape ({rows},), not {bias.shape}")
        name = self.own(self._constants.layer_name(node, matrix), node, matrix)
        return Linear(name, np.ascontiguousarray(weights), bias)

    def convolution(self, node: fx.Node, data: fx.Node) -> Linear:
        """Read a convolution with a kernel of one, over all channels, at every position."""
        arguments = arguments_of(node)
        matrix = arguments["weight"]
        ones = all(size == 1 for size in (*shape_of(matrix)[2:], *_listed(arguments["stride"])))
        padded = any(size != 0 for size in _listed(arguments["padding"]))
        if arguments["input"] is not data or not ones or padded or arguments["groups"] != 1:
            raise Refused(f"{describe(node)} is more than a product of the channels")
        weights = self._constants.array(matrix)
        weights = weights.reshape(weights.shape[:2])
        bias = np.zeros(len(weights))
        if arguments["bias"] is not None:
            bias = self._constants.array(arguments["bias"]).astype(np.float64)
        name = self.own(self._constants.layer_name(node, matrix), node, matrix)
        return Linear(name, np.ascontiguousarray(weights), bias)

    def norm(self, node: fx.Node, data: fx.Node, *, at_positions: bool = False) -> Affine:
        """Read a BatchNorm in inference; `at_positions`, of the channels of a position."""
        arguments = arguments_of(node)
        statistics = [arguments.get(name) for name in ("running_mean", "running_var")]
        running = [node for node in statistics if isinstance(node, fx.Node)]
        if arguments.get("training", False) or len(running) != 2:
            raise Refused(
                f"{describe(node)} must use its running statistics, not those of the batch: "
                "call model.eval() before torch.export.export, and keep track_running_stats"
            )
        if not at_positions:
            self._check_vectors(node, data, 1)
        mean, variance = (self._constants.array(value) for value in running)
        gain, offset = (
            None if arguments.get(name) is None else self._constants.array(arguments[name])
            for name in ("weight", "bias")
        )
        return normalization(mean, variance, gain, offset, float(arguments["eps"]))

    def affine(self, node: fx.Node, data: fx.Node) -> Affine | None:
        """Read a sum, difference, product or quotient of the data and a constant."""
        kind = ARITHMETIC[operation(node)]
        arguments = arguments_of(node)
        first, second = arguments["self"], arguments["other"]
        if arguments.get("alpha", 1) != 1 or (kind == "divide" and second is data):
            raise Refused(f"{describe(node)} is not supported; supported are {SUPPORTED}")
        self._check_vectors(node, data)
        given = second if first is data else first
        array = self._constants.array(given) if isinstance(given, fx.Node) else np.array(given)
        try:
            return constant_affine(kind, array.astype(np.float64), first is data)
        except ValueError:
            raise Refused(
                f"{describe(node)} must have a constant of one number, or of one for each feature, "
                f"not of shape {array.shape}"
            ) from None

    def own(self, name: str, node: fx.Node, matrix: fx.Node) -> str:
        """Name a layer of `node`; its weights must not belong to another layer already."""
        if name in self._names:
            name = f"{name}.{node.name}"
        self._names.add(name)
        for parameter in self._constants.matrices_behind(matrix):
            owner = self._owners.setdefault(parameter, node.name)
            if owner != node.name:
                raise Refused(
                    f"{describe(node)} must have weights of its own, not {parameter!r}, which node "
                    f"{owner!r} uses as well: shared layers are not supported"
                )
        return name


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
