"""The weight matrices that are pruned and shared: of Linears, and of LSTMs and GRUs.

A recurrent module holds two matrices a layer and direction, ``weight_ih`` and ``weight_hh``; each
is a matrix of its own here, with its own density and codebook. ``torch.nn.utils.parametrize``
computes a weight whenever it is read, and a recurrent module reads its weights anew in every
forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import parametrize

from eie.hls.boundary.errors import InputError, Problems
from eie.host.compress.linear_weights import make_plain, read_linears

__all__ = ["WeightMatrix", "find_matrices", "make_weights_plain", "parametrizations"]

#: Modules whose parameters of two axes and this prefix are matrices.
_RECURRENT = (nn.LSTM, nn.GRU)
_PREFIX = "weight_"


@dataclass(frozen=True, eq=False)
class WeightMatrix:
    """One weight matrix of a module, by its name."""

    #: Path of a Linear, or path of the module and its parameter: ``fc1``, ``lstm.weight_hh_l0``.
    name: str
    module: nn.Module
    #: Name of the parameter in its module.
    key: str

    @property
    def path(self) -> str:
        """Path of the module."""
        return self.name.removesuffix(self.key).rstrip(".") if self.recurrent else self.name

    @property
    def recurrent(self) -> bool:
        """Whether it is one of several matrices of a recurrent module."""
        return isinstance(self.module, _RECURRENT)

    @property
    def value(self) -> torch.Tensor:
        """Present weights, shape (rows, columns), without a gradient."""
        weight: torch.Tensor = getattr(self.module, self.key)
        return weight.detach()

    @property
    def size(self) -> int:
        """Weights of the matrix, zeros included."""
        return self.value.numel()

    def numbers(self) -> npt.NDArray[np.float64]:
        """Present weights as float64, shape (rows, columns)."""
        return np.asarray(self.value.double().cpu().numpy())


def find_matrices(model: nn.Module) -> dict[str, WeightMatrix]:
    """Find the weight matrices of a model, by name, in the order of its modules.

    Raises
    ------
    InputError
        If there is none, or one is not a matrix of finite real numbers of its own, naming each.
    """
    problems = Problems("model")
    found = {}
    owners: dict[int, str] = {}
    for each in _candidates(model):
        problem = _problem(each)
        if not problem:
            other = owners.setdefault(each.value.data_ptr(), each.name)
            if other != each.name:
                problem = f"must not be that of {other!r}, too: give one of them a copy"
        if problems.require(not problem, f"weight of {each.name!r} {problem}"):
            found[each.name] = each
    problems.require(
        bool(found or problems.found),
        "must have at least one torch.nn.Linear, LSTM or GRU in it: there is nothing to prune",
    )
    problems.raise_as(InputError)
    return found


def make_weights_plain(model: nn.Module) -> None:
    """Make parameters of the weights of Linears that torch computes (masks, norms), in place.

    Raises
    ------
    InputError
        If a weight is none that can be read, or the weight of a recurrent module is computed.
    """
    problems = Problems("model")
    for path, module in model.named_modules():
        if isinstance(module, _RECURRENT):
            problems.require(
                not parametrize.is_parametrized(module),
                f"weights of {path!r} must be plain parameters: "
                "torch.nn.utils.parametrize.remove_parametrizations makes them so",
            )
            problems.require(
                getattr(module, "proj_size", 0) == 0,
                f"{path!r} must have no projection (proj_size 0)",
            )
    problems.raise_as(InputError)
    if any(isinstance(module, nn.Linear) for module in model.modules()):
        for linear in read_linears(model).values():
            make_plain(linear.module)


def parametrizations(matrix: WeightMatrix) -> list[nn.Module]:
    """Give what computes a weight, first to last; nothing for a plain parameter."""
    if not parametrize.is_parametrized(matrix.module, matrix.key):
        return []
    found: Any = matrix.module.parametrizations
    return list(found[matrix.key])


def _candidates(model: nn.Module) -> Iterator[WeightMatrix]:
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear):
            yield WeightMatrix(path, module, "weight")
        elif isinstance(module, _RECURRENT):
            # Of its own list: parametrized weights are no parameters of the module any more.
            for names in module._all_weights:
                for key in names:
                    if key.startswith(_PREFIX):
                        yield WeightMatrix(f"{path}.{key}".lstrip("."), module, key)


def _problem(matrix: WeightMatrix) -> str:
    """Say what is wrong with a weight, or nothing."""
    value = matrix.value
    if value.is_meta or not value.is_floating_point() or value.layout != torch.strided:
        return "must be a plain tensor of real numbers"
    if value.numel() == 0:
        return f"must not be empty, and has shape {tuple(value.shape)}"
    return "" if bool(value.isfinite().all()) else "must be finite"
