"""Modules of Brevitas as plain ones of torch, for as long as a model is exported.

torch.export cannot trace Brevitas' own forward. So the model runs once, as it is, to say what its
quantisers make of weights and biases; then each of its modules makes way for a plain one with
these numbers, with a marker where it quantises activations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from eie.hls.boundary.errors import InputError, ModelError, Problems
from eie.host.compress.folding import LINEAR_PART
from eie.host.compress.quantize_marker import QuantizeMarker
from eie.host.compress.readers.quantizers import quantizer

__all__ = ["without_brevitas"]

_ACTIVATIONS = {
    "QuantIdentity": nn.Identity,
    "QuantReLU": nn.ReLU,
    "QuantSigmoid": nn.Sigmoid,
    "QuantTanh": nn.Tanh,
}
#: Most bits of a quantised weight.
_WEIGHT_BITS = 8


class _MarkedLinear(nn.Linear):
    """A Linear whose inputs and outputs are quantised."""

    def __init__(self, before: nn.Module, like: nn.Linear, after: nn.Module) -> None:
        super().__init__(like.in_features, like.out_features, bias=like.bias is not None)
        self.before, self.after = before, after

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.after(super().forward(self.before(values)))
        return result


@contextmanager
def without_brevitas(model: nn.Module, example: torch.Tensor) -> Iterator[nn.Module]:
    """Give `model` without Brevitas in it, and put all back when the context ends.

    Parameters
    ----------
    model
        In evaluation mode.
    example
        Inputs that it takes.

    Raises
    ------
    ModelError
        If a module or a quantiser of Brevitas is none that is supported, naming all of them.
    """
    found = [
        (path, part)
        for path, part in model.named_modules()
        if _kind(part) and not _inside(path, model)
    ]
    if not found:
        yield model
        return
    results = _run(model, [part for _, part in found], example)
    problems = Problems("model")
    plain: dict[str, nn.Module] = {}
    for path, part in found:
        where = f"module {path!r} of type {type(part).__name__} (Brevitas)"
        try:
            plain[path] = _plain(part, results)
        except InputError as error:
            problems.require(False, f"{where} {error}")
    convolution = any(_kind(part).startswith("QuantConv") for _, part in found)
    problems.raise_as(ModelError, LINEAR_PART if convolution else "")
    if "" in plain:
        yield plain[""].eval()
        return
    try:
        for path, part in plain.items():
            model.set_submodule(path, part.eval())
        yield model
    finally:
        for path, part in found:
            model.set_submodule(path, part)


def _kind(module: nn.Module) -> str:
    """Name of a layer's class in Brevitas; nothing for all else."""
    for each in type(module).__mro__:
        if each.__module__.startswith("brevitas.nn.") and each.__name__.startswith("Quant"):
            return each.__name__
    return ""


def _inside(path: str, model: nn.Module) -> bool:
    """Whether a module lies within another one of Brevitas."""
    parts = path.split(".")
    around = (
        [model.get_submodule(".".join(parts[:end])) for end in range(len(parts))] if path else []
    )
    return any(_kind(each) for each in around)


def _run(model: nn.Module, parts: list[nn.Module], example: torch.Tensor) -> dict[nn.Module, Any]:
    """What the quantisers of weights and biases give when `model` runs."""
    results: dict[nn.Module, Any] = {}

    def keep(module: nn.Module, _: Any, result: Any) -> None:
        results[module] = result

    proxies = [
        getattr(part, name)
        for part in parts
        for name in ("weight_quant", "bias_quant")
        if isinstance(getattr(part, name, None), nn.Module)
    ]
    hooks = [proxy.register_forward_hook(keep) for proxy in proxies]
    try:
        with torch.no_grad():
            model(example)
    finally:
        for hook in hooks:
            hook.remove()
    return results


def _plain(part: Any, results: dict[nn.Module, Any]) -> nn.Module:
    """Give the plain module of one of Brevitas.

    Raises
    ------
    InputError
        If there is none.
    """
    kind = _kind(part)
    before = _marker(getattr(part, "input_quant", None))
    if kind in _ACTIVATIONS:
        return nn.Sequential(before, _ACTIVATIONS[kind](), _marker(part.act_quant))
    if kind == "QuantHardTanh":
        bounds = part.act_quant.fused_activation_quant_proxy.activation_impl
        clamp = nn.Hardtanh(float(bounds.min_val), float(bounds.max_val))
        return nn.Sequential(before, clamp, _marker(part.act_quant))
    if kind == "QuantDropout":
        return nn.Dropout()
    if kind != "QuantLinear":
        raise InputError(
            "is not supported: QuantLinear, QuantReLU, QuantIdentity and QuantDropout are"
        )
    proxy = part.weight_quant
    if proxy.is_quant_enabled and float(proxy.bit_width()) > _WEIGHT_BITS:
        raise InputError(
            f"quantises weights to {float(proxy.bit_width()):g} bits: at most {_WEIGHT_BITS} are "
            "taken; train with fewer (4 go in exactly), or give the model without quantisers"
        )
    after = _marker(getattr(part, "output_quant", None))
    marked = [each for each in (before, after) if isinstance(each, QuantizeMarker)]
    linear = (
        _MarkedLinear(before, part, after)
        if marked
        else nn.Linear(part.in_features, part.out_features, bias=part.bias is not None)
    )
    linear.weight = nn.Parameter(_value(results.get(proxy, part.weight)))
    if part.bias is not None:
        linear.bias = nn.Parameter(_value(results.get(part.bias_quant, part.bias)))
    return linear


def _value(result: Any) -> torch.Tensor:
    """Real numbers of a tensor of Brevitas."""
    tensor: torch.Tensor = getattr(result, "value", result)
    return tensor.detach().clone()


def _marker(proxy: Any) -> nn.Module:
    """Give a marker for a quantiser of activations, or nothing where it is off."""
    if proxy is None or not proxy.is_quant_enabled:
        return nn.Identity()
    if not hasattr(proxy, "bit_width"):
        raise InputError("has a quantiser that is not to whole numbers of steps")
    attributes = {
        "signed": proxy.is_signed,
        "narrow": proxy.is_narrow_range,
        "rounding_mode": str(proxy.rounding_mode),
    }
    rule = quantizer(float(proxy.bit_width()), attributes)
    step, zero = proxy.scale(), proxy.zero_point()
    if step.numel() != 1:
        raise InputError("must have one scale for all of its values")
    return QuantizeMarker(rule.of_activations(float(step), float(zero)))
