"""A compressed network on its engines: real numbers in and out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.activations import layer_activations
from eie.host.flow.comparison import Comparison, compare_sequences, compare_with
from eie.host.flow.engines import Engine, Engines, check_engine
from eie.host.flow.evaluation import Evaluation, evaluate_through
from eie.host.flow.inputs import real_batch
from eie.host.flow.labels import check_labels
from eie.host.flow.reading import read_matching
from eie.host.flow.sequence_inference import (
    evaluate_sequences,
    predict_sequences,
    trace_sequences,
)
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sequence_codes import Outputs, as_sequences
from eie.host.network.sequence_state import States
from eie.host.protocol.stream_steps import StreamSteps

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.program import Model
    from eie.host.compress.sequence_model import SequenceModel
    from eie.host.cut import HostParts

__all__ = ["Inference"]

Reals = npt.NDArray[np.float32]


class Inference:
    """What a network gives for inputs, on whatever engine, beside its model if that is known.

    Parameters
    ----------
    network
        The compressed network.
    model
        The model before compression, in real numbers; None if it is not known.
    engines
        What runs it.
    host
        What the host does before and behind it; None if the network is the whole model.
    """

    def __init__(
        self,
        network: Network,
        model: DenseModel | SequenceModel | None,
        engines: Engines,
        host: HostParts | None = None,
    ) -> None:
        self.network = network
        self.model = model
        self.host = host
        self._engines = engines

    def predict(
        self,
        x: Any,
        engine: Engine = "emulator",
        *,
        outputs: Outputs | None = None,
        keep_state: bool = False,
        state: States | None = None,
    ) -> Any:
        """Take inputs through the compressed network, and what the host does around it.

        Parameters
        ----------
        x
            Real numbers: a batch (n, ...) in the model's own shape or flat, or a single input. Of a
            recurrent model sequences: (n, steps, features), a list of (steps, features) of
            different lengths, or a single one of them.
        engine
            ``"emulator"``, ``"c++"`` or ``"board"``.
        outputs
            Of sequences: ``"all"`` steps or the ``"last"``; what the model gives if None.
        keep_state
            Whether sequences go on where those of the last call on this engine ended, in the same
            order: a sequence in several calls gives what it gives in one.
        state
            Where sequences begin, in place of zero, as torch has it: h_0 of GRUs, or (h_0, c_0),
            each of shape (recurrent layers, sequences, units).

        Returns
        -------
        ndarray of float32
            Shape (n, outputs), or (outputs,) for a single input. Of a model that was cut and goes
            on behind the accelerator, what it ends in: (n,) integers for classes. Of all steps
            (n, steps, outputs), or a list of (steps, outputs) for a list.

        Raises
        ------
        InputError
            If shape or type are others, a number is not finite, or there is no such engine.
        DeviceError
            If there is no state to go on from, or it is lost; says by what.
        ToolError
            If the engine needs g++ or pynq, and it is not there.

        Warns
        -----
        SaturationWarning
            If 16 bits could not hold inputs, or results of a layer.
        EieWarning
            Once, if the board is an emulated one.
        """
        check_engine(engine)
        if self.network.recurrent:
            return predict_sequences(
                self.network,
                self._engines,
                x,
                engine,
                outputs=outputs,
                keep=keep_state,
                state=state,
            )
        if outputs is not None or keep_state or state is not None:
            raise InputError(
                "outputs, keep_state and state must be left out: the model has no recurrent layer"
            )
        given = real_batch(self.network, self.host, x)
        codes = quantize_inputs(self.network, given.vectors, name="x")
        values = dequantize(self._engines.run(codes, engine), self.network.output_frac)
        if self.host is not None:
            values = self.host.finish(values)
        return values[0] if given.single else values

    def features(self, x: npt.ArrayLike) -> Reals:
        """Give what the accelerator takes: what the host's part of a cut model makes of inputs.

        Parameters
        ----------
        x
            Real numbers, as for :meth:`predict`.

        Returns
        -------
        ndarray
            Shape (vectors, inputs of the network): a vector for each input, or for each of its
            positions; the flattened inputs of a model that was not cut.
        """
        return real_batch(self.network, self.host, x).vectors

    def stream(self, steps: Iterable[npt.ArrayLike], engine: Engine = "emulator") -> Iterator[Any]:
        """Take a sequence step by step: each one's outputs are there before the next is asked for.

        Parameters
        ----------
        steps
            Each of shape (features,): real numbers.
        engine
            As for :meth:`predict`.

        Returns
        -------
        iterator of ndarray of float32, shape (outputs,)

        Raises
        ------
        InputError
            If the model is not recurrent; or a step has another shape or is not finite.
        DeviceError
            If another call took the stream's lane.
        """
        check_engine(engine)
        taken = StreamSteps(
            self.network, lambda stream, vector: self._engines.step(stream, vector, engine)
        )
        return taken.each(steps)

    def evaluate(
        self, x: npt.ArrayLike, y: npt.ArrayLike | None = None, engine: Engine = "emulator"
    ) -> Evaluation:
        """Say how well the compressed network does: against labels, and against the model.

        Parameters
        ----------
        x
            A batch of real inputs, as for :meth:`predict`.
        y
            Classes, integers of shape (n,); or real targets, floats of shape (n, outputs). None
            compares with the model alone.
        engine
            As for :meth:`predict`.

        Returns
        -------
        Evaluation
            Figures of the model are None if it is not known, as of a network from a file.

        Raises
        ------
        InputError
            If inputs or labels are not what they must be; or there is neither model nor labels.
        """
        check_engine(engine)
        if self.network.recurrent:
            return evaluate_sequences(self.network, self._engines, self.model, x, y, engine)
        given = real_batch(self.network, self.host, x)
        if given.single:
            raise InputError(
                f"x must be a batch, not a single input of shape {real_array(x, 'x').shape}"
            )
        if y is None and self.model is None:
            raise InputError(
                "y must be given, since the model that this network was made of is not known"
            )
        if y is not None:  # before minutes of emulating
            width = self.network.outputs if self.host is None else self.host.outputs
            check_labels(y, given.inputs, width, name="y")
        codes = quantize_inputs(self.network, given.vectors, name="x")
        outputs = dequantize(self._engines.run(codes, engine), self.network.output_frac)
        model = self._dense_model()
        exact = None if model is None else model.forward(given.vectors.astype(np.float64))
        return evaluate_through(self.host, outputs, labels=y, float_outputs=exact, name="y")

    def compare(self, model_or_x: Model | npt.ArrayLike, x: Any = None) -> Comparison:
        """Compare each layer with the model's: ``compare(x)``, or ``compare(model, x)``.

        Parameters
        ----------
        model_or_x
            Real inputs; or a model, as :func:`eie.convert` takes it, with `x`. Without one it is
            the model that was converted.
        x
            A batch of real inputs, as for :meth:`predict`. Of a recurrent model sequences, each
            from a state of zero: layers are compared in all steps.

        Returns
        -------
        Comparison
            Range, error and saturation of each layer.

        Raises
        ------
        InputError
            If no model is known, or the one given has other layers; or the inputs are not what they
            must be.
        """
        given = self.model if x is None else read_matching(self.network, model_or_x)
        if given is None:
            raise InputError(
                "compare must be given the model, compare(model, x), since the one that this "
                "network was made of is not known"
            )
        inputs = model_or_x if x is None else x
        if self.network.recurrent:
            sequences = as_sequences(inputs, self.network.inputs, name="x").arrays
            return compare_sequences(self.network, cast("SequenceModel", given), sequences)
        batch = real_batch(self.network, self.host, inputs)
        if not batch.inputs:
            raise InputError("x must have at least one vector, not 0")
        return compare_with(self.network, cast("DenseModel", given), batch.vectors)

    def trace(self, x: Any) -> dict[str, Any]:
        """Give what every layer gives, as real numbers.

        Parameters
        ----------
        x
            Real numbers, as for :meth:`predict`.

        Returns
        -------
        dict of str to ndarray of float32
            By layer name, in order: shape (n, outputs of the layer), or (outputs,) for a single
            input; with as many vectors as positions for each input, if it has positions. The last
            is what :meth:`predict` gives, before what the host does behind it. Of sequences what
            they give in every step, from a state of zero, as :meth:`predict` gives all steps.
        """
        if self.network.recurrent:
            return trace_sequences(self.network, x)
        given = real_batch(self.network, self.host, x)
        codes = quantize_inputs(self.network, given.vectors, name="x")
        found = layer_activations(self.network, codes)
        alone = given.single and len(codes) == 1
        return {each.name: each.values[0] if alone else each.values for each in found}

    def _dense_model(self) -> DenseModel | None:
        """Give the model of a network that is not recurrent."""
        return self.model  # type: ignore[return-value]  # a recurrent one was asked for before
