"""What 16 bits could not hold: counted alike by every engine, in passes too, and warned of."""

from __future__ import annotations

import asyncio
import shutil
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

from eie.hls.boundary.errors import DeviceError, EieWarning, SaturationWarning
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import dequantize, quantize, write_back_counted
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Layer, Network
from eie.host.packing.tiling import plan_passes
from eie.host.run.batch import emulate, simulate

#: Room for a part of the network only: it runs in passes, of layers and of shares of a layer.
DESIGN = Design(
    pes=4,
    board="zcu104",
    entries_per_pe=512,
    pointers_per_pe=256,
    rows_per_pe=32,
    biases_per_pe=48,
    layers=3,
    hidden_activations=128,
    accumulator_bits=48,
)


@pytest.fixture(scope="module")
def large(random_network):
    """A network of which hidden layers and outputs saturate, on both sides."""
    return random_network(60, 20, 100, 100, 30, density=0.3, magnitude=900, shift=9, seed=3)


@pytest.fixture(scope="module")
def inputs(large):
    return np.random.default_rng(0).integers(-9000, 9000, (37, large.inputs)).astype(np.int16)


def counts_of(network, inputs):
    """What saturates in each layer: plain products."""
    values, counts = inputs, {}
    for layer in network.layers:
        sums = values.astype(np.int64) @ layer.dense_weights().astype(np.int64).T + layer.bias
        values, counts[layer.name] = write_back_counted(sums, layer.write_back)
    return counts


@pytest.fixture
def opened():
    with (
        EmulatedBoard("zcu104", lambda: Emulator(DESIGN)) as board,
        # Five vectors to a packet, so that counts of packets add up as well.
        Accelerator(board.bitfile, buffer_bytes=100 * 8) as accelerator,
    ):
        yield accelerator


def test_the_board_counts_as_the_emulator_over_packets_and_passes(opened, large, inputs) -> None:
    expected = counts_of(large, inputs)
    assert all(expected.values())
    assert any(len(stage) > 1 for stage in plan_passes(large, DESIGN).stages)
    assert any(len(stage) == 1 for stage in plan_passes(large, DESIGN).stages)
    opened.load(large)
    assert opened.saturation is None
    opened.run(inputs)
    assert opened.info().passes > 2
    assert opened.saturation == emulate(large, DESIGN, inputs).saturation
    assert opened.saturation.layers == expected
    assert (opened.saturation.vectors, opened.saturation.inputs) == (37, 0)
    report = emulate(large, DESIGN, inputs).report
    assert [layer.saturated for layer in report.layers] == list(expected.values())


@pytest.mark.skipif(
    shutil.which("g++") is None or find_spec("hls4ml") is None or find_spec("jinja2") is None,
    reason="generates and compiles the kernel",
)
def test_the_compiled_kernel_counts_the_same(tmp_path, large, inputs) -> None:
    from eie.hls.tools.compiled_kernel import CompiledKernel
    from eie.host.project.generate import generate

    project = generate(DESIGN, tmp_path / "project")
    expected = counts_of(large, inputs[:7])
    with CompiledKernel(project) as kernel:
        result = simulate(large, DESIGN, kernel, inputs[:7], report=False)
    assert result.saturation.layers == expected
    with (
        EmulatedBoard("zcu104", lambda: CompiledKernel(project)) as board,
        Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(large)
        accelerator.run(inputs[:7])
        assert accelerator.saturation == result.saturation


def test_warnings_name_inputs_and_layers(opened, large, inputs) -> None:
    reals = inputs.astype(np.float64) / 16  # to 562, where the network's inputs end at 128
    codes = quantize(reals, large.input_frac)
    counts = counts_of(large, codes)
    opened.load(large)
    with pytest.warns(SaturationWarning) as caught:
        outputs = opened.run(reals)
    of_inputs, of_layers = caught
    for warning in caught:
        assert issubclass(warning.category, EieWarning)
        assert warning.filename == __file__
    lost = int(((reals < -128 - 2**-9) | (reals >= 128 - 2**-9)).sum())
    assert f"{lost} of {reals.size} input values were saturated" in str(of_inputs.message)
    assert "the network's inputs go from -128 to 127.996" in str(of_inputs.message)
    text = str(of_layers.message)
    assert "input" not in text.partition("; ")[0]
    for layer in large.layers:
        share = f"{counts[layer.name]} of {37 * layer.rows} outputs of layer {layer.name!r}"
        assert share in text
    assert opened.saturation.inputs == lost
    assert opened.saturation.total == lost + sum(counts.values())
    with pytest.warns(SaturationWarning):
        assert np.array_equal(outputs, dequantize(opened.run(codes), large.output_frac))
    assert opened.saturation.inputs == 0


def test_what_fits_warns_of_nothing(opened, random_network) -> None:
    network = random_network(20, 10, magnitude=30)
    opened.load(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened.run(np.ones((2, 20), np.float32))
        opened.run(np.zeros((0, 20), np.int16))
    assert opened.saturation.total == 0
    assert opened.saturation.layers == {"layer0": 0}


def test_an_awaited_run_warns_and_verifying_does_not(opened, random_network) -> None:
    network = random_network(20, 10, magnitude=900, shift=0)
    golden = np.full((2, 20), 3000, np.int16)
    outputs = emulate(network, DESIGN, golden).outputs
    network = Network(network.layers, golden, outputs)
    opened.load(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opened.verify() == 2
    assert opened.saturation.total > 0

    async def awaited():
        return await opened.run_async(golden)

    with pytest.warns(SaturationWarning, match="outputs of layer 'layer0'"):
        assert np.array_equal(asyncio.run(awaited()), outputs)


def test_a_run_that_failed_leaves_no_count() -> None:
    design = Design(pes=2, board="zcu104", accumulator_bits=40)
    with (
        EmulatedBoard("zcu104", lambda: Emulator(design)) as board,
        Accelerator(board.bitfile) as accelerator,
    ):
        layer = Layer.from_dense_codes(
            "layer", np.ones((4, 3), np.uint8), codebook=np.arange(16, dtype=np.int16)
        )
        accelerator.load(Network((layer,)))
        accelerator.run(np.ones((1, 3), np.int16))
        assert accelerator.saturation is not None
        board.faults.flip_answer_bit = 300
        with pytest.raises(DeviceError):
            accelerator.run(np.ones((1, 3), np.int16))
        assert accelerator.saturation is None
