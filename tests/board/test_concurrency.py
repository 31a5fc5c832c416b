"""Passes, packets written in place, asynchronous calls, and who may use a device."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eie.host.board.device_lock
from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board.device_lock import DeviceLock, lock_path
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.packing.packer import pack
from eie.host.packing.tiling import plan_passes
from eie.host.protocol.responses import AnswerError, read_run_answer
from eie.host.run.batch import emulate

DESIGN = Design(pes=4, entries_per_pe=512, pointers_per_pe=512, rows_per_pe=16, board="zcu104")


@pytest.fixture
def board():
    with EmulatedBoard("zcu104", lambda: Emulator(DESIGN)) as board:
        yield board


@pytest.fixture
def accelerator(board):
    # Small buffers: batches go in many packets.
    with Accelerator(board.bitfile, buffer_bytes=1024) as opened:
        yield opened


def vectors(network, batch, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(-2000, 2000, (batch, network.inputs)).astype(np.int16)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 40), st.integers(0, 7), st.integers(0, 1 << 20))
def test_a_packet_written_in_place_is_the_packet(random_network, inputs, batch, sequence):
    packed = pack(random_network(inputs, 5), DESIGN)
    codes = vectors(packed.network, batch, seed=sequence)
    # What the buffer held before must not show.
    buffer = np.full(packed.run_packet_bytes(batch), 0xAA, np.uint8)
    packed.write_run_packet(codes, buffer, sequence)
    assert buffer.tobytes() == packed.run_packet(codes, sequence)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(0, 0xFFFF))
def test_an_answer_is_read_in_place(random_network, outputs, batch, sequence):
    packed = pack(random_network(5, outputs), DESIGN)
    codes = vectors(packed.network, batch)
    emulator = Emulator(DESIGN)
    emulator.process(packed.load_packet())
    answer = memoryview(emulator.process(packed.run_packet(codes, sequence)))
    whole = np.full((batch + 2, outputs), 77, np.int16)
    read_run_answer(packed, answer, whole[1:-1], sequence)
    assert np.array_equal(whole[1:-1], emulate(packed.network, DESIGN, codes).outputs)
    assert (whole[[0, -1]] == 77).all()
    for refused in (answer[:-8], answer):
        with pytest.raises(AnswerError):
            read_run_answer(packed, refused, whole[1:-1], sequence ^ 1)


def test_a_network_larger_than_the_chip_runs_in_passes(accelerator, random_network):
    network = random_network(60, 100, 90, 12, density=0.3, magnitude=900)
    accelerator.load(network)
    passes = accelerator.info().passes
    assert passes == len(plan_passes(network, DESIGN).passes) > 3
    for batch in (0, 1, 33):
        inputs = vectors(network, batch)
        expected = emulate(network, DESIGN, inputs, report=False).outputs
        assert np.array_equal(accelerator.run(inputs), expected)
    small = random_network(9, 7)
    accelerator.load(small)
    assert accelerator.info().passes == 1
    inputs = vectors(small, 200)
    expected = emulate(small, DESIGN, inputs, report=False).outputs
    assert np.array_equal(accelerator.run(inputs), expected)


def test_a_fault_between_passes_is_recovered_from(board, accelerator, random_network):
    network = random_network(60, 100, 90, density=0.3, magnitude=900)
    accelerator.load(network)
    inputs = vectors(network, 20)
    expected = emulate(network, DESIGN, inputs, report=False).outputs
    for packets_before in range(6):
        right, left = Emulator.process, [packets_before]

        def fail(self, packet, right=right, left=left):
            left[0] -= 1
            if left[0] == -1:
                raise DeviceError("the fabric failed")
            return right(self, packet)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Emulator, "process", fail)
            with pytest.raises(DeviceError):
                accelerator.run(inputs)
        assert np.array_equal(accelerator.run(inputs), expected)


def test_awaited_calls_keep_their_order_and_do_not_mix(accelerator, random_network):
    network = random_network(30, 20, 10, magnitude=900)
    accelerator.load(network)
    batches = [vectors(network, batch, seed=batch) for batch in (1, 40, 3, 17, 1, 60)]
    finished = []

    async def one(number):
        outputs = await accelerator.run_async(batches[number])
        finished.append(number)
        return outputs

    async def everything():
        ticks = 0
        work = asyncio.gather(*(one(number) for number in range(len(batches))))
        while not work.done():
            await asyncio.sleep(0)
            ticks += 1
        # The loop went on meanwhile, and a call that blocks waits for its turn.
        assert ticks > 1
        return await work

    for inputs, outputs in zip(batches, asyncio.run(everything()), strict=True):
        assert np.array_equal(outputs, emulate(network, DESIGN, inputs, report=False).outputs)
    assert finished == list(range(len(batches)))
    with pytest.raises(InputError, match="run_async must be called in an event loop"):
        accelerator.run_async(batches[0])


def test_cancelling_leaves_the_accelerator_ready(accelerator, random_network):
    network = random_network(30, 20, magnitude=900)
    accelerator.load(network)
    inputs = vectors(network, 300)
    expected = emulate(network, DESIGN, inputs, report=False).outputs

    async def cancel(after):
        first = accelerator.run_async(inputs)
        second = accelerator.run_async(inputs[:5])
        for _ in range(after):
            await asyncio.sleep(0.001)
        if first.cancel():  # it may be done already
            with pytest.raises(asyncio.CancelledError):
                await first
        return await second

    for after in (0, 1, 5):
        assert np.array_equal(asyncio.run(cancel(after)), expected[:5])
        assert np.array_equal(accelerator.run(inputs), expected)


def test_threads_take_turns(accelerator, random_network):
    network = random_network(30, 20, magnitude=900)
    accelerator.load(network)
    wrong = []

    def work(seed):
        for turn in range(10):
            inputs = vectors(network, 1 + (seed + turn) % 9, seed=100 * seed + turn)
            expected = emulate(network, DESIGN, inputs, report=False).outputs
            if not np.array_equal(accelerator.run(inputs), expected):
                wrong.append((seed, turn))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_second_accelerator_of_a_program_takes_the_place_of_the_first(board, random_network):
    """As pynq's overlays do: a cell of a notebook may be run again."""
    network = random_network(30, 20, magnitude=900)
    inputs = vectors(network, 9)
    expected = emulate(network, DESIGN, inputs, report=False).outputs
    first = Accelerator(board.bitfile)
    first.load(network)
    second = Accelerator(board.bitfile)
    with pytest.raises(DeviceError, match="the accelerator is closed: open it again"):
        first.run(inputs)
    second.load(network)
    first.close()
    assert np.array_equal(second.run(inputs), expected)
    second.close()
    with Accelerator(board.bitfile) as third:
        third.load(network)
        assert np.array_equal(third.run(inputs), expected)


