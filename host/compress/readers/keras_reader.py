"""Keras 3 models, saved or in Python, in the terms of :mod:`eie.host.compress.model_graph`.

What a layer is comes from its configuration, which is data: layers with code in them (a Lambda, a
class of one's own) are refused by name and never built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.text import shown
from eie.host.compress.model_graph import (
    SUPPORTED,
    Activation,
    Affine,
    Graph,
    Join,
    Linear,
    Node,
    Operation,
    Unsupported,
)
from eie.host.compress.readers.keras_layers import (
    Config,
    Refused,
    activation,
    batch_normalization,
    dense,
    feature_normalization,
    joined,
    reshaped,
)
from eie.host.compress.readers.keras_recurrent import (
    RECURRENT,
    REFUSED,
    has_recurrent,
    recurrent,
)
from eie.host.compress.readers.keras_weights import KerasWeights, LiveWeights, load_keras_file

__all__ = ["is_keras_model", "read_keras", "read_keras_model"]

_IDENTITIES = frozenset(
    {"Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "Identity", "InputLayer",
     "ActivityRegularization"}
)  # fmt: skip
_JOINS: dict[str, Any] = {"Add": "add", "Multiply": "multiply", "Concatenate": "concatenate"}
#: Classes whose weights are read, as files name them.
_GROUPS = {
    "Dense": "dense", "BatchNormalization": "batch_normalization", "Normalization": "normalization",
    "Sequential": "sequential", "LSTM": "lstm", "GRU": "gru",
}  # fmt: skip
#: Models within models, and layers in one of them, at most.
_MOST_DEPTH, _MOST_LAYERS = 20, 2000


def is_keras_model(model: object) -> bool:
    """Whether `model` is one of Keras; loads nothing. On torch it is a torch module as well."""
    names = {f"{each.__module__}.{each.__name__}" for each in type(model).__mro__}
    return "keras.src.models.model.Model" in names


def read_keras(path: Path) -> Graph:
    """Read a ``.keras`` file of Keras 3, without Keras.

    Raises
    ------
    ModelError
        If it is no such file, or neither sequential nor functional with one input and one output.
    ImportError
        If h5py is not installed.
    """
    description, weights = load_keras_file(path)
    try:
        return _read(path.name, description, weights)
    except ModelError:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ModelError(
            f"{path} is no Keras model that can be read: its description is incomplete ({error!r})"
        ) from error


def read_keras_model(model: Any) -> Graph:
    """Read a Keras 3 model in Python.

    Raises
    ------
    ModelError
        If it is neither sequential nor functional, with one input and one output.
    """
    kinds = [each.__name__ for each in type(model).__mro__]
    kind = next((each for each in ("Sequential", "Functional") if each in kinds), kinds[0])
    config = model.get_config() if kind != kinds[0] or kind in ("Sequential", "Functional") else {}
    return _read(kinds[0], {"class_name": kind, "config": config}, LiveWeights(model))


def _read(name: str, description: Config, weights: KerasWeights) -> Graph:
    kind = description.get("class_name")
    if kind not in ("Sequential", "Functional"):
        raise ModelError(
            f"model must be a Sequential or functional model of Keras, not {shown(kind)}: a class "
            "of its own says nothing of what it does; rebuild it with keras.Input and keras.Model"
        )
    config = description["config"]
    sequences = has_recurrent(config)
    reader = _Reader(weights, sequences)
    if kind == "Sequential":
        shape = _input_shape(config["layers"], config.get("build_input_shape"), sequences)
        reader.sequence(config["layers"], "input", shape, (), ())
        return Graph(name, shape, "input", tuple(reader.nodes), sequences)
    inputs, outputs = (_ends(config[each]) for each in ("input_layers", "output_layers"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"model must have one input and one output, not inputs {shown(inputs)} and outputs "
            f"{shown(outputs)}"
        )
    first = [each for each in config["layers"] if each["config"]["name"] == inputs[0]]
    shape = _input_shape(first, None, sequences)
    reader.functional(config["layers"], shape, outputs[0])
    return Graph(name, shape, "input", tuple(reader.nodes), sequences)


def _input_shape(layers: Sequence[Config], built: Any, sequences: bool) -> tuple[int, ...]:
    """Shape of one input without the batch; of sequences, of one step."""
    first = layers[0] if layers else {}
    config, build = first.get("config", {}), first.get("build_config") or {}
    shape = config.get("batch_shape") or built or build.get("input_shape")
    sizes = shape[1:] if isinstance(shape, (list, tuple)) else ()
    if sequences:
        sizes = sizes[1:] if len(sizes) == 2 else ()
    wanted = "steps, features" if sequences else "features..."
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        raise ModelError(
            f"model must have an input of shape (batch, {wanted}) with features of fixed sizes, "
            f"not {shown(shape)}: begin it with keras.Input(shape), or build it"
        )
    return tuple(sizes)


def _ends(layers: Any) -> list[str]:
    """Names of layers in ``[name, 0, 0]`` or a list of such."""
    if layers and isinstance(layers[0], str):
        return [layers[0]]
    return [name for each in layers for name in _ends(each)]


def _tensors(value: Any) -> Iterator[str]:
    """Names of the layers whose results are among the arguments of a call."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]["keras_history"][0]
            return
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)


