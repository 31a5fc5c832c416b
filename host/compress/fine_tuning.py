"""Training shared weights: the codebook learns, the codes stay."""

from __future__ import annotations

from torch import nn
from torch.nn.utils import parametrize

from eie.hls.boundary.errors import InputError, Problems
from eie.host.compress.codebook import Codebook
from eie.host.compress.linear_weights import LinearWeight, make_plain, read_linears
from eie.host.compress.sharing import MAX_CENTROIDS, check_clusters, share

__all__ = ["Codebook", "freeze_codebooks", "share_linears"]


def share_linears(model: nn.Module, clusters: int = MAX_CENTROIDS) -> None:
    """Share the non-zero weights of every Linear in `model`, in place, and make them trainable.

    Afterwards the only weight parameter of a Linear is its codebook of `clusters` numbers at
    most; zeros stay zero. Biases train as before. A weight that torch computes (a mask of
    ``torch.nn.utils.prune``, a weight or spectral norm, a parametrization) is taken at its
    present value, and what computed it is removed. Tied weights stay tied, frozen ones frozen.
    Make a new optimiser after this call.

    Raises
    ------
    InputError
        If `clusters` is not 1 to 15, or weights are shared already, not finite, or used by a
        module that is no Linear, too; all of them are named, and nothing is changed.
    """
    check_clusters(clusters)
    linears = read_linears(model)
    _check_sharable(model, linears)
    # Tied Linears have one codebook, as they had one weight.
    codebooks: dict[int, Codebook] = {}
    for linear in linears.values():
        if id(linear.source) not in codebooks:
            shared = share(linear.numbers(), clusters)
            codebooks[id(linear.source)] = Codebook(shared).to(linear.value.device)
    for linear in linears.values():
        make_plain(linear.module)
        # unsafe: the parameter has another shape than the weight, which torch would refuse.
        parametrize.register_parametrization(
            linear.module, "weight", codebooks[id(linear.source)], unsafe=True
        )


def freeze_codebooks(model: nn.Module) -> None:
    """Make plain weights of the shared ones again, in place, with the values trained.

    Other parametrizations are left alone.

    Raises
    ------
    InputError
        If a Linear's weight is computed from its codebook by another parametrization, too; all of
        them are named, and nothing is changed.
    """
    problems = Problems("model")
    linears = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and parametrize.is_parametrized(module, "weight"):
            kinds = [type(each) for each in module.parametrizations.weight]  # type: ignore[union-attr]
            if Codebook in kinds:
                linears[name] = module
                problems.require(
                    kinds == [Codebook],
                    f"weight of {name!r} must have no other parametrization than its codebook",
                )
    problems.raise_as(InputError)
    plain: set[int] = set()
    for module in linears.values():
        codebook = module.parametrizations.weight.original  # type: ignore[union-attr]
        # torch would leave the codebook's gradient on the weight, in the wrong shape.
        codebook.grad = None
        # Of tied Linears, the first makes a weight of the codebook; the others have it then.
        first = id(codebook) not in plain
        parametrize.remove_parametrizations(module, "weight", leave_parametrized=first)
        plain.add(id(codebook))


def _check_sharable(model: nn.Module, linears: dict[str, LinearWeight]) -> None:
    problems = Problems("weights to share")
    first: dict[int, str] = {}
    for name, linear in linears.items():
        problems.require(
            not linear.shared,
            f"weight of {name!r} must not be parametrized already by a codebook: call "
            "freeze_codebooks first",
        )
        other = first.setdefault(linear.source.data_ptr(), name)
        if other != name:
            tied = linears[other]
            problems.require(
                tied.source is linear.source and not tied.computed and not linear.computed,
                f"weights of {other!r} and {name!r}, which lie in the same memory, must be one "
                "plain parameter, or separate ones",
            )
    linear_modules = {id(linear.module) for linear in linears.values()}
    names = {id(linear.source): name for name, linear in linears.items() if not linear.computed}
    for path, module in model.named_modules():
        if id(module) in linear_modules:
            continue
        for key, parameter in module.named_parameters(recurse=False):
            problems.require(
                id(parameter) not in names,
                f"weight of {names.get(id(parameter))!r} must not be {key!r} of {path!r}, too, "
                "which is no Linear: give one of them a copy",
            )
    problems.raise_as(InputError)
