"""The driver on a board that works: networks, batches, values and what it refuses."""

import dataclasses
import gc

import numpy as np
import pytest

from eie.hls.boundary.errors import DeviceError, DoesNotFitError, InputError, SaturationWarning
from eie.hls.boundary.progress import listening
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.hls.spec.packets import Kind, build_packet
from eie.host.board.overlay import EieOverlay
from eie.host.board.transport import BoardEngine
from eie.host.protocol.engine import Engine


def test_it_reports_the_design_of_the_bitstream(accelerator, design):
    assert accelerator.design == design.replace(board="none")


@pytest.mark.parametrize("parameters", [{"memory": "uram"}, {"pes": 1}, {"pes": 256}])
def test_it_reports_any_design(bench, design, parameters):
    bench.design = design.replace(**parameters)
    with bench.open() as accelerator:
        assert accelerator.design == bench.design.replace(board="none")


def test_one_load_serves_many_runs(bench, accelerator, network):
    accelerator.load(network)
    for _ in range(3):
        assert np.array_equal(accelerator.run(network.golden_inputs), network.golden_outputs)
    assert bench.engine.requests == [Kind.IDENTIFY, Kind.LOAD, Kind.RUN, Kind.RUN, Kind.RUN]


def test_another_network_takes_the_place_of_the_one_before(accelerator, make_network):
    for seed, rows in ((1, 10), (2, 33)):
        network = make_network(rows=rows, seed=seed)
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)


def test_codes_give_codes(accelerator, network):
    accelerator.load(network)
    outputs = accelerator.run(network.golden_inputs)
    assert outputs.dtype == np.int16
    assert outputs.shape == network.golden_outputs.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_real_numbers_are_quantised_and_give_real_numbers(accelerator, network, dtype):
    real = np.random.default_rng(3).normal(0, 2, (4, network.inputs)).astype(dtype)
    accelerator.load(network)
    codes = accelerator.run(quantize(real, network.input_frac))
    outputs = accelerator.run(real)
    assert outputs.dtype == np.float32
    assert np.array_equal(outputs, dequantize(codes, network.output_frac))


def test_a_batch_of_no_vectors_sends_nothing(bench, accelerator, network):
    accelerator.load(network)
    outputs = accelerator.run(np.zeros((0, network.inputs), np.int16))
    assert outputs.shape == (0, network.outputs)
    assert Kind.RUN not in bench.engine.requests


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 7), np.int16), r"must have shape \(batch, 6\), not \(2, 7\)"),
        (np.zeros(6, np.int16), r"must have shape \(batch, 6\), not \(6,\)"),
        (np.zeros((2, 7)), r"must have shape \(batch, 6\), not \(2, 7\)"),
        (np.zeros((2, 6), np.int32), "must be real numbers or int16 codes, not int32: .*astype"),
        (np.zeros((2, 6), bool), "must be real numbers or int16 codes, not bool"),
        (np.full((2, 6), np.nan), "must be finite, not nan"),
        (np.full((2, 6), np.inf), "must be finite, not inf"),
    ],
)
def test_wrong_inputs_are_refused_before_anything_is_sent(
    bench, accelerator, network, inputs, message
):
    accelerator.load(network)
    before = list(bench.engine.requests)
    with pytest.raises(InputError, match=message):
        accelerator.run(inputs)
    assert bench.engine.requests == before


def test_a_run_without_a_network_says_what_to_do(accelerator):
    with pytest.raises(DeviceError, match="call load"):
        accelerator.run(np.zeros((1, 6), np.int16))
    with pytest.raises(DeviceError, match="call load"):
        accelerator.verify()


def test_what_is_no_network_is_refused(accelerator):
    with pytest.raises(InputError, match="must be a Network, not str"):
        accelerator.load("network.npz")


def test_a_network_that_does_not_fit_leaves_the_one_before(bench, design, make_network):
    bench.design = design.replace(pointers_per_pe=8)
    with bench.open() as accelerator:
        accelerator.load(make_network(columns=6))
        with pytest.raises(DoesNotFitError, match=r"needs 22, holds 8 .*pointers_per_pe"):
            accelerator.load(make_network(columns=20))
        assert accelerator.verify() == 5


def test_verify_counts_what_differs(accelerator, network):
    altered = network.golden_outputs.copy()
    altered[1, 2] += 1
    altered[3, 4] -= 1
    accelerator.load(type(network)(network.layers, network.golden_inputs, altered))
    with pytest.raises(DeviceError, match=r"2 of 50 golden outputs.* output 2 of vector 1"):
        accelerator.verify()


def test_verify_needs_golden_vectors(accelerator, make_network):
    accelerator.load(make_network(vectors=0))
    with pytest.raises(InputError, match="no golden vectors"):
        accelerator.verify()


@pytest.mark.parametrize("pes", [1, 2, 64])
def test_counters_are_joined_of_their_halves(bench, design, pes):
    bench.design = design.replace(pes=pes)
    with bench.open() as accelerator:
        counters = accelerator.counters()
    assert counters.cycles == 1 << 40
    for row, name in enumerate(("busy", "starved", "full")):
        pe = np.arange(pes)
        expected = (2 * row * pes + pe) + ((2 * row + 1) * pes + pe) * 65536
        got = getattr(counters, name)
        assert got.tolist() == expected.tolist()


def test_info_names_bitstream_design_and_registers(bench, accelerator, network):
    accelerator.load(network)
    info = accelerator.info()
    assert info.bitfile == bench.board.bitfile.resolve()
    assert info.design == accelerator.design
    assert info.registers == dict(bench.engine.registers)


