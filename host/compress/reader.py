"""Reading a torch model into numpy."""

from __future__ import annotations

from collections.abc import Sequence

from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.folding import fold
from eie.host.compress.graph_reader import read_program
from eie.host.compress.program import Model, load_program

__all__ = ["read_model"]


def read_model(model: Model, *, input_shape: Sequence[int] | None = None) -> DenseModel:
    """Read the fully connected layers of a torch model, BatchNorm folded in.

    Supported, one after another: Linear, ReLU, Flatten, Dropout, Identity and BatchNorm1d, as
    modules or as the functions that they call, with a weight that is a parameter or computed
    from parameters (a pruning mask, a parametrization). A BatchNorm counts with its running
    statistics. Values are read as they are: nothing is pruned or rounded.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` (left as it was), a ``torch.export`` program, or the path of a
        saved one (``.pt2``).
    input_shape
        Shape of one input of a module, without the batch, where its first Linear does not tell.

    Raises
    ------
    ModelError
        If the model holds anything else, or a weight that is not finite, naming every place.
    InputError
        If `model` or `input_shape` is not what it must be.
    """
    graph = read_program(load_program(model, input_shape))
    return fold(graph, stacklevel=4)  # where compress is called
