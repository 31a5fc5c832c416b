"""A device that takes its time, is reset in the middle, or gets and gives what is damaged.

Time is counted in reads of registers: the clock is a fake one.
"""

import numpy as np
import pynq
import pytest

from eie.hls.boundary.errors import DeviceError, DeviceTimeoutError
from eie.host.board.dma import DmaError, DmaStatus
from eie.host.protocol.responses import AnswerError
from eie.host.protocol.run_packets import run_packet_bytes

#: Reads of registers before the deadline: two channels a look, a look a second, ten seconds.
READS = 20


@pytest.fixture
def loaded(accelerator, network):
    accelerator.load(network)
    return accelerator


def is_right(accelerator, network):
    return np.array_equal(accelerator.run(network.golden_inputs), network.golden_outputs)


@pytest.mark.parametrize("reads", range(1, READS - 1))
@pytest.mark.parametrize("fault", ["stall", "slow"])
def test_slow_is_no_error_and_no_partial_result(bench, loaded, network, fault, reads):
    setattr(bench.faults, fault, reads)
    assert is_right(loaded, network)
    assert len(bench.engines) == 1, "and nothing had to be loaded again"


@pytest.mark.parametrize("fault", ["stall", "slow"])
def test_too_slow_is_a_timeout_and_the_late_answer_is_not_the_next_calls(
    bench, loaded, network, make_network, fault
):
    setattr(bench.faults, fault, 10 * READS)
    with pytest.raises(DeviceTimeoutError, match="no answer within 10 s"):
        loaded.run(network.golden_inputs[::-1])
    assert is_right(loaded, network)
    assert len(bench.engines) == 2


def test_a_slow_load_is_a_load(bench, accelerator, network):
    bench.faults.slow = 3
    accelerator.load(network)
    assert is_right(accelerator, network)


@pytest.mark.parametrize("beats", [0, 1, 5, 1000])
def test_a_reset_in_the_middle_is_told_and_the_next_call_works(bench, loaded, network, beats):
    bench.faults.reset = beats
    with pytest.raises(DmaError, match=r"it was stopped or reset while it worked") as raised:
        loaded.run(network.golden_inputs)
    assert raised.value.errors == DmaStatus.HALTED
    assert bench.engine.network is None, "the network went with the reset"
    assert is_right(loaded, network)


def test_a_reset_while_a_network_is_loaded_leaves_none(bench, accelerator, network):
    bench.faults.reset = 0
    with pytest.raises(DmaError):
        accelerator.load(network)
    with pytest.raises(DeviceError, match="no network is loaded"):
        accelerator.run(network.golden_inputs)
    accelerator.load(network)
    assert is_right(accelerator, network)


def test_a_reset_between_the_packets_of_a_batch_gives_no_result(bench, network, make_network):
    with bench.open(buffer_bytes=64) as accelerator:
        accelerator.load(network)
        process = type(bench.engine).process
        sent = []

        def third_is_reset(packet):
            sent.append(packet)
            if len(sent) == 3:
                bench.faults.reset = 2
            return process(bench.engines[0], packet)

        bench.engine.process = third_is_reset
        with pytest.raises(DmaError):
            accelerator.run(network.golden_inputs)
        assert len(sent) == 3
        assert is_right(accelerator, network)


def test_every_flipped_bit_of_a_request_is_an_error(bench, loaded, network):
    """By magic, length, kind or CRC; and the device is in step afterwards."""
    inputs = network.golden_inputs[:1]
    size = run_packet_bytes(loaded._plan.passes[0].packed, 1)
    for bit in range(8 * size):
        bench.faults.flip_request_bit = bit
        with pytest.raises(DeviceError):
            loaded.run(inputs)
        assert np.array_equal(loaded.run(inputs), network.golden_outputs[:1]), f"after bit {bit}"


def test_a_flipped_bit_of_a_request_is_refused_without_loading_the_bitstream(
    bench, loaded, network
):
    bench.faults.flip_request_bit = 8 * 8 * 5
    with pytest.raises(AnswerError):
        loaded.run(network.golden_inputs)
    assert is_right(loaded, network)
    assert len(bench.engines) == 1


@pytest.mark.parametrize("name", ["flip_request_bit", "flip_answer_bit"])
def test_a_bit_beyond_the_packet_is_one_of_it(bench, loaded, network, name):
    """A fault that is set happens, however short the packet."""
    setattr(bench.faults, name, 1 << 40)
    with pytest.raises(DeviceError):
        loaded.run(network.golden_inputs)
    assert is_right(loaded, network)


@pytest.mark.parametrize("beats", [1, 2, 1 << 40])
def test_a_request_cut_short_is_refused(bench, loaded, network, beats):
    bench.faults.truncate_request = beats
    with pytest.raises(DeviceError):
        loaded.run(network.golden_inputs)
    assert is_right(loaded, network)


@pytest.mark.parametrize("beats", [0, 1, 4, 8, 1 << 40])
def test_an_answer_cut_short_is_refused(bench, loaded, network, beats):
    bench.faults.truncate_answer = beats
    with pytest.raises(DeviceError):
        loaded.run(network.golden_inputs)
    assert is_right(loaded, network)


def test_the_answer_before_once_more_is_refused(bench, loaded, network):
    """As long as this one's and with a right CRC: only its number tells it."""
    assert is_right(loaded, network)
    bench.faults.stale_answer = True
    with pytest.raises(AnswerError, match="sequence"):
        loaded.run(network.golden_inputs[::-1])
    assert is_right(loaded, network)


def test_a_bitstream_that_cannot_be_loaded_leaves_no_register_to_touch(
    bench, loaded, network, monkeypatch
):
    bench.faults.hang = bench.faults.download_error = True
    with pytest.raises(DeviceTimeoutError):
        loaded.run(network.golden_inputs)
    with pytest.raises(DeviceError, match=r"cannot load .*eie\.bit .*could not be loaded"):
        loaded.run(network.golden_inputs)
    # Whoever accesses the bus now would stop it; the emulated one would raise.
    with monkeypatch.context() as patch:
        for name in ("read_registers", "write_registers"):
            patch.setattr(pynq.Device.active_device, name, lambda *_: pytest.fail("touched"))
        with pytest.raises(DeviceError, match=r"eie\.bit is not loaded: the next call loads it"):
            loaded.info()
        bench.faults.download_error = True
        with pytest.raises(DeviceError, match="cannot load"):
            loaded.run(network.golden_inputs)
    assert is_right(loaded, network)


def test_an_accelerator_whose_bitstream_is_lost_is_closed_without_touching_it(
    bench, loaded, network, monkeypatch
):
    bench.faults.hang = bench.faults.download_error = True
    for _ in range(2):
        with pytest.raises(DeviceError):
            loaded.run(network.golden_inputs)
    for name in ("read_registers", "write_registers"):
        monkeypatch.setattr(pynq.Device.active_device, name, lambda *_: pytest.fail("touched"))
    loaded.close()
    assert bench.board.memory.used == 0
