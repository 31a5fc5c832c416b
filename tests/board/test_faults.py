"""The driver on a board that fails: every fault is an error that says so, and the next call works.

The clock is a fake one, so that deadlines pass without waiting.
"""

import numpy as np
import pynq
import pytest

from eie.hls.boundary.errors import DeviceError, DeviceTimeoutError
from eie.hls.spec.block_design import address_map
from eie.hls.spec.packets import DESIGN, STATUS, Kind, Status, answer_kind, build_packet
from eie.hls.spec.registers import offset_of
from eie.host.board.dma import MM2S, S2MM, DmaError, DmaStatus
from eie.host.board.driver import Accelerator
from eie.host.board_emulator.device import EmulatedDevice
from eie.host.board_emulator.kernel import EmulatedKernel
from eie.host.protocol.responses import AnswerError


@pytest.fixture
def loaded(accelerator, network):
    accelerator.load(network)
    return accelerator


def run_fails_and_the_next_works(loaded, network, error, match):
    with pytest.raises(error, match=match) as raised:
        loaded.run(network.golden_inputs)
    assert np.array_equal(loaded.run(network.golden_inputs), network.golden_outputs)
    return raised.value


# The DMA -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bit", "name"),
    [
        (DmaStatus.INTERNAL_ERROR, "DMAIntErr"),
        (DmaStatus.SLAVE_ERROR, "DMASlvErr"),
        (DmaStatus.DECODE_ERROR, "DMADecErr"),
    ],
)
@pytest.mark.parametrize("channel", [MM2S, S2MM])
def test_every_error_bit_is_named(bench, loaded, network, channel, bit, name):
    setattr(bench.faults, f"{channel.name.lower()}_error", bit)
    error = run_fails_and_the_next_works(
        loaded, network, DmaError, rf"on {channel.name} \({channel.carries}\): {name}"
    )
    assert error.channel == channel
    assert error.errors == bit


def test_several_error_bits_are_all_named(bench, loaded, network):
    bench.faults.mm2s_error = DmaStatus.SLAVE_ERROR | DmaStatus.DECODE_ERROR
    run_fails_and_the_next_works(loaded, network, DmaError, "DMASlvErr.*DMADecErr")


def test_a_kernel_that_hangs_runs_into_the_deadline(bench, loaded, network):
    bench.faults.hang = True
    run_fails_and_the_next_works(
        loaded, network, DeviceTimeoutError, r"no answer within 10 s .*took the request"
    )


def test_an_answer_without_tlast_runs_into_the_deadline(bench, loaded, network):
    bench.faults.drop_tlast = True
    run_fails_and_the_next_works(loaded, network, DeviceTimeoutError, "did not end.*TLAST")