@pytest.mark.parametrize("vectors", [1, 3, 4, 5, 64])
def test_a_large_batch_is_split_by_the_buffers(bench, make_network, vectors):
    network = make_network(vectors=vectors)
    # A request of four vectors: 2 + 1 + 4 * 2 + 1 beats; its answer has 2 + 4 * 3 + 1 + 1 + 1.
    with bench.open(buffer_bytes=17 * 8) as accelerator:
        accelerator.load(network)
        assert np.array_equal(accelerator.run(network.golden_inputs), network.golden_outputs)
    whole, rest = divmod(vectors, 4)
    assert bench.engine.batches == [4] * whole + [rest] * bool(rest)


def test_a_large_batch_is_split_by_the_length_register(make_bench, make_network):
    network = make_network(vectors=2000)
    bench = make_bench(dma_length_bits=10)  # 1023 bytes: 127 beats, (127 - 5) // 3 vectors
    with bench.open() as accelerator:
        accelerator.load(network)
        assert np.array_equal(accelerator.run(network.golden_inputs), network.golden_outputs)
    assert max(bench.engine.batches) == 40
    assert sum(bench.engine.batches) == 2000


def test_a_large_batch_tells_how_far_it_is(bench, make_network):
    network, told = make_network(vectors=9), []
    with bench.open(buffer_bytes=17 * 8) as accelerator, listening(told.append):
        accelerator.load(network)
        accelerator.run(network.golden_inputs)
    running = [str(each) for each in told if each.what == "running"]
    assert running == [f"running: {done} of 9 vectors" for done in (0, 4, 8)]


def test_a_vector_larger_than_the_buffers_still_goes(bench, network):
    with bench.open(buffer_bytes=8) as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == 5
    assert bench.engine.batches == [1] * 5


def test_a_network_too_large_for_the_length_register_is_refused(make_bench, make_network):
    with (
        make_bench(dma_length_bits=8).open() as accelerator,
        pytest.raises(DoesNotFitError, match=r"load packet: needs \d+ bytes, a transfer holds 248"),
    ):
        accelerator.load(make_network())


def test_closing_frees_the_buffers(bench, network):
    accelerator = bench.open()
    accelerator.load(network)
    accelerator.run(network.golden_inputs)
    assert bench.board.memory.used > 0
    accelerator.close()
    assert bench.board.memory.used == 0
    accelerator.close()
    with pytest.raises(DeviceError, match="closed"):
        accelerator.run(network.golden_inputs)


def test_buffers_are_used_again(bench, accelerator, network):
    accelerator.load(network)
    accelerator.run(network.golden_inputs)
    address = bench.board.memory.next_address
    for _ in range(3):
        accelerator.run(network.golden_inputs)
    assert bench.board.memory.next_address == address
    used = bench.board.memory.used
    accelerator.run(network.golden_inputs.repeat(2, axis=0))
    assert bench.board.memory.next_address > address
    gc.collect()
    assert bench.board.memory.used < 3 * used


def test_the_buffer_of_a_load_is_given_back(bench, accelerator, make_network):
    accelerator.load(make_network(rows=64, columns=100))
    assert bench.board.memory.used == 0


@pytest.mark.parametrize("timeout", [0, -1])
def test_the_timeout_must_be_positive(bench, timeout):
    with pytest.raises(InputError, match="timeout must be more than 0 seconds"):
        bench.open(timeout=timeout)


def test_the_buffers_must_be_positive(bench):
    with pytest.raises(InputError, match="buffer_bytes must be positive, not 0"):
        bench.open(buffer_bytes=0)


@pytest.mark.parametrize("dma_length_bits", [8, 26])
def test_the_board_is_an_engine(make_bench, dma_length_bits):
    bench = make_bench(dma_length_bits=dma_length_bits)
    engine = BoardEngine(EieOverlay(bench.board.bitfile))
    engine.open()
    assert isinstance(engine, Engine)
    packet = build_packet(Kind.IDENTIFY, 3)
    assert engine.process(packet) == bench.engine.process(packet)
    engine.close()


@pytest.mark.parametrize("size", [0, 4, 1 << 27])
def test_the_engine_refuses_what_the_dma_cannot_move(bench, size):
    engine = BoardEngine(EieOverlay(bench.board.bitfile))
    engine.open()
    with pytest.raises(InputError, match="request must be whole beats"):
        engine.process(bytes(size))
    engine.close()


def test_what_saturates_is_warned_of(accelerator, network):
    accelerator.load(network)
    inputs = np.zeros((2, network.inputs), np.float32)
    accelerator.run(inputs)
    inputs[1, :3] = 127.998, 1e9, -1e9
    with pytest.warns(
        SaturationWarning, match=r"2 of 12 input values were saturated: 2 features \(1, 2\)"
    ):
        outputs = accelerator.run(inputs)
    codes = quantize(inputs, network.input_frac)
    assert np.array_equal(outputs, dequantize(accelerator.run(codes), network.output_frac))


def test_features_may_have_a_scale_each(accelerator, network):
    fracs = np.arange(network.inputs) * 5 - 12
    scaled = dataclasses.replace(network, feature_fracs=fracs)
    accelerator.load(scaled)
    assert accelerator.verify() == len(network.golden_inputs)
    real = dequantize(network.golden_inputs, fracs)
    assert not np.array_equal(real, dequantize(network.golden_inputs, network.input_frac))
    outputs = accelerator.run(real)
    assert np.array_equal(outputs, dequantize(network.golden_outputs, network.output_frac))
