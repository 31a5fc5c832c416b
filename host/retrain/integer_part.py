"""The part of a model that is for the accelerator: its inputs, its network, and in its place."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_linear_bn_weights

from eie.hls.boundary.errors import EieWarning, InputError, ModelError, Problems
from eie.hls.spec.fixed_point import dequantize
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.reader import read_model
from eie.host.compress.reference import TorchReference
from eie.host.compress.sequence_model import SequenceModel
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs

__all__ = ["IntegerPart", "fold_norms", "part_inputs", "read_part", "replaced", "still"]

Reals = npt.NDArray[np.float64]


class IntegerPart(nn.Module):
    """A network in fixed point as a module: real numbers in and out, integers between.

    The integers are those of :class:`~eie.host.compress.reference.TorchReference`, which every
    engine equals bit by bit.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._reference = TorchReference(network)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute outputs, float32 (batch, outputs), of inputs, (batch, ...)."""
        numbers = inputs.detach().cpu().reshape(len(inputs), -1).double().numpy()
        outputs = self._reference(quantize_inputs(self._network, numbers))
        return torch.from_numpy(dequantize(outputs, self._network.output_frac)).to(inputs.device)


@contextmanager
def replaced(model: nn.Module, path: str, by: nn.Module) -> Iterator[nn.Module]:
    """Give `model` with the module at `path` replaced, and put that back when the context ends."""
    if not path:
        yield by
        return
    before = model.get_submodule(path)
    model.set_submodule(path, by)
    try:
        yield model
    finally:
        model.set_submodule(path, before)


@contextmanager
def still(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode without gradients, and back when the context ends."""
    modes = [(each, each.training) for each in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for each, training in modes:
            each.training = training


def part_inputs(model: nn.Module, path: str, inputs: npt.NDArray[Any]) -> Reals:
    """Give what the part at `path` takes when the model runs on `inputs`.

    Raises
    ------
    InputError
        If the part is not called once, with one tensor.
    """
    if not path:
        return inputs.astype(np.float64)
    taken: list[object] = []

    def take(_: nn.Module, given: tuple[object, ...]) -> None:
        taken.extend(given)

    handle = model.get_submodule(path).register_forward_pre_hook(take)
    given = torch.from_numpy(np.ascontiguousarray(inputs))
    like = next((each for each in model.parameters()), given)
    try:
        with still(model):
            model(given.to(like))
    finally:
        handle.remove()
    if len(taken) != 1 or not isinstance(taken[0], torch.Tensor):
        raise InputError(
            f"head {path!r} must be called once, with one tensor, not with {len(taken)} values"
        )
    return taken[0].double().cpu().numpy()


def read_part(part: nn.Module, calibration: Reals, *, norms: bool = False) -> DenseModel:
    """Read a part's layers, without warnings.

    Parameters
    ----------
    part
        Computed weights included.
    calibration
        Inputs of it, whose shape counts.
    norms
        Whether a BatchNorm may be folded into a layer while it is read.

    Raises
    ------
    ModelError
        If the accelerator cannot take it; says why.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        dense = read_model(part, input_shape=calibration.shape[1:])
    if isinstance(dense, SequenceModel):
        raise ModelError(
            "model has a recurrent layer, whose fixed-point arithmetic cannot be trained against: "
            "prune and share it in real numbers (examples/recurrent.py); convert rounds it"
        )
    problems = Problems("model")
    for layer in dense.layers:
        problems.require(
            norms or not layer.normalized,
            f"layer {layer.name!r} has a BatchNorm before it, or one that does not follow it "
            "directly in a Sequential: shared weights do not survive its scaling",
        )
    problems.raise_as(
        ModelError, "fold it before retraining (torch.nn.utils.fusion.fuse_linear_bn_weights)"
    )
    return dense


def fold_norms(part: nn.Module) -> None:
    """Fold each BatchNorm1d that follows a plain Linear in a Sequential into it, in place."""
    for module in part.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for (_, linear), (name, norm) in itertools.pairwise(list(module.named_children())):
            if not (isinstance(linear, nn.Linear) and isinstance(norm, nn.BatchNorm1d)):
                continue
            mean, variance = norm.running_mean, norm.running_var
            if mean is None or variance is None:
                continue
            weight, bias = fuse_linear_bn_weights(
                linear.weight,
                torch.zeros_like(mean) if linear.bias is None else linear.bias,
                mean,
                variance,
                norm.eps,
                norm.weight if norm.affine else torch.ones_like(mean),
                norm.bias if norm.affine else torch.zeros_like(mean),
            )
            linear.weight = nn.Parameter(weight.detach().clone())
            linear.bias = nn.Parameter(bias.detach().clone())
            setattr(module, name, nn.Identity())
