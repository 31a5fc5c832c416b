"""A model, in whatever form it is given, as one functional ``torch.export`` program.

Export gives one graph for a ``Sequential`` and for a module with a ``forward`` of its own, so
there is a single reader behind it (:mod:`eie.host.compress.graph_reader`).
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import nn
from torch.export import ExportedProgram

from eie.hls.boundary.errors import InputError, ModelError
from eie.host.compress.folding import LINEAR_PART
from eie.host.compress.model_graph import SUPPORTED
from eie.host.compress.readers.brevitas_modules import without_brevitas
from eie.host.compress.saved_program import load_saved_program

__all__ = [
    "Model",
    "NamedProgram",
    "export_any_batch",
    "load_program",
    "without_torch_warnings",
]

_SUPPORTED_MODULES = (
    nn.Linear,
    nn.ReLU,
    nn.Flatten,
    nn.Dropout,
    nn.Identity,
    nn.BatchNorm1d,
    nn.LSTM,
    nn.GRU,
)

#: What can be compressed: a module, an exported program, or the path of a saved one (``.pt2``).
Model: TypeAlias = nn.Module | ExportedProgram | str | os.PathLike[str]

#: Two vectors: one would let torch take the batch for a constant, and BatchNorm refuses it.
_EXAMPLE_BATCH = 2
#: Steps of an example for a recurrent model: a number that no other size is likely to be.
_EXAMPLE_STEPS = 7


@dataclass(frozen=True, eq=False)
class NamedProgram:
    """An exported program whose graph has no in-place operations, and what it is called."""

    #: Class of the root module, or the file's name.
    name: str
    #: The program, functional: ``aten.linear`` kept, BatchNorm in its inference form.
    program: ExportedProgram


def load_program(
    model: Model, input_shape: Sequence[int] | None = None, *, any_batch: bool = False
) -> NamedProgram:
    """Export or load `model` and bring its graph into functional form.

    Parameters
    ----------
    model
        A module (exported here in evaluation mode and left as it was), an exported program, or
        the path of a ``.pt2`` file.
    input_shape
        Shape of one input of a module, without the batch; taken from its first Linear or
        BatchNorm1d when not given. A program has a shape of its own and takes none.
    any_batch
        Whether the program is to run, with batches of any size: of a module whose code allows it.

    Raises
    ------
    ModelError
        If the file is missing or no exported program, or torch cannot export the module.
    InputError
        If `model` is of none of these types, or `input_shape` is not a shape.
    """
    if isinstance(model, nn.Module):
        program = _export_likely(model, input_shape, any_batch)
        return NamedProgram(type(model).__name__, _functional(program))
    if input_shape is not None:
        raise InputError("input_shape must be None for an exported program, which has its own")
    if isinstance(model, ExportedProgram):
        return NamedProgram("exported program", _functional(model))
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        return NamedProgram(path.name, _functional(_load(path)))
    raise InputError(
        "model must be a torch.nn.Module, a torch.export program or the path of a saved one, "
        f"not {type(model).__name__}"
    )


def _load(path: Path) -> ExportedProgram:
    try:
        with without_torch_warnings():
            return load_saved_program(path)
    except ModelError:
        raise
    except Exception as error:  # torch raises whatever its archive code meets
        raise ModelError(
            f"{path} is not a saved torch.export program that torch {torch.__version__} reads "
            f"({_first_line(error)}); write it with "
            "torch.export.save(torch.export.export(...), path)"
        ) from error


def _export(module: nn.Module, shape: tuple[int, ...], any_batch: bool) -> ExportedProgram:
    tensors = [*module.parameters(), *module.buffers()]
    like = next((tensor for tensor in tensors if tensor.is_floating_point()), torch.zeros(0))
    example = torch.zeros(_EXAMPLE_BATCH, *shape, dtype=like.dtype, device=like.device)
    try:
        with (
            _evaluation_mode(module),
            without_torch_warnings(),
            without_brevitas(module, example) as plain,
        ):
            if any_batch:
                with suppress(Exception):  # code that wants one size of batch can have it
                    return export_any_batch(plain, example)
            return torch.export.export(plain, (example,))
    except ModelError:
        raise
    except Exception as error:  # tracing runs the module's own code, which can raise anything
        raise ModelError(
            f"torch.export cannot trace {type(module).__name__} with inputs of shape "
            f"{tuple(example.shape)} ({_first_line(error)}); {_hint(module)}"
        ) from error


def export_any_batch(module: nn.Module, example: torch.Tensor) -> ExportedProgram:
    """Export a module for batches of two inputs or more; torch raises what it meets."""
    sizes = ({0: torch.export.Dim.DYNAMIC},)
    return torch.export.export(module, (example,), dynamic_shapes=sizes)


def _export_likely(
    module: nn.Module, given: Sequence[int] | None, any_batch: bool
) -> ExportedProgram:
    """Export with the shape that is given, or that the module's layers tell."""
    shape = _example_shape(module, given)
    recurrent = next((part for part in module.modules() if isinstance(part, nn.RNNBase)), None)
    if given is None and recurrent is not None and shape[-1] != recurrent.input_size:
        # A Linear that is made before it may come before it or behind it.
        try:
            return _export(module, shape, any_batch)
        except ModelError:
            shape = (_EXAMPLE_STEPS, recurrent.input_size)
    return _export(module, shape, any_batch)


