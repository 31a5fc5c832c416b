"""Sequences on an emulated board: the driver's own way, and what breaks states off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from whole_sequences import by_device, by_torch, whole_sequences

from eie.hls.boundary.errors import DeviceError, InputError, SaturationWarning
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Layer, Network
from eie.host.network.sequence_codes import GOLDEN_SEQUENCE, golden_sequence_crc
from eie.host.protocol.responses import AnswerError

DESIGN = Design(pes=4, held_activations=64, cell_units=1)
INPUTS, UNITS = 5, 6

pytestmark = pytest.mark.filterwarnings("ignore::eie.hls.boundary.errors.SaturationWarning")


def _layer(random: np.random.Generator, name: str, rows: int, columns: int, **more: Any) -> Layer:
    codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < 0.5)
    codebook = np.concatenate([[0], random.integers(-9000, 9000, 15)]).astype(np.int16)
    return Layer.from_dense_codes(name, codes.astype(np.uint8), codebook=codebook, **more)


@pytest.fixture(scope="module")
def network() -> Network:
    random = np.random.default_rng(7)
    fracs = {"input_frac": 12, "weight_frac": 13, "output_frac": 25}
    state = {"input_frac": 15, "weight_frac": 10, "output_frac": 15, "source": 1}
    return Network(
        (
            _layer(random, "ih", 4 * UNITS, INPUTS, accumulate=True, **fracs),
            _layer(random, "hh", 4 * UNITS, UNITS, activation="lstm", **state),
            _layer(random, "out", 3, UNITS, input_frac=15, weight_frac=12, output_frac=11),
        )
    )


@pytest.fixture
def accelerator(network: Network) -> Iterator[Accelerator]:
    with (
        EmulatedBoard("pynq-z2", lambda: Emulator(DESIGN)) as board,
        Accelerator(board.bitfile, buffer_bytes=256) as driver,
    ):
        driver.load(network)
        yield driver


@pytest.fixture
def sequences() -> list[npt.NDArray[np.int16]]:
    random = np.random.default_rng(8)
    lengths = (7, 1, 4, 9, 4, 2, 3)
    return [random.integers(-9000, 9000, (each, INPUTS)).astype(np.int16) for each in lengths]


def test_a_device_alone_is_what_torch_gives(
    network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    # What the tests compare with where no torch is, on boards' images.
    pytest.importorskip("torch", reason="images have no torch")
    alone, wanted = by_device(network, DESIGN, sequences), by_torch(network, sequences)
    assert alone.saturated == wanted.saturated
    for mine, theirs in zip(alone.outputs, wanted.outputs, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_sequences_come_back_in_their_order(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    # More of them than lanes, and packets of a few steps each.
    wanted = whole_sequences(network, DESIGN, sequences)
    found = accelerator.run(sequences, outputs="all")
    for mine, theirs in zip(found, wanted.outputs, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert accelerator.saturation is not None
    assert tuple(accelerator.saturation.layers.values()) == wanted.saturated
    last = accelerator.run(sequences, outputs="last")
    np.testing.assert_array_equal(last, np.stack([each[-1] for each in wanted.outputs]))


def test_forms_of_sequences(accelerator: Accelerator, network: Network) -> None:
    real = np.random.default_rng(9).uniform(-2, 2, (3, 5, INPUTS)).astype(np.float32)
    found = accelerator.run(real)
    assert found.shape == (3, 5, 3) and found.dtype == np.float32
    np.testing.assert_array_equal(accelerator.run(list(real))[1], found[1])
    np.testing.assert_array_equal(accelerator.run(real[2]), found[2])
    np.testing.assert_array_equal(accelerator.run(real[2], outputs="last"), found[2, -1])


def test_a_sequence_in_several_calls_is_the_whole(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    some = [sequences[0], sequences[3]]
    wanted = whole_sequences(network, DESIGN, some).outputs
    first = accelerator.run([each[:4] for each in some])
    second = accelerator.run([some[0][4:], some[1][:0]], keep_state=True)
    third = accelerator.run([some[0][:0], some[1][4:]], keep_state=True)
    np.testing.assert_array_equal(np.concatenate([first[0], second[0]]), wanted[0])
    np.testing.assert_array_equal(np.concatenate([first[1], third[1]]), wanted[1])


def test_streams_beside_each_other(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    some = [sequences[0][:4], sequences[2]]
    wanted = whole_sequences(network, DESIGN, some).outputs
    given: list[list[npt.NDArray[Any]]] = [[], []]
    for one, other in zip(*map(accelerator.stream, some), strict=True):
        given[0].append(one)
        given[1].append(other)
    np.testing.assert_array_equal(np.stack(given[0]), wanted[0])
    np.testing.assert_array_equal(np.stack(given[1]), wanted[1])


def test_streams_and_batches_in_an_event_loop(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    wanted = whole_sequences(network, DESIGN, sequences[:2]).outputs

    async def sensor() -> Any:
        for vector in sequences[0]:
            await asyncio.sleep(0)
            yield vector

    async def main() -> None:
        found = [each async for each in accelerator.stream_async(sensor())]
        np.testing.assert_array_equal(np.stack(found), wanted[0])
        found = [each async for each in accelerator.stream_async(sequences[1])]
        np.testing.assert_array_equal(np.stack(found), wanted[1])
        first, second = sequences[0][:3], sequences[0][3:]
        calls = accelerator.run_async(first), accelerator.run_async(second, keep_state=True)
        np.testing.assert_array_equal(np.concatenate(await asyncio.gather(*calls)), wanted[0])

    asyncio.run(main())


def test_states_that_are_lost_are_said_to_be(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    one = sequences[0]

    def go_on() -> None:
        accelerator.run(one, keep_state=True)

    with pytest.raises(DeviceError, match="no sequences have been begun yet"):
        go_on()
    accelerator.run(one)
    stream = accelerator.stream(one)
    next(stream)
    accelerator.load(network)
    with pytest.raises(DeviceError, match="no sequences have been begun yet"):
        go_on()
    with pytest.raises(DeviceError, match=r"stream's state is gone.*another network was loaded"):
        next(stream)
    accelerator.run(sequences)
    with pytest.raises(DeviceError, match=r"the last call had 7 sequences, and the network has"):
        accelerator.run(sequences, keep_state=True, outputs="all")


def test_verify_knows_the_steps_of_a_sequence(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    golden = sequences[0]
    outputs = whole_sequences(network, DESIGN, [golden]).outputs[0]
    known = replace(
        network,
        golden_inputs=golden,
        # Each of its vectors by itself, as the golden vectors of any network are.
        golden_outputs=np.concatenate(
            whole_sequences(network, DESIGN, list(golden[:, None])).outputs
        ),
        metadata={GOLDEN_SEQUENCE: golden_sequence_crc(outputs)},
    )
    accelerator.load(known)
    assert accelerator.verify() == len(golden)
    with pytest.raises(DeviceError, match=r"verify\(\) took its own vectors"):
        accelerator.run(golden, keep_state=True)
    accelerator.load(replace(known, metadata={GOLDEN_SEQUENCE: golden_sequence_crc(outputs[1:])}))
    with pytest.raises(DeviceError, match="the golden vectors as the 7 steps of one sequence"):
        accelerator.verify()


def test_a_run_cut_off_in_mid_sequence_loses_its_state(
    network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    one = sequences[3]
    broken: list[bool] = []

    class Breaking(Emulator):
        """Damages an answer when it is told to."""

        def process(self, packet: bytes) -> bytes:
            answer = bytearray(super().process(packet))
            if broken:
                broken.pop()
                answer[24] ^= 1
            return bytes(answer)

    with (
        EmulatedBoard("pynq-z2", lambda: Breaking(DESIGN)) as board,
        Accelerator(board.bitfile, buffer_bytes=256) as accelerator,
    ):
        accelerator.load(network)
        accelerator.run(one[:4])
        broken.append(True)
        with pytest.raises(DeviceError, match="damaged"):
            accelerator.run(one[4:], keep_state=True)
        with pytest.raises(DeviceError, match=r"there is no state to go on from: a run broke off"):
            accelerator.run(one[4:], keep_state=True)
        wanted = whole_sequences(network, DESIGN, [one]).outputs[0]
        np.testing.assert_array_equal(accelerator.run(one), wanted)


def test_a_state_that_the_accelerator_lost_unseen_is_refused_by_it(
    accelerator: Accelerator, network: Network, sequences: list[npt.NDArray[np.int16]]
) -> None:
    # As if something else had used the accelerator in between: an untagged run ends all states.
    accelerator.run(sequences[0])
    packed = accelerator._plan.passes[0].packed  # type: ignore[union-attr]
    accelerator._link.run(packed, sequences[0])
    with pytest.raises(AnswerError, match=r"NO_STATE.*begin the sequences again"):
        accelerator.run(sequences[0], keep_state=True)
    with pytest.raises(DeviceError, match="a run broke off"):
        accelerator.run(sequences[0], keep_state=True)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 3, INPUTS + 1)), r"shape \(batch, steps, 5\), not \(2, 3, 6\)"),
        (np.zeros((2, 0, INPUTS)), None),
        ([], "at least one sequence"),
        ([np.zeros((2, INPUTS)), np.zeros(INPUTS)], r"sequence 1 must have shape"),
        ([np.zeros((2, INPUTS)), np.full((3, INPUTS), np.nan)], "sequence 1 must be finite, not "
         "nan in feature 0 of step 0"),
        (np.zeros((2, 3, INPUTS), np.int32), "real numbers or int16 codes, not int32"),
        ([np.zeros((2, INPUTS)), np.zeros((2, INPUTS), np.int16)], "not f, int16"),
    ],
)  # fmt: skip
def test_bad_sequences_are_refused_before_anything_is_sent(
    accelerator: Accelerator, inputs: Any, message: str | None
) -> None:
    if message is None:
        with pytest.raises(InputError, match="sequence 0 must have at least one step, not 0"):
            accelerator.run(inputs, outputs="last")
        assert accelerator.run(inputs).shape == (2, 0, 3)
        return
    with pytest.raises(InputError, match=message):
        accelerator.run(inputs)


def test_bad_steps_name_the_step(accelerator: Accelerator) -> None:
    steps = [np.zeros(INPUTS), np.full(INPUTS, np.inf)]
    with pytest.raises(InputError, match="step 1: sequence must be finite, not inf"):
        list(accelerator.stream(steps))
    with pytest.raises(InputError, match=r"step 0 must have shape \(5,\), not \(4,\)"):
        list(accelerator.stream([np.zeros(4)]))
    with pytest.raises(InputError, match="outputs must be 'all' or 'last', not 'some'"):
        accelerator.run(np.zeros((2, INPUTS)), outputs="some")  # type: ignore[call-overload]
    with pytest.warns(SaturationWarning, match="step 0|input values were saturated"):
        list(accelerator.stream([np.full(INPUTS, 1e6)]))
