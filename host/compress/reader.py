"""Reading a model, whatever it comes as, into numpy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.file_kinds import identify
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.folding import fold
from eie.host.compress.graph_reader import read_program
from eie.host.compress.model_graph import Graph
from eie.host.compress.program import Model, load_program
from eie.host.compress.readers.keras_reader import is_keras_model, read_keras, read_keras_model
from eie.host.compress.readers.onnx_model import read_onnx
from eie.host.compress.sequence_folding import fold_sequences
from eie.host.compress.sequence_model import SequenceModel
from eie.host.compress.state_dict import StateDict, with_state

__all__ = ["is_of_torch", "read_model", "takes_input_shape"]

#: Readers of files that are not torch's, by what a file is.
_FILES = {"onnx": read_onnx, "keras": read_keras}


def read_model(
    model: Model | Any,
    *,
    input_shape: Sequence[int] | None = None,
    state_dict: StateDict | None = None,
) -> DenseModel | SequenceModel:
    """Read the fully connected layers of a model, BatchNorm folded in.

    Supported, one after another: Linear, ReLU, Flatten, Dropout, Identity and BatchNorm1d, as
    modules or as the functions that they call, with a weight that is a parameter or computed
    from parameters (a pruning mask, a parametrization, a quantiser); constant scales and shifts. A
    BatchNorm counts with its running statistics. Values are read as they are: nothing is pruned or
    rounded. docs/reference/models.md has what each format may hold. With an LSTM or a GRU it is a
    model of sequences (docs/how-to/recurrent.md).

    Parameters
    ----------
    model
        A ``torch.nn.Module`` (left as it was), of Brevitas as well; a ``torch.export`` program; a
        Keras 3 model; or the path of a saved program (``.pt2``), an ONNX or QONNX model
        (``.onnx``), or a Keras 3 model (``.keras``).
    input_shape
        Shape of one input of a module, without the batch, where its first Linear does not tell.
    state_dict
        Weights for a module, or the path of a file of ``torch.save`` that holds them.

    Raises
    ------
    ModelError
        If the model holds anything else, or a weight that is not finite, naming every place.
    InputError
        If `model`, `input_shape` or `state_dict` is not what it must be.
    ImportError
        If the format needs a package that is not installed.

    Warns
    -----
    EieWarning
        If a softmax or sigmoid at the end is left off.
    """
    graph = _read(model, input_shape, state_dict)
    return fold_sequences(graph) if graph.sequences else fold(graph)


def takes_input_shape(model: object) -> bool:
    """Whether the shape of an input may be told: all but modules of torch have it in them."""
    return isinstance(model, nn.Module) and not is_keras_model(model)


def is_of_torch(model: object) -> bool:
    """Whether a model is a module or program of torch, or the path of one."""
    return not is_keras_model(model) and _path_of_foreign(model) is None


def _read(model: Any, input_shape: Sequence[int] | None, state_dict: StateDict | None) -> Graph:
    if state_dict is not None:
        if not takes_input_shape(model):
            raise InputError("state_dict must be given with a torch.nn.Module, which it belongs to")
        with with_state(model, state_dict):
            return read_program(load_program(model, input_shape))
    keras, path = is_keras_model(model), _path_of_foreign(model)
    if (keras or path) and input_shape is not None:
        raise InputError("input_shape must be None for a model that has its own")
    if keras:
        return read_keras_model(model)
    if path is not None:
        return _FILES[identify(path).name if identify(path).name in _FILES else "onnx"](path)
    return read_program(load_program(model, input_shape))


def _path_of_foreign(model: Any) -> Path | None:
    """Give the path of a file that is not torch's, or nothing."""
    if not isinstance(model, (str, os.PathLike)):
        return None
    path = Path(model)
    kind = identify(path).name
    # One that is damaged may look like nothing, and its name tells what it was meant to be.
    damaged = path.suffix == ".onnx" and kind in ("binary", "text")
    return path if kind in _FILES or damaged else None
