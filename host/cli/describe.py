"""What `eie info` says of a network and of a design."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eie.hls.boundary.text import counted, listed, printable
from eie.hls.spec.boards import BOARDS, LUT_BUDGET
from eie.hls.spec.design import Design
from eie.host.network import Layer, Network
from eie.host.network.head_record import HEAD, HeadRecord
from eie.host.network.loss_record import METADATA_KEY, LayerLoss, LossRecord
from eie.host.network.sizes import file_text, model_weights
from eie.host.network.summary import activity_text, taken_text

__all__ = ["describe", "describe_design", "error_of"]

#: Said of LUTs.
_ESTIMATED = "estimated by parts: see --area"
#: Said of a network without calibration, or from an eie that recorded none.
_UNKNOWN = "not known: compressed without calibration"


def describe(network: Network, path: Path) -> None:
    """Print the layers of the network in the file `path`, and what is known of them."""
    weights = model_weights(network.layers)
    for number, layer in enumerate(network.layers):
        takes = f" of {printable(taken_text(network.layers, number))}" if network.held else ""
        share = 100 * layer.nonzeros / weights[number]
        print(
            f"{printable(layer.name)}: {layer.columns}{takes} -> {layer.rows}, {layer.nonzeros} "
            f"weights ({share:.1f} %), {layer.ending}, fraction bits: inputs "
            f"{_input_bits(network, layer, number)}, weights {layer.weight_frac}, outputs "
            f"{layer.output_frac}"
        )
    print(f"size: {file_text(network, path.stat().st_size)}")
    print(f"{len(network.golden_inputs)} golden vectors")
    print(activity_text(network))
    for name, text in network.metadata.items():
        if name not in (METADATA_KEY, HEAD):
            print(f"{printable(name)}: {printable(text)}")
    head = HeadRecord.of(network)
    for line in () if head is None else head.lines():
        print(printable(line))
    if "error" not in network.metadata:
        print(f"error: {_UNKNOWN}")
    record = LossRecord.of(network)
    if record is not None:
        for line in _losses(record):
            print(printable(line))


def error_of(network: Network) -> str:
    """Say how far the network's outputs are from the model's, as far as that is known."""
    return network.metadata.get("error", _UNKNOWN)


def _input_bits(network: Network, layer: Layer, number: int) -> str:
    if number > 0 or network.feature_fracs is None:
        return str(layer.input_frac)
    low, high = network.feature_fracs.min(), network.feature_fracs.max()
    return f"{low} to {high} (by feature)"


def _losses(record: LossRecord) -> Iterator[str]:
    if record.stages:
        stages = (f"{stage.stage} {100 * stage.median:.2f} %" for stage in record.stages)
        yield f"loss by step, median vector: {', '.join(stages)}"
    if record.inputs_saturated:
        yield f"inputs: {counted(record.inputs_saturated, 'calibration value')} cut off"
    for which, becomes in (
        (record.features_zeroed, "always become 0"),
        (record.features_coarse, "take fewer than 4 codes"),
    ):
        if which:
            yield f"inputs: {counted(len(which), 'feature')} ({listed(which)}) {becomes}"
    for layer in record.layers:
        lost = ", ".join(_layer_losses(layer))
        if lost:
            yield f"{layer.name}: {lost}"


def _layer_losses(layer: LayerLoss) -> Iterator[str]:
    if layer.weights_zeroed:
        yield f"{layer.weights_zeroed} of {layer.weights} weights become 0"
    if layer.weights_saturated:
        yield f"{counted(layer.weights_saturated, 'weight')} cut off"
    if layer.weights_coarse > layer.weights_zeroed:
        coarse = layer.weights_coarse - layer.weights_zeroed
        yield f"{counted(coarse, 'weight')} changed by more than a quarter"
    if layer.biases_zeroed:
        yield f"{layer.biases_zeroed} biases become 0"
    if layer.outputs_zeroed:
        yield f"{counted(layer.outputs_zeroed, 'output')} always 0 by rounding"
    if layer.saturated:
        yield f"{counted(layer.saturated, 'calibration value')} cut off"


def describe_design(design: Design) -> None:
    """Print every parameter, and what the design takes of its board; warns if it is too much."""
    from eie.hls.model.area import JUDGED, demands, estimate, warn_beyond_board

    print(f"identity {design.id:#010x}")
    for name, value in design.parameters().items():
        print(f"{name} = {value}")
    needed = estimate(design)
    board = BOARDS.get(design.board)
    if board is None:
        print(f"BRAM36: {needed.bram36}\nUltraRAM: {needed.uram}\nDSP: {needed.dsp}")
        print(f"LUT: {needed.lut.low} to {needed.lut.high} ({_ESTIMATED})")
        return
    *exact, lut = demands(needed, board)
    for each in exact:
        print(f"{each.resource}: {each.takes} of {each.available}")
    print(
        f"LUT: {needed.lut.low} to {needed.lut.high} of {lut.available} ({_ESTIMATED}); the "
        f"{JUDGED} value, {lut.takes}, is {100 * lut.share:.0f} %, and the budget "
        f"{100 * LUT_BUDGET:.0f} %"
    )
    warn_beyond_board(design)
