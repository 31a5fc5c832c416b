"""What an example tells of its network: a line of the table in docs/tutorial/examples.md."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

import eie
from eie.hls.boundary.errors import EieWarning, ToolError
from eie.hls.spec.fixed_point import dequantize
from eie.host.compress import TorchReference
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sequence_codes import sequence_codes
from eie.host.network.sizes import float32_bytes
from eie.host.packing.tiling import plan_passes

__all__ = ["BOARD", "Outcome", "measured", "same_on_every_engine"]

#: The board of every example.
BOARD = "pynq-z2"
#: Inputs on which engines are compared; what the engines are.
COMPARED = 100
ENGINES = {"emulator": "emulator", "c++": "generated C++", "board": "emulated board"}

#: A batch, or sequences of different lengths.
Inputs = Any


@dataclass(frozen=True)
class Outcome:
    """An example's figures; None where it has none."""

    #: What it is, and the network.
    name: str
    network: str
    #: Share of the test data that the model gets right, before anything was done to it.
    float_accuracy: float
    #: Share that is right at the end: on the accelerator's integers where there are cycles.
    accuracy: float
    #: Share of the weights that are kept.
    density: float
    #: Bytes in float32, and those that are loaded onto the chip.
    float_bytes: int
    size: int
    #: Least cycles of one vector on the design for :data:`BOARD`.
    cycles: int | None = None
    #: What a reader must know of these figures.
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Give a row of the table."""
        return (
            self.name,
            self.network,
            f"{100 * self.float_accuracy:.2f} %",
            f"{100 * self.accuracy:.2f} %",
            f"{100 * self.density:.1f} %",
            f"{self.float_bytes:,}",
            f"{self.size:,}",
            "-" if self.cycles is None else f"{self.cycles:,}",
            self.note,
        )

    def __str__(self) -> str:
        cycles = "" if self.cycles is None else f", {self.cycles:,} cycles a vector at least"
        return (
            f"{self.name}: {100 * self.accuracy:.2f} % of the test data right "
            f"(model: {100 * self.float_accuracy:.2f} %), {100 * self.density:.1f} % of the "
            f"weights, {self.size:,} bytes of {self.float_bytes:,}{cycles}"
        )


def measured(
    name: str,
    acc: eie.AcceleratedModel,
    inputs: Inputs,
    labels: npt.NDArray[np.int64],
    float_accuracy: float,
    note: str = "",
    *,
    network: str = "",
    model: nn.Module | None = None,
    compiled: bool = True,
) -> Outcome:
    """Measure a converted model on test data, and compare the engines on some of it.

    The generated C++ is compiled for it, which takes a minute, if `compiled`.

    Weights and bytes are those of the network's matrices; of `model` where these are others: a
    connection around a block takes a matrix on the accelerator, and an LSTM of torch has each bias
    twice. `network` is what the table calls it; by default the sizes of its layers.
    """
    layers = acc.network.layers
    sizes = [layers[0].columns, *(layer.rows for layer in layers)]
    found = acc.evaluate(inputs, labels)
    assert found.accuracy is not None
    print(same_on_every_engine(acc, inputs[:COMPARED], compiled=compiled), flush=True)
    if model is None:
        weights = sum(layer.rows * layer.columns for layer in layers)
        kept, in_float = sum(layer.nonzeros for layer in layers), float32_bytes(acc.network)
    else:
        matrices = [each for each in model.parameters() if each.ndim == 2]
        weights = sum(each.numel() for each in matrices)
        kept = sum(int(each.count_nonzero()) for each in matrices)
        in_float = 4 * sum(each.numel() for each in model.parameters())
    return Outcome(
        name,
        network or "-".join(map(str, sizes)),
        float_accuracy,
        found.accuracy,
        kept / weights,
        in_float,
        plan_passes(acc.network, acc.design).loaded_bytes,
        acc.findings.costs.single.total_cycles,
        note,
    )


def same_on_every_engine(
    acc: eie.AcceleratedModel, inputs: Inputs, *, compiled: bool = True
) -> str:
    """Compare the outputs of all engines with the integer reference's, and say what was compared.

    Raises
    ------
    AssertionError
        If an output differs.
    """
    network = acc.network
    if network.recurrent:
        given = sequence_codes(network, list(inputs)).codes
        codes = np.stack([each[-1] for each in SequenceReference(network)(given).outputs])
    else:
        codes = TorchReference(network)(quantize_inputs(network, acc.features(inputs)))
    wanted, same = dequantize(codes, network.output_frac), ["integer reference"]
    for engine, said in ENGINES.items():
        if engine == "c++" and not compiled:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", EieWarning)  # that the board is an emulated one
                found = acc.predict(inputs, engine)
        except ToolError as error:
            print(f"not compared: {said} ({error})")
            continue
        assert np.array_equal(found, wanted), f"{said} and integer reference differ"
        same.append(said)
    return f"{', '.join(same)}: the same {codes.size:,} outputs of {len(inputs)} inputs"