class _Reader:
    """Reads layers one after another."""

    def __init__(self, weights: KerasWeights, sequences: bool) -> None:
        self._weights = weights
        #: Whether inputs are sequences; shapes are those of a step then.
        self._sequences = sequences
        self.nodes: list[Node] = []

    def sequence(
        self,
        layers: Sequence[Config],
        value: str,
        shape: tuple[int, ...] | None,
        path: tuple[str, ...],
        group: tuple[str, ...],
    ) -> tuple[str, tuple[int, ...] | None]:
        """Read layers that follow one another; gives the last one's value, and its shape."""
        if len(path) > _MOST_DEPTH:
            raise ModelError(f"model must have at most {_MOST_DEPTH} models within models")
        for layer, own in zip(layers, _groups(layers), strict=True):
            value, shape = self._layer(layer, (value,), shape, path, (*group, own))
        return value, shape

    def functional(self, layers: Sequence[Config], shape: tuple[int, ...], output: str) -> None:
        """Read the layers that lead to `output`."""
        calls = {
            each["config"]["name"]: [list(_tensors(node)) for node in each["inbound_nodes"]]
            for each in layers
        }
        needed, waiting = {output}, [output]
        while waiting:
            sources = {name for call in calls.get(waiting.pop(), ()) for name in call} - needed
            needed |= sources
            waiting += sources
        values: dict[str, tuple[str, tuple[int, ...] | None]] = {}
        todo = [
            (each, own)
            for each, own in zip(layers, _groups(layers), strict=True)
            if each["config"]["name"] in needed
        ]
        while todo:  # the order of a file need not be that of computation
            ready = [
                each for each in todo
                if all(
                    name in values for call in calls[each[0]["config"]["name"]][:1] for name in call
                )
            ]  # fmt: skip
            if not ready:
                raise ModelError("model must have layers that do not wait for each other")
            for layer, own in ready:
                name = layer["config"]["name"]
                # One that is called more than once is refused, and may take its own result.
                before = [values[each] for call in calls[name][:1] for each in call]
                if not before:
                    values[name] = "input", shape
                    continue
                inputs = tuple(value for value, _ in before)
                shapes = tuple(known for _, known in before)
                values[name] = self._layer(
                    layer, inputs, shapes[0], (), (own,), calls=len(calls[name]), shapes=shapes
                )
            todo = [each for each in todo if each[0]["config"]["name"] not in values]

    def _layer(
        self,
        layer: Config,
        inputs: tuple[str, ...],
        shape: tuple[int, ...] | None,
        path: tuple[str, ...],
        group: tuple[str, ...],
        *,
        calls: int = 1,
        shapes: tuple[tuple[int, ...] | None, ...] = (),
    ) -> tuple[str, tuple[int, ...] | None]:
        """Read a layer; gives its value, and its shape as far as it is known."""
        kind, config = layer["class_name"], layer["config"]
        own = str(config["name"])
        path = (*path, own)
        name = "/".join(path)
        where = f"layer {shown(name)} ({shown(kind)[1:-1]})"
        if kind == "Sequential":
            return self.sequence(config["layers"], inputs[0], shape, path, group)
        try:
            if calls > 1:
                raise Refused("is called more than once: shared layers are not supported")
            if kind in _JOINS:
                operations: list[Operation] = [Join(_JOINS[kind])]
                shape = joined(_JOINS[kind], shapes, int(config.get("axis", -1)))
            elif len(inputs) != 1:
                given = ", ".join(map(shown, inputs))
                raise Refused(f"joins {given}: branches are not supported, only {SUPPORTED}")
            else:
                operations, shape = self._operations(kind, config, shape, path, group)
        except (Refused, InputError) as refused:
            convolution = str(kind).startswith("Conv")
            operations, shape = [Unsupported(f"{where} {refused}", convolution)], None
        for number, operation in enumerate(operations):
            value = name if number == 0 else f"{name}/{number}"
            place = where
            if number and isinstance(operation, Activation):
                place = f"the {operation.kind} of {where}"
            self.nodes.append(Node(value, operation, inputs, place))
            inputs = (value,)
        return inputs[0], shape

    def _operations(
        self,
        kind: str,
        config: Config,
        shape: tuple[int, ...] | None,
        path: tuple[str, ...],
        group: tuple[str, ...],
    ) -> tuple[list[Operation], tuple[int, ...] | None]:
        """Give what a layer does, and the shape of its result."""
        if kind in _IDENTITIES:
            return [], shape
        if self._sequences and kind in REFUSED:
            raise Refused(REFUSED[kind])
        if kind in ("Flatten", "Reshape"):
            return [], reshaped(kind, config, shape)
        if kind in RECURRENT:
            weights = self._weights.of(path, group, inside=("cell",))
            read = recurrent("LSTM" if kind == "LSTM" else "GRU", config, weights, "/".join(path))
            return read, (int(config["units"]),)
        if kind in ("Activation", "ReLU", "LeakyReLU", "Softmax"):
            read = activation(kind, config)
            return [] if read is None else [read], shape
        if kind == "Rescaling":
            scale, shift = (np.asarray(config[each], np.float64) for each in ("scale", "offset"))
            return [Affine(scale, shift)], shape
        readers: dict[str, Callable[[Config, Any, str], list[Operation]]] = {
            "Dense": dense,
            "BatchNormalization": batch_normalization,
            "Normalization": feature_normalization,
        }
        if kind not in readers:
            raise Refused(f"is not supported; supported are {SUPPORTED}")
        if shape is not None and len(shape) != 1:
            raise Refused(
                f"must take inputs of shape (batch, features), not (batch, "
                f"{', '.join(map(str, shape))}); put a Flatten before it"
            )
        weights = self._weights.of(path, group)
        operations = readers[kind](config, weights, "/".join(path))
        first = operations[0]
        return operations, (first.weights.shape[0],) if isinstance(first, Linear) else shape


def _groups(layers: Sequence[Config]) -> list[str]:
    """Names that a file has for the layers: their classes, numbered."""
    if len(layers) > _MOST_LAYERS:
        raise ModelError(f"model must have at most {_MOST_LAYERS} layers, not {len(layers)}")
    counts: dict[str, int] = {}
    groups = []
    for layer in layers:
        kind = str(layer["class_name"])
        number = counts[kind] = counts.get(kind, -1) + 1
        group = _GROUPS.get(kind, kind)
        groups.append(f"{group}_{number}" if number else group)
    return groups
