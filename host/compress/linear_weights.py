"""The weights of a model's Linears, wherever torch keeps them.

``linear.weight`` is often computed from something else: by a hook before every forward pass
(``torch.nn.utils.prune``, the old ``weight_norm`` and ``spectral_norm``) or whenever it is read
(``torch.nn.utils.parametrize``). Writing to it is then undone at once. So what is written here
goes to where the weight comes from; and what cannot be written is refused by name, before
anything is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize, prune
from torch.nn.utils.parametrizations import _WeightNorm
from torch.nn.utils.spectral_norm import SpectralNorm, remove_spectral_norm
from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

from eie.hls.boundary.errors import InputError, Problems
from eie.host.compress.codebook import Codebook

__all__ = ["LinearWeight", "apply_to_all", "make_plain", "read_linears"]


@dataclass(frozen=True, eq=False)
class LinearWeight:
    """The weight of one Linear as it is now."""

    module: nn.Linear
    #: Shape (rows, columns), on the module's device, without a gradient.
    value: torch.Tensor
    #: What the weight is, or is computed from. Linears that share it are tied.
    source: nn.Parameter

    @property
    def computed(self) -> bool:
        """Whether torch computes the weight from something else."""
        return _hook(self.module) is not None or bool(_parametrizations(self.module))

    @property
    def shared(self) -> bool:
        """Whether the weight is computed from a codebook."""
        return any(isinstance(each, Codebook) for each in _parametrizations(self.module))

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return the weight as float64, shape (rows, columns)."""
        return np.asarray(self.value.double().cpu().numpy())


def read_linears(model: nn.Module) -> dict[str, LinearWeight]:
    """Read the weight of every Linear in `model`, by module path.

    Raises
    ------
    InputError
        If there is none, or a weight is not a matrix of finite real numbers that can be read and
        written, naming every such module.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"model must be a torch.nn.Module, not {type(model).__name__}")
    problems = Problems("model")
    weights = {}
    for name, module in model.named_modules():
        if not isinstance(module, nn.Linear):
            continue
        source = _source(module)
        if source is None:
            problems.require(
                False,
                f"weight of {name!r} must be a parameter, or come from torch.nn.utils.prune, "
                "weight_norm, spectral_norm or parametrize: it is computed in another way",
            )
        elif not (reason := _unusable(source)):
            value = _read(module)
            if problems.require(bool(value.isfinite().all()), f"weight of {name!r} must be finite"):
                weights[name] = LinearWeight(module, value, source)
        else:
            problems.require(False, f"weight of {name!r} must be a plain tensor, not {reason}")
    problems.require(
        bool(weights or problems.found), "must have at least one torch.nn.Linear in it"
    )
    _check_memory(weights, problems)
    problems.raise_as(InputError)
    return weights


def apply_to_all(weights: Mapping[str, LinearWeight], masks: Mapping[str, torch.Tensor]) -> None:
    """Set the weights outside of `masks` to zero where they come from: all layers, or none.

    Raises
    ------
    InputError
        If a weight is computed in a way that cannot give zeros there, naming every such layer.
    """
    problems = Problems("masks")
    computed = [name for name in masks if _parametrizations(weights[name].module)]
    # Only of a parametrization is it not known beforehand what comes out: these come first.
    saved: list[tuple[torch.Tensor, torch.Tensor]] = []
    for name in computed:
        module = weights[name].module
        for tensor in (*module.parameters(), *module.buffers()):
            saved.append((tensor, tensor.detach().clone()))
        problem = _try_to_mask(module, masks[name])
        problems.require(not problem, f"weight of {name!r} {problem}")
    with torch.no_grad():
        if problems.found:
            for tensor, before in saved:
                tensor.copy_(before)
        else:
            for name in masks.keys() - computed:
                _mask(weights[name].module, masks[name])
    problems.raise_as(
        InputError,
        "make them plain weights first: "
        'torch.nn.utils.parametrize.remove_parametrizations(linear, "weight")',
    )


def _try_to_mask(module: nn.Linear, mask: torch.Tensor) -> str:
    """Mask a parametrized weight; says what came out if that was not it."""
    kinds = ", ".join(type(each).__name__ for each in _parametrizations(module))
    try:
        with torch.no_grad(), _still(module):
            _mask(module, mask)
        value = _read(module)
    except (RuntimeError, NotImplementedError, ValueError) as error:
        return f"cannot be masked: {kinds} does not take it ({error})"
    if not value.isfinite().all():
        return f"cannot be masked: {kinds} makes numbers of it that are not finite"
    if value[~mask].any():
        return f"cannot be masked: {kinds} makes other numbers than zeros of what is masked"
    return ""


def make_plain(module: nn.Linear) -> None:
    """Make the weight a parameter with its present value, and remove what computed it."""
    hook = _hook(module)
    source = _source(module)
    trains = source is not None and source.requires_grad
    if isinstance(hook, prune.BasePruningMethod):
        prune.remove(module, "weight")  # type: ignore[no-untyped-call]
    elif isinstance(hook, WeightNorm):
        remove_weight_norm(module)
    elif isinstance(hook, SpectralNorm):
        remove_spectral_norm(module)
    elif _parametrizations(module):
        with _still(module):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    module.weight.requires_grad_(trains)


def _hook(module: nn.Linear) -> Any:
    """Return what computes the weight before every forward pass, or None."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, prune.BasePruningMethod) and hook._tensor_name == "weight":
            return hook
        if isinstance(hook, (WeightNorm, SpectralNorm)) and hook.name == "weight":
            return hook
    return None


