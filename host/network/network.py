"""A compressed network, independent of hardware.

A :class:`Network` is what the model says: for each layer the sparse matrix of weight codes, the
codebook, the bias, the activation function and the fixed-point formats; plus golden inputs and
outputs from the torch integer reference, so that a board without torch can check itself.
Its file is that of :mod:`eie.host.network.file`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted, shown
from eie.hls.spec.fixed_point import ACTIVATION_BITS, FRAC_MAX, FRAC_MIN, Frac
from eie.host.network.file import LAYER_ARRAYS, LAYER_OPTIONS, Parts, read_parts, write_parts
from eie.host.network.graph import chains_of, check_graph, held_sources
from eie.host.network.head_record import HeadRecord
from eie.host.network.input_shape import INPUT_SHAPE, parse_shape
from eie.host.network.layer import Layer
from eie.host.network.summary import network_table
from eie.host.network.table import Summarized, Table

__all__ = ["Network"]


#: Stands for golden vectors that are not given, until the network's width is known.
_NO_VECTORS: npt.NDArray[np.int16] = np.zeros((0, 0), np.int16)


@dataclass(frozen=True, eq=False, repr=False)
class Network(Summarized):
    """Layers in the order in which they run, with golden vectors to check any engine by.

    Attributes
    ----------
    layers
        The layers in order; each takes what the one before gives, or its source.
    golden_inputs
        int16, shape (vectors, columns of the first layer); no vectors if not given.
    golden_outputs
        int16, shape (vectors, rows of the last layer), from the torch integer reference.
    metadata
        Text about the origin, such as the model's name and accuracies; not used by engines. Of it,
        ``input_shape`` is :attr:`input_shape` and ``loss`` a
        :class:`~eie.host.network.loss_record.LossRecord`; the rest is free.
    feature_fracs
        int64, shape (inputs,): fraction bits of each input, for features of different scale; None
        if all of them have those of the first layer. Column j of the first layer is then scaled by
        ``2 ** (layers[0].input_frac - feature_fracs[j])``, so that engines need not know.
    """

    layers: tuple[Layer, ...]
    golden_inputs: npt.NDArray[np.int16] = field(default_factory=lambda: _NO_VECTORS)
    golden_outputs: npt.NDArray[np.int16] = field(default_factory=lambda: _NO_VECTORS)
    metadata: Mapping[str, str] = field(default_factory=dict)
    feature_fracs: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        problems = Problems("network")
        object.__setattr__(self, "layers", tuple(self.layers))
        if problems.require(len(self.layers) > 0, "must have at least one layer"):
            for name, width in (("golden_inputs", self.inputs), ("golden_outputs", self.outputs)):
                if getattr(self, name) is _NO_VECTORS:
                    object.__setattr__(self, name, np.zeros((0, width), np.int16))
            _check_chain(self, problems)
            _check_feature_fracs(self, problems)
        problems.raise_as(InputError)
        if self.feature_fracs is not None:
            fracs = self.feature_fracs.copy()
            fracs.flags.writeable = False
            object.__setattr__(self, "feature_fracs", fracs)

    @property
    def inputs(self) -> int:
        """Length of an input vector."""
        return self.layers[0].columns

    @property
    def outputs(self) -> int:
        """Length of an output vector."""
        return self.layers[-1].results

    @property
    def chains(self) -> tuple[range, ...]:
        """Indices of the layers that share their sums: those of each chain, in order."""
        return chains_of(self.layers)

    @property
    def held(self) -> tuple[int, ...]:
        """Layers whose results are held for later ones; -1 stands for the network's input."""
        return held_sources(self.layers)

    @property
    def recurrent(self) -> bool:
        """Whether a result depends on vectors before it: vectors are the steps of sequences."""
        return any(layer.source == index for index, layer in enumerate(self.layers))

    @property
    def input_frac(self) -> Frac:
        """Fraction bits of the inputs, as :func:`eie.hls.spec.fixed_point.quantize` takes them.

        One number, or one for each feature: int64, shape (inputs,).
        """
        return self.layers[0].input_frac if self.feature_fracs is None else self.feature_fracs

    @property
    def output_frac(self) -> int:
        """Fraction bits of the outputs."""
        return self.layers[-1].output_frac

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input in the model, such as (1, 28, 28); (inputs,) if it is not known.

        It is ``metadata["input_shape"]``, as ``1x28x28``.
        """
        text = self.metadata.get(INPUT_SHAPE)
        return (self.inputs,) if text is None else parse_shape(text)

    def flat_inputs(self, inputs: npt.NDArray[Any], *, name: str = "inputs") -> npt.NDArray[Any]:
        """Give a batch in the model's own shape as vectors; what is flat already, as it is.

        Parameters
        ----------
        inputs
            Shape (batch, inputs), or (batch, ...) with :attr:`input_shape`; any type.
        name
            What they are, for the message.

        Returns
        -------
        ndarray, shape (batch, inputs)

        Raises
        ------
        InputError
            If they have another shape.
        """
        shape = inputs.shape[1:]
        if inputs.ndim < 2 or shape not in ((self.inputs,), self.input_shape):
            own = ", ".join(map(str, self.input_shape))
            or_own = "" if self.input_shape == (self.inputs,) else f" or (batch, {own})"
            record = HeadRecord.of(self)
            head = "" if record is None else record.hint()
            raise InputError(
                f"{name} must have shape (batch, {self.inputs}){or_own}, not {inputs.shape}{head}"
            )
        return inputs.reshape(len(inputs), self.inputs)

    def check_inputs(self, inputs: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Give a batch of int16 codes as contiguous vectors, or refuse it.

        Parameters
        ----------
        inputs
            int16, of a shape that :meth:`flat_inputs` takes.

        Returns
        -------
        ndarray of int16, shape (batch, inputs)

        Raises
        ------
        InputError
            If type or shape are others.
        """
        array = real_array(inputs, "input codes")
        if array.dtype != np.int16:
            raise InputError(f"input codes must be int16, not {array.dtype}")
        return np.ascontiguousarray(self.flat_inputs(array))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network file (:mod:`eie.host.network.file`): whole or not at all.

        Raises
        ------
        NetworkFileError
            If the file cannot be written.
        """
        arrays = {
            f"layer{number}_{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.arrays().items()
        }
        arrays |= {"golden_inputs": self.golden_inputs, "golden_outputs": self.golden_outputs}
        if self.feature_fracs is not None:
            arrays["feature_fracs"] = self.feature_fracs
        layers = [layer.scalars() for layer in self.layers]
        write_parts(Parts(layers, dict(self.metadata), arrays), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read a network file, which may come from anywhere, and check all of it.

        Raises
        ------
        NetworkFileError
            If the file is missing, truncated, altered, of another version, inconsistent, or not
            a network file at all; says what it is instead.
        """
        return read_parts(path, cls._of_parts)

    @classmethod
    def _of_parts(cls, parts: Parts) -> Network:
        layers = []
        for number, scalars in enumerate(parts.layers):
            fields: dict[str, Any] = dict(scalars)
            for name in LAYER_ARRAYS:
                fields[name] = parts.arrays[f"layer{number}_{name}"]
            for name in LAYER_OPTIONS:
                fields[name] = parts.arrays.get(f"layer{number}_{name}")
            layers.append(Layer(**fields))
        return cls(
            layers=tuple(layers),
            golden_inputs=parts.arrays["golden_inputs"],
            golden_outputs=parts.arrays["golden_outputs"],
            metadata=parts.metadata,
            feature_fracs=parts.arrays.get("feature_fracs"),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return (
            self.layers == other.layers
            and np.array_equal(self.golden_inputs, other.golden_inputs)
            and np.array_equal(self.golden_outputs, other.golden_outputs)
            and np.array_equal(self.input_frac, other.input_frac)
            and dict(self.metadata) == dict(other.metadata)
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def summary(self) -> Table:
        """Give layers, sizes, formats and error as a table of a few lines.

        Returns
        -------
        Table
        """
        return network_table(self)

    def __repr__(self) -> str:
        results = (layer.results for layer in self.layers if not layer.accumulate)
        sizes = "-".join(map(str, (self.inputs, *results)))
        weights = sum(layer.nonzeros for layer in self.layers)
        return f"<Network {sizes}, {counted(weights, 'weight')}>"


def _check_feature_fracs(network: Network, problems: Problems) -> None:
    fracs, width = network.feature_fracs, network.inputs
    if fracs is None:
        return
    if problems.require(
        isinstance(fracs, np.ndarray) and fracs.dtype == np.int64 and fracs.shape == (width,),
        f"feature_fracs must be int64 of shape ({width},)",
    ):
        problems.require(
            bool(np.all((fracs >= FRAC_MIN) & (fracs <= FRAC_MAX))),
            f"feature_fracs must be {FRAC_MIN} to {FRAC_MAX}",
        )


def _check_chain(network: Network, problems: Problems) -> None:
    require = problems.require
    names = [layer.name for layer in network.layers]
    require(len(set(names)) == len(names), f"layer names must be unique, not {shown(names)}")
    check_graph(network.layers, problems)
    shaped = True
    for name, width in (("golden_inputs", network.inputs), ("golden_outputs", network.outputs)):
        array = getattr(network, name)
        shaped &= require(
            isinstance(array, np.ndarray)
            and array.dtype == np.int16
            and array.ndim == 2
            and array.shape[1] == width,
            f"{name} must be int{ACTIVATION_BITS} of shape (vectors, {width})",
        )
    require(
        not shaped or len(network.golden_inputs) == len(network.golden_outputs),
        "golden_inputs and golden_outputs must have as many vectors each",
    )
    metadata = network.metadata
    if require(
        isinstance(metadata, Mapping)
        and all(isinstance(text, str) for item in metadata.items() for text in item),
        f"metadata must map strings to strings, not {shown(metadata)}",
    ):
        text = metadata.get(INPUT_SHAPE)
        require(
            text is None or math.prod(parse_shape(text)) == network.inputs,
            f"metadata[{INPUT_SHAPE!r}] must be a shape of {network.inputs} inputs, such as "
            f"'{network.inputs}', not {shown(text)}",
        )