def test_the_first_ends_its_calls_before_it_is_closed(board, random_network):
    network = random_network(30, 20, magnitude=900)
    inputs = vectors(network, 500)
    expected = emulate(network, DESIGN, inputs, report=False).outputs
    first = Accelerator(board.bitfile, buffer_bytes=512)
    first.load(network)
    found = []
    thread = threading.Thread(target=lambda: found.append(first.run(inputs)))
    thread.start()
    while not first._turns._queue and thread.is_alive():
        pass
    with Accelerator(board.bitfile) as second:
        thread.join()
        assert np.array_equal(found[0], expected)
        second.load(network)
        assert np.array_equal(second.run(inputs), expected)


def test_a_call_from_within_a_call_is_refused(accelerator, random_network, monkeypatch):
    """As a signal handler would make it."""
    network = random_network(30, 20, magnitude=900)
    accelerator.load(network)
    inputs = vectors(network, 3)
    process, refused = Emulator.process, []

    def handler(self, packet):
        with pytest.raises(DeviceError, match="from within another call of the same thread"):
            accelerator.counters()
        refused.append(1)
        return process(self, packet)

    with monkeypatch.context() as patch:
        patch.setattr(Emulator, "process", handler)
        outputs = accelerator.run(inputs)
    assert refused
    assert np.array_equal(outputs, emulate(network, DESIGN, inputs, report=False).outputs)


def test_a_child_of_a_fork_leaves_the_device_alone():
    """In a program of its own: a fork of pytest would be another pytest."""
    program = """
import os, warnings
warnings.simplefilter("ignore")
from eie.hls.spec.design import Design
from eie.host.board_emulator import EmulatedBoard
from eie.host.board.driver import Accelerator
from eie.hls.model.emulator import Emulator
from eie.hls.boundary.errors import DeviceError
with EmulatedBoard("kv260", lambda: Emulator(Design(pes=1))) as board:
    with Accelerator(board.bitfile) as accelerator:
        if os.fork() == 0:
            accelerator._engine._overlay.dma_registers = None
            accelerator._engine._dma._registers = None  # to touch the device is an error
            try:
                accelerator.counters()
            except DeviceError as error:
                assert "belongs to the process that opened it" in str(error), error
            accelerator.close()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
        assert accelerator.counters().cycles == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_nothing_works_after_closing_and_no_thread_is_started(accelerator, random_network):
    network = random_network(30, 20, magnitude=900)
    accelerator.load(network)
    accelerator.close()
    accelerator.close()

    async def run():
        await accelerator.run_async(vectors(network, 1))

    threads = threading.active_count()
    for call in (accelerator.info, accelerator.counters, lambda: asyncio.run(run())):
        with pytest.raises(DeviceError, match="the accelerator is closed"):
            call()
    assert threading.active_count() == threads


def test_another_process_is_told_and_a_dead_one_holds_nothing(tmp_path):
    device = f"test-{tmp_path.name}"
    program = (
        "import sys, time; from eie.host.board.device_lock import DeviceLock; "
        f"lock = DeviceLock({device!r}); lock.take(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DeviceError, match=f"in use by process {holder.pid}"):
            DeviceLock(device).take()
        holder.kill()
    lock = DeviceLock(device)
    assert not lock.held
    lock.take()
    assert lock.held
    with pytest.raises(DeviceError, match="another Accelerator of this program"):
        DeviceLock(device).take()
    lock.release()
    lock.release()
    assert not lock.held
    other = DeviceLock(device)
    other.take()
    other.release()


@pytest.mark.parametrize("kind", ["link", "FIFO"])
def test_a_lock_that_somebody_else_put_there_is_no_lock(tmp_path, monkeypatch, kind):
    """Where locks lie, everybody may write."""
    monkeypatch.setattr(eie.host.board.device_lock, "_LOCK_FOLDER", tmp_path)
    path = lock_path("board")
    (tmp_path / "victim").write_text("kept")
    if kind == "link":
        path.symlink_to("victim")
    else:
        os.mkfifo(path)
    with pytest.raises(DeviceError, match=f"it must be a file, not a .*{kind}"):
        DeviceLock("board").take()
    assert (tmp_path / "victim").read_text() == "kept"
