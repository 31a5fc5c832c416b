"""A compressed network on its engines: real numbers in and out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.activations import layer_activations
from eie.host.flow.comparison import Comparison, compare_with
from eie.host.flow.engines import Engine, Engines, check_engine
from eie.host.flow.evaluation import Evaluation, evaluate_outputs
from eie.host.flow.inputs import real_batch
from eie.host.flow.labels import check_labels
from eie.host.flow.reading import read_matching
from eie.host.flow.sequence_inference import evaluate_sequences, predict_sequences
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sequence_codes import Outputs
from eie.host.protocol.stream_steps import StreamSteps

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.program import Model
    from eie.host.compress.sequence_model import SequenceModel

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
    """

    def __init__(
        self, network: Network, model: DenseModel | SequenceModel | None, engines: Engines
    ) -> None:
        self.network = network
        self.model = model
        self._engines = engines

    def predict(
        self,
        x: Any,
        engine: Engine = "emulator",
        *,
        outputs: Outputs | None = None,
        keep_state: bool = False,
    ) -> Any:
        """Take inputs through the compressed network.

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

        Returns
        -------
        ndarray of float32
            Shape (n, outputs), or (outputs,) for a single input. Of all steps (n, steps, outputs),
            or a list of (steps, outputs) for a list.

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
                self.network, self._engines, x, engine, outputs=outputs, keep=keep_state
            )
        if outputs is not None or keep_state:
            raise InputError(
                "outputs and keep_state must be left out: the model has no recurrent layer"
            )
        array, single = real_batch(self.network, x)
        codes = quantize_inputs(self.network, array, name="x")
        values = dequantize(self._engines.run(codes, engine), self.network.output_frac)
        return values[0] if single else values

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
        array, single = real_batch(self.network, x)
        if single:
            raise InputError(
                f"x must be a batch, not a single input of shape {real_array(x, 'x').shape}"
            )
        if y is None and self.model is None:
            raise InputError(
                "y must be given, since the model that this network was made of is not known"
            )
        if y is not None:  # before minutes of emulating
            check_labels(y, len(array), self.network.outputs, name="y")
        codes = quantize_inputs(self.network, array, name="x")
        outputs = dequantize(self._engines.run(codes, engine), self.network.output_frac)
        model = self._dense_model()
        exact = None if model is None else model.forward(array.astype(np.float64))
        return evaluate_outputs(outputs, labels=y, float_outputs=exact, name="y")

    def compare(
        self, model_or_x: Model | npt.ArrayLike, x: npt.ArrayLike | None = None
    ) -> Comparison:
        """Compare each layer with the model's: ``compare(x)``, or ``compare(model, x)``.

        Parameters
        ----------
        model_or_x
            Real inputs; or a model, as :func:`eie.convert` takes it, with `x`. Without one it is
            the model that was converted.
        x
            A batch of real inputs, as for :meth:`predict`.

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
        self._refuse_sequences("compare")
        given = self._dense_model() if x is None else read_matching(self.network, model_or_x)
        if given is None:
            raise InputError(
                "compare must be given the model, compare(model, x), since the one that this "
                "network was made of is not known"
            )
        array, _ = real_batch(self.network, model_or_x if x is None else x)
        if not len(array):
            raise InputError("x must have at least one vector, not 0")
        return compare_with(self.network, given, array)

    def trace(self, x: npt.ArrayLike) -> dict[str, Reals]:
        """Give what every layer gives, as real numbers.

        Parameters
        ----------
        x
            Real numbers, as for :meth:`predict`.

        Returns
        -------
        dict of str to ndarray of float32
            By layer name, in order: shape (n, outputs of the layer), or (outputs,) for a single
            input. The last is what :meth:`predict` gives.
        """
        self._refuse_sequences("trace")
        array, single = real_batch(self.network, x)
        codes = quantize_inputs(self.network, array, name="x")
        found = layer_activations(self.network, codes)
        return {each.name: each.values[0] if single else each.values for each in found}

    def _dense_model(self) -> DenseModel | None:
        """Give the model of a network that is not recurrent."""
        return self.model  # type: ignore[return-value]  # a recurrent one was asked for before

    def _refuse_sequences(self, what: str) -> None:
        if self.network.recurrent:
            raise InputError(
                f"{what} is for networks without a recurrent layer, whose layers give one vector "
                "each: evaluate(x, y) compares a recurrent one with its model"
            )