def _hint(module: nn.Module) -> str:
    """Say what is most likely wrong with a module that cannot be traced."""
    foreign = [
        f"{name!r} ({type(part).__name__})"
        for name, part in module.named_modules()
        if type(part).__module__.startswith("torch.nn.")
        and not isinstance(part, (*_SUPPORTED_MODULES, nn.Sequential, nn.ModuleList))
    ]
    if foreign:
        advice = f"\n{LINEAR_PART}" if any("(Conv" in name for name in foreign) else ""
        return f"it holds {', '.join(foreign)}; supported are {SUPPORTED}{advice}"
    if any(isinstance(part, nn.RNNBase) for part in module.modules()):
        return (
            "give input_shape, the features of one step, if these are not they; and leave "
            "pack_padded_sequence out of forward: sequences of different lengths are given to the "
            "compressed network as a list"
        )
    return "give input_shape, the shape of one input, if this is not it"


def _functional(program: ExportedProgram) -> ExportedProgram:
    """Remove in-place operations, whose effect a walk along the data would not see."""
    try:
        with without_torch_warnings():
            functional: ExportedProgram = program.run_decompositions({})
            return functional
    except Exception as error:  # as above
        raise ModelError(f"torch cannot decompose the program ({_first_line(error)})") from error


def _example_shape(module: nn.Module, given: Sequence[int] | None) -> tuple[int, ...]:
    if given is not None:
        shape = tuple(given)
        if not shape or not all(isinstance(size, int) and size >= 1 for size in shape):
            raise InputError(f"input_shape must be positive integers, not {given!r}")
        if any(isinstance(part, nn.RNNBase) for part in module.modules()):
            _check_features(module, shape[-1])
            return (_EXAMPLE_STEPS, *shape) if len(shape) == 1 else shape
        return shape
    recurrent = next((part for part in module.modules() if isinstance(part, nn.RNNBase)), None)
    if recurrent is not None:
        return (_EXAMPLE_STEPS, _step_size(module, recurrent))
    for part in module.modules():
        if isinstance(part, nn.Linear):
            return (part.in_features,)
        if isinstance(part, nn.BatchNorm1d):
            return (part.num_features,)
    raise ModelError(
        f"{type(module).__name__} has no Linear module that tells the shape of its input; "
        "give input_shape, the shape of one input"
    )


def _check_features(module: nn.Module, features: int) -> None:
    """Refuse steps of a size that no part of a recurrent module takes.

    Raises
    ------
    ModelError
    """
    sizes = {part.input_size for part in module.modules() if isinstance(part, nn.RNNBase)}
    sizes |= {part.in_features for part in module.modules() if isinstance(part, nn.Linear)}
    sizes |= {part.num_features for part in module.modules() if isinstance(part, nn.BatchNorm1d)}
    if features not in sizes:
        raise ModelError(
            f"{type(module).__name__} takes no steps of {features} features: its layers take "
            f"{', '.join(map(str, sorted(sizes)))}"
        )


def _step_size(module: nn.Module, recurrent: nn.RNNBase) -> int:
    """Features of a step: of the recurrent layer, or of the Linear or BatchNorm before it."""
    for part in module.modules():
        if part is recurrent:
            break
        if isinstance(part, nn.Linear):
            return part.in_features
        if isinstance(part, nn.BatchNorm1d):
            return part.num_features
    return recurrent.input_size


@contextmanager
def _evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Hold `module` in evaluation mode, then restore the mode of each of its parts.

    A deep copy would do as well, but fails on modules under ``torch.nn.utils.prune``.
    """
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def without_torch_warnings() -> Iterator[None]:
    """Silence what torch says of its own workings, which a user can do nothing about.

    A file that cannot be read or a module that cannot be traced is an error of ours, with one
    message; torch would log pages of tracebacks before it.
    """
    logged = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with _filtered_warnings():
            yield
    finally:
        logging.disable(logged)


@contextmanager
def _filtered_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
        # torch.nn.utils.prune assigns the masked weight in a hook.
        warnings.filterwarnings(
            "ignore", message="The tensor attributes? .* assigned during export"
        )
        yield


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"{type(error).__name__}: {text.splitlines()[0]}"