def test_a_kernel_that_takes_nothing_runs_into_the_deadline(loaded, network, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(EmulatedKernel, "accept", lambda self, packet: False)
        with pytest.raises(DeviceTimeoutError, match="did not take the whole request"):
            loaded.run(network.golden_inputs)
    assert loaded.verify() == len(network.golden_inputs)


def test_a_dma_that_stays_in_reset_runs_into_the_deadline(bench, monkeypatch):
    read = EmulatedDevice.read_registers
    with monkeypatch.context() as patch:
        patch.setattr(
            EmulatedDevice,
            "read_registers",
            lambda self, address, length: (
                b"\xff" * 4 if address & 0xFFFF == 0 else read(self, address, length)
            ),
        )
        with pytest.raises(DeviceTimeoutError, match="does not come out of reset"):
            bench.open()
    bench.open().close()


def test_an_interrupt_from_the_keyboard_leaves_nothing_behind(loaded, network, monkeypatch):
    def interrupted(self, packet):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EmulatedKernel, "accept", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loaded.run(network.golden_inputs)
    assert loaded.verify() == len(network.golden_inputs)


def test_an_address_beyond_the_dma_is_refused(make_bench):
    bench = make_bench("pynq-z2")
    bench.board.memory.next_address = (1 << 32) - 4096
    with pytest.raises(DeviceError, match="beyond the 32 address bits of the DMA"):
        bench.open(buffer_bytes=64)
    bench.board.memory.next_address = 1 << 31
    bench.open().close()


def test_after_an_error_the_dma_has_nothing_to_do(bench, loaded, network):
    bench.faults.drop_tlast = True
    with pytest.raises(DeviceTimeoutError):
        loaded.run(network.golden_inputs)
    dma = pynq.MMIO(address_map(bench.board.board)[0].base, 0x100)
    assert [dma.read(offset) for offset in (0x04, 0x34, 0x28, 0x58)] == [0, 0, 0, 0]


# Answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bit", [0, 40, 64, 16 * 8, 16 * 8 + 77])
def test_an_altered_answer_is_never_believed(bench, loaded, network, bit):
    bench.faults.flip_answer_bit = bit
    error = run_fails_and_the_next_works(loaded, network, AnswerError, "answer to run is damaged")
    assert error.status is None


def test_a_truncated_request_is_refused(bench, loaded, network):
    bench.faults.truncate_request = 5
    run_fails_and_the_next_works(loaded, network, AnswerError, "refused with BAD_LENGTH")


@pytest.mark.parametrize(
    "answer",
    [
        lambda kind, sequence, payload: build_packet(kind, sequence ^ 1, payload),
        lambda kind, sequence, payload: build_packet(answer_kind(Kind.LOAD), sequence, payload),
        lambda kind, sequence, payload: build_packet(Kind.RUN, sequence, payload),
    ],
    ids=["sequence", "kind", "request"],
)
def test_an_answer_to_something_else_is_refused(bench, loaded, network, answer):
    bench.engine.answer_hook = answer
    error = run_fails_and_the_next_works(loaded, network, AnswerError, "out of step")
    assert error.status is None


def lengthened(kind, sequence, payload):
    return build_packet(kind, sequence, np.concatenate([payload[:3], payload]))


def test_a_short_answer_is_refused(bench, loaded, network):
    bench.engine.answer_hook = lambda kind, sequence, payload: build_packet(
        kind, sequence, payload[1:]
    )
    run_fails_and_the_next_works(loaded, network, AnswerError, "must have 16 beats, not 15")


def test_a_long_answer_is_refused(bench, loaded, network):
    loaded.run(network.golden_inputs.repeat(2, axis=0))  # now the buffer has room for it
    bench.engine.answer_hook = lengthened
    run_fails_and_the_next_works(loaded, network, AnswerError, "must have 16 beats, not 19")


def test_an_answer_longer_than_the_buffer_stops_the_dma(bench, loaded, network):
    bench.engine.answer_hook = lengthened
    run_fails_and_the_next_works(loaded, network, DmaError, "DMAIntErr: the packet is longer")


def test_an_answer_without_status_is_refused(bench, loaded, network):
    bench.engine.answer_hook = lambda kind, sequence, payload: build_packet(kind, sequence)
    run_fails_and_the_next_works(loaded, network, AnswerError, "damaged.*truncated")


def refusal(status):
    def answer(kind, sequence, payload):
        return build_packet(kind, sequence, STATUS.build(status=status))

    return answer


@pytest.mark.parametrize("status", [status for status in Status if status != Status.OK])
def test_every_status_is_named_and_the_bitstream_kept(bench, loaded, network, status):
    bench.engine.answer_hook = refusal(status)
    error = run_fails_and_the_next_works(
        loaded, network, AnswerError, f"run was refused with {status.name}: [a-z]"
    )
    assert error.status == status
    assert len(bench.engines) == 1


def test_an_unknown_status_is_an_error(bench, loaded, network):
    bench.engine.answer_hook = refusal(77)
    error = run_fails_and_the_next_works(loaded, network, AnswerError, "unknown status 77")
    assert error.status == 77


def test_a_network_that_something_else_replaced_is_loaded_again(bench, loaded, network):
    bench.engine.network["network_id"] ^= 1
    run_fails_and_the_next_works(loaded, network, AnswerError, "WRONG_NETWORK")


def test_a_load_that_leaves_another_network_is_an_error(bench, accelerator, network):
    bench.engine.answer_hook = lambda kind, sequence, payload: build_packet(
        kind, sequence, STATUS.build(network_id=5)
    )
    with pytest.raises(DeviceError, match="the accelerator reports 0x00000005"):
        accelerator.load(network)
    accelerator.load(network)
    assert accelerator.verify() == len(network.golden_inputs)


# Recovery ----------------------------------------------------------------------------------


def test_a_failed_load_leaves_no_network(bench, loaded, network, make_network):
    bench.faults.hang = True
    with pytest.raises(DeviceTimeoutError):
        loaded.load(make_network(seed=1))
    with pytest.raises(DeviceError, match="call load"):
        loaded.run(network.golden_inputs)
    loaded.load(network)
    assert loaded.verify() == len(network.golden_inputs)


def test_recovery_loads_bitstream_and_network_again(bench, loaded, network):
    bench.faults.hang = True
    with pytest.raises(DeviceTimeoutError):
        loaded.counters()
    assert len(bench.engines) == 1
    loaded.run(network.golden_inputs)
    first, second = bench.engines
    assert first.closed
    assert second.requests == [Kind.IDENTIFY, Kind.LOAD, Kind.RUN]


def test_no_buffer_is_kept_while_a_bitstream_is_loaded(bench, loaded, network, monkeypatch):
    used = []
    download = EmulatedDevice.download

    def observed(self, *arguments):
        used.append(bench.board.memory.used)
        download(self, *arguments)

    monkeypatch.setattr(EmulatedDevice, "download", observed)
    bench.faults.hang = True
    with pytest.raises(DeviceTimeoutError):
        loaded.run(network.golden_inputs)
    assert loaded.verify() == len(network.golden_inputs)
    assert used == [0]


def test_a_recovery_that_fails_is_tried_again(bench, loaded, network):
    bench.faults.hang = True
    with pytest.raises(DeviceTimeoutError):
        loaded.run(network.golden_inputs)
    bench.faults.mm2s_error = DmaStatus.SLAVE_ERROR
    with pytest.raises(DmaError):
        loaded.run(network.golden_inputs)
    assert loaded.verify() == len(network.golden_inputs)


def test_a_bitstream_replaced_meanwhile_is_noticed(bench, loaded, network, design):
    bench.faults.hang = True
    with pytest.raises(DeviceTimeoutError):
        loaded.run(network.golden_inputs)
    bench.design = design.replace(pes=8)
    for _ in range(2):
        with pytest.raises(DeviceError, match="now holds another design"):
            loaded.run(network.golden_inputs)


def test_the_middle_of_a_split_batch_fails_as_a_whole(bench, network):
    with bench.open(buffer_bytes=16 * 8) as accelerator:
        accelerator.load(network)
        accelerator.run(network.golden_inputs[:1])
        answers = iter([lambda *packet: build_packet(*packet), refusal(Status.BAD_CRC)])
        process = bench.engine.process

        def refuse_the_second(packet):
            bench.engine.answer_hook = next(answers, None)
            return process(packet)

        bench.engine.process = refuse_the_second
        with pytest.raises(AnswerError, match="BAD_CRC"):
            accelerator.run(network.golden_inputs)
        assert np.array_equal(accelerator.run(network.golden_inputs), network.golden_outputs)


# Caches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["flush", "invalidate"])
def test_a_missing_cache_operation_shows(bench, loaded, network, monkeypatch, operation):
    with monkeypatch.context() as patch:
        patch.setattr(EmulatedDevice, operation, lambda *_: None)
        with pytest.raises(AnswerError):
            loaded.run(network.golden_inputs)
    assert loaded.verify() == len(network.golden_inputs)


# Identity ----------------------------------------------------------------------------------


def identified_as(design, **changes):
    def answer(kind, sequence, payload):
        record = DESIGN.build(**design.record() | changes)
        return build_packet(kind, sequence, np.concatenate([record, STATUS.build()]))

    return answer


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": 1}, "reports design 0x00000001"),
        ({"pes": 3}, "pes must be a power of two"),
        ({"memory": 2}, "memory must be 0 to 1"),
        ({"clock_mhz": 0}, "clock_mhz must be"),
    ],
)
def test_a_design_of_another_version_is_refused(make_bench, design, changes, message):
    bench = make_bench()
    make = bench.board._engine_factory

    def make_stranger():
        engine = make()
        engine.answer_hook = identified_as(design, **changes)
        return engine

    bench.board._engine_factory = make_stranger
    with pytest.raises(AnswerError, match=f"another version of eie.*{message}") as raised:
        bench.open()
    assert raised.tb, "as long as it is kept, the buffers would be, too"
    assert bench.board.memory.used == 0


@pytest.mark.parametrize("name", ["design_id", "format_version"])
def test_registers_that_contradict_the_packets_are_refused(bench, monkeypatch, name):
    read = EmulatedKernel.read
    monkeypatch.setattr(
        EmulatedKernel,
        "read",
        lambda self, offset: 9 if offset == offset_of(name) else read(self, offset),
    )
    with pytest.raises(DeviceError, match=f"register {name} must be") as raised:
        bench.open()
    assert raised.tb, "as long as it is kept, the buffers would be, too"
    assert bench.board.memory.used == 0


def test_a_real_clock_does_not_get_in_the_way(bench, network):
    with Accelerator(bench.board.bitfile) as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)