def _parametrizations(module: nn.Linear) -> list[nn.Module]:
    if not parametrize.is_parametrized(module, "weight"):
        return []
    return list(module.parametrizations.weight)  # type: ignore[union-attr, arg-type]


def _source(module: nn.Linear) -> nn.Parameter | None:
    hook = _hook(module)
    found: Any
    if isinstance(hook, WeightNorm):
        found = module.weight_v
    elif hook is not None:
        found = module.weight_orig
    elif _parametrizations(module):
        originals: Any = module.parametrizations.weight  # type: ignore[union-attr]
        # Of a norm and a direction, the direction is the matrix.
        found = originals.original if originals.is_tensor else originals.original1
    else:
        found = module._parameters.get("weight")
    return found if isinstance(found, torch.Tensor) else None  # type: ignore[return-value]


def _unusable(source: torch.Tensor) -> str:
    """Say what a tensor is that cannot be read or written as a matrix, or nothing."""
    if is_lazy(source):
        return "one without a shape yet (run the model once first)"
    if type(source) not in (torch.Tensor, nn.Parameter):
        return f"a {type(source).__name__}"
    if source.is_meta:
        return "one without values (on the meta device)"
    if source.layout != torch.strided:
        return f"one of layout {source.layout}"
    if not source.is_floating_point():
        return f"one of {source.dtype}"
    if source.is_inference():
        return "one made in inference mode (clone it outside)"
    return ""


def _check_memory(weights: Mapping[str, LinearWeight], problems: Problems) -> None:
    """Refuse matrices that overlap in memory without being the same one, like transposed ones."""
    spans: dict[tuple[Any, ...], str] = {}
    for name, weight in weights.items():
        source = weight.source
        if source.numel() == 0:
            continue
        first = source.data_ptr()
        place = (first, first + source.numel() * source.element_size(), source.stride())
        for (start, end, stride), other in spans.items():
            overlaps = first < end and start < place[1]
            problems.require(
                not overlaps or place == (start, end, stride),
                f"weights of {other!r} and {name!r} must not lie over each other in memory, "
                "unless they are the same parameter: give one of them a copy",
            )
        spans.setdefault(place, name)


def _read(module: nn.Linear) -> torch.Tensor:
    """Return the present weight; the attribute may be that of the last forward pass."""
    hook = _hook(module)
    with torch.no_grad(), _still(module):
        value: torch.Tensor = module.weight if hook is None else _computed(module, hook)
    return value.detach()


def _computed(module: nn.Linear, hook: Any) -> torch.Tensor:
    """Compute the weight as the hook does before a forward pass."""
    if isinstance(hook, SpectralNorm):
        return hook.compute_weight(module, do_power_iteration=False)
    value: torch.Tensor = (
        hook.compute_weight(module) if isinstance(hook, WeightNorm) else hook.apply_mask(module)
    )
    return value


def _mask(module: Any, mask: torch.Tensor) -> None:
    hook = _hook(module)
    parametrizations: list[Any] = list(_parametrizations(module))
    kinds = [type(each) for each in parametrizations]
    if hook is not None:
        if isinstance(hook, WeightNorm):
            _mask_normed(module.weight_g, module.weight_v, mask, hook.dim)
        else:
            module.weight_orig.mul_(mask)
        if isinstance(hook, prune.BasePruningMethod):
            module.weight_mask.mul_(mask)
        module.weight = _computed(module, hook)
    elif not kinds:
        module.weight.mul_(mask)
    elif kinds == [Codebook]:
        parametrizations[0].codes.mul_(mask)
    elif kinds == [_WeightNorm]:
        originals = module.parametrizations.weight
        _mask_normed(originals.original0, originals.original1, mask, parametrizations[0].dim)
    else:
        module.weight = module.weight * mask  # torch calls right_inverse


def _mask_normed(norm: torch.Tensor, direction: torch.Tensor, mask: torch.Tensor, dim: Any) -> None:
    """Mask the direction, and the norm with it: what is kept stays as it was."""
    masked = torch._weight_norm(direction, norm, dim) * mask
    norms = torch.norm_except_dim(masked, 2, dim)
    norm.copy_(norms)
    # A direction of zeros has no norm to divide by: the norm alone is zero there.
    direction.copy_(torch.where(norms == 0, direction, masked))


@contextmanager
def _still(module: nn.Module) -> Iterator[None]:
    """Keep spectral norms from iterating when the weight is read."""
    trained = [each for each in module.modules() if each.training]
    try:
        for each in trained:
            each.training = False
        yield
    finally:
        for each in trained:
            each.training = True
