"""What is asked of kernel and emulator for each packet, and of the host for each answer."""

from __future__ import annotations

import random
import struct
import zlib

import numpy as np
import numpy.typing as npt

from eie.hls.model.emulator import Emulator
from eie.hls.spec.packets import Kind, build_packet
from eie.host.protocol.responses import (
    AnswerError,
    answer_bytes,
    read_answer,
    read_counters,
    read_design,
)
from fuzz.damage import damage
from fuzz.mutated_packets import mutated_packet
from fuzz.packet_seeds import BATCH, Seed, seeds_of
from fuzz.twin import Twin, Twins
from fuzz.valid_layers import States
from fuzz.valid_packet import Said, check_frame, reseal, status_of
from fuzz.verdict import Case, Fault, NotValid, Usage, no_crash, require

#: One case in so many is an answer to the host.
_ANSWERS = 10
#: Registers of the emulator take a run of the cycle model, so they are compared this often.
_REGISTERS = 8
#: A run of a mutated load has at most so many beats of vectors.
_MOST_BEATS = 4096


class PacketTarget:
    """Mutated packets.

    Parameters
    ----------
    seed
        Of the campaign.
    twins
        Engines that take them. Before each case a sound network is resident and has run.
    """

    suffix = ".packet"

    def __init__(self, seed: int, twins: Twins) -> None:
        self._seed, self._twins = seed, twins
        self._resident: dict[int, Seed] = {}
        self._answers: dict[tuple[int, Kind], bytes] = {}

    def _dice(self, number: int) -> random.Random:
        return random.Random(f"{self._seed} packets {number}")

    def _twin(self, number: int) -> tuple[int, Twin, tuple[Seed, ...]]:
        place = number // _ANSWERS % len(self._twins)
        twin = self._twins[place]
        return place, twin, seeds_of(twin.design)

    def make(self, number: int) -> Case:
        """Make a case."""
        dice = self._dice(number)
        place, _, seeds = self._twin(number)
        if number % _ANSWERS == 0:
            return self._make_answer(dice, place)
        case = mutated_packet(dice, seeds, _base(dice, seeds))
        # There is no stream of no beats.
        return Case(case.data or b"\0", case.story)

    def judge(self, case: Case, number: int) -> str:
        """Send the packet and runs after it; both engines and the reference must agree."""
        dice = self._dice(number)
        place, twin, seeds = self._twin(number)
        if number % _ANSWERS == 0:
            return self._judge_answer(dice, case.data, place)
        base = _base(dice, seeds)
        if self._resident.get(place) is not base:
            _make_ready(twin, base)
            self._resident[place] = base
        answer = twin.ask(case.data)
        said = status_of(answer)
        try:
            check_frame(case.data)
        except NotValid as reason:
            if said is Said.OK:
                raise Fault(
                    "wrong acceptance", f"a packet with {reason.cause}", case.story
                ) from None
        if said is not Said.OK and case.story.endswith("sound"):
            raise Fault("wrong refusal", f"{case.story} was answered {said.name}")
        if _reaches_load(case.data):
            _after_load(twin, base, case.data, said)
            del self._resident[place]
            _make_ready(twin, base)
            self._resident[place] = base
        else:
            if said is Said.OK and case.data[5] == Kind.RUN:
                inputs = base.inputs_in(case.data)
                if inputs is not None:
                    _check_outputs(base, answer, inputs)
            elif said is Said.OK and case.data[5] == Kind.STATE:
                _after_state(twin, base, case)
            # Whatever it was, the network is as it was.
            _check_run(twin, base)
        if number % _REGISTERS == 0:
            twin.compare_registers()
        return "accepted and equal" if said is Said.OK else f"refused: {said.name}"

    # Answers, as the host reads them ------------------------------------------------------------

    def _request(self, dice: random.Random) -> Kind:
        return dice.choice((Kind.IDENTIFY, Kind.RUN, Kind.RUN, Kind.COUNTERS))

    def _answer(self, place: int, kind: Kind) -> bytes:
        """The sound answer to a request."""
        if (place, kind) not in self._answers:
            design = self._twins[place].design
            emulator, base = Emulator(design), seeds_of(design)[0]
            for each in (Kind.LOAD, Kind.RUN, kind):
                self._answers[place, kind] = emulator.process(base.packets[each])
        return self._answers[place, kind]

    def _make_answer(self, dice: random.Random, place: int) -> Case:
        kind = self._request(dice)
        answer = self._answer(place, kind)
        damaged = damage(dice, answer) if dice.random() < 0.9 else answer
        if dice.random() < 0.5:
            return Case(
                reseal(damaged, header=dice.random() < 0.5), f"answer to {kind.name}, sealed"
            )
        return Case(damaged, f"answer to {kind.name}")

    def _judge_answer(self, dice: random.Random, data: bytes, place: int) -> str:
        kind = self._request(dice)
        sound = self._answer(place, kind)
        design = self._twins[place].design
        _, _, _, sequence, length, _ = struct.unpack_from("<4sBBHII", sound)
        answer = None
        with no_crash("read_answer"):
            try:
                answer = read_answer(data, kind, sequence, length - 1)
                if kind is Kind.IDENTIFY:
                    read_design(answer.payload)
                elif kind is Kind.COUNTERS:
                    read_counters(answer.payload, design.pes)
            except AnswerError:
                if answer is not None:
                    return "answer refused: no design"
        try:
            _check_answer(data, sound, answer_bytes(length - 1))
        except NotValid as reason:
            if answer is not None:
                raise Fault("wrong acceptance", f"an answer with {reason.cause}") from None
            return "answer refused"
        if answer is None:
            raise Fault("wrong refusal", "a sound answer")
        if answer.payload.tobytes() != data[16:-16]:
            raise Fault("wrong acceptance", "another payload than the answer's")
        return "answer accepted and right"

    def reset(self) -> None:
        """Start the engines anew."""
        self._resident.clear()
        self._twins.reset()

    def usage(self) -> Usage:
        """What the compiled kernels took."""
        return self._twins.usage()

    def close(self) -> None:
        """End the engines."""
        self._twins.close()


def _base(dice: random.Random, seeds: tuple[Seed, ...]) -> Seed:
    """The network that is resident before the case: the first draw, and mostly the same one."""
    return seeds[0] if dice.random() < 0.9 else dice.choice(seeds)


def _make_ready(twin: Twin, base: Seed) -> None:
    twin.load(base.packed)
    _check_run(twin, base)


def _check_run(twin: Twin, base: Seed) -> None:
    answer = _ask_run(twin, base.packets[Kind.RUN])
    _check_outputs(base, answer, base.inputs)


def _ask_run(twin: Twin, run: bytes) -> bytes:
    """Give the answer to a run that must be taken."""
    answer = twin.ask(run)
    if status_of(answer) is not Said.OK:
        raise Fault("wrong refusal", f"a sound run was answered {status_of(answer).name}")
    return answer


def _after_state(twin: Twin, base: Seed, case: Case) -> None:
    """What a state leaves: a sequence to go on with, which began with the base's run if sound."""
    answer = _ask_run(twin, base.going_on(lane=case.data[21]))
    if case.story.endswith("sound"):
        states: States = {}
        base.outputs(base.inputs, states)
        _check_outputs(base, answer, base.inputs, states | base.state)


def _check_outputs(
    base: Seed, answer: bytes, inputs: npt.NDArray[np.int16], states: States | None = None
) -> None:
    """Hold the outputs in an answer against the dense reference."""
    outputs = base.packed.read_outputs(np.frombuffer(answer, "<u8")[2:-2])
    if not np.array_equal(outputs, base.outputs(inputs, states)):
        raise Fault("disagreement", "outputs are not those of the dense reference")


def _after_load(twin: Twin, base: Seed, packet: bytes, said: Said) -> None:
    """What a load leaves: nothing where it was refused, else a network to run."""
    if said is not Said.OK:
        answer = status_of(twin.ask(base.packets[Kind.RUN]))
        if answer is not Said.NO_NETWORK:
            raise Fault("wrong acceptance", f"a run after a refused load: {answer.name}")
        return
    network_id, layers = struct.unpack_from("<2I", packet, 16)
    # Behind NETWORK and the first section's head is the first layer.
    (columns,) = struct.unpack_from("<I", packet, 40)
    input_beats = -(-columns // 4)
    batch = BATCH if input_beats * BATCH <= _MOST_BEATS else 0
    vectors = np.random.default_rng(input_beats).integers(-3000, 3000, batch * input_beats * 4)
    payload = np.concatenate(
        [
            np.array([network_id | batch << 32, layers << 16 | batch << 32], "<u8"),
            vectors.astype("<i2").view("<u8"),
        ]
    )
    twin.ask(build_packet(Kind.RUN, 7, payload))
    twin.ask(base.packets[Kind.COUNTERS])


def _reaches_load(packet: bytes) -> bool:
    """Whether a packet makes the resident network invalid: a load whose header is good."""
    whole = packet + bytes(-len(packet) % 8)
    good = struct.pack("<I", zlib.crc32(whole[:12]))
    return len(whole) >= 16 and whole[:6] == b"EIEP\x03\x02" and whole[12:16] == good


def _check_answer(data: bytes, sound: bytes, size: int) -> None:
    """Whether an answer is sound and that of the request."""
    require(len(data) % 8 == 0, "no whole beats")
    check_frame(data, (sound[5],))
    require(data[-4:] == bytes(4), "something behind its CRC")
    require(data[6:8] == sound[6:8], "another sequence")
    require(len(data) == size, "another length")
    require(data[-16:-12] == bytes(4), "another status")
