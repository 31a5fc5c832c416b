"""The accelerator in numpy: the same packets in, the same bytes out, without an FPGA.

:class:`Emulator` is an :class:`eie.host.protocol.engine.Engine`. Its answers are those of the
generated C++ to the last bit, the counters included (:mod:`eie.hls.model.cycles`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import PacketError
from eie.hls.model.cycle_counts import count_cycles
from eie.hls.model.lane_tags import read_tags, states_behind
from eie.hls.model.load_check import check_load
from eie.hls.model.load_sections import LoadSections
from eie.hls.model.memory_image import read_sections
from eie.hls.model.packet_checks import (
    beats_read,
    check_header,
    check_run,
    check_trailer,
    sections_good,
)
from eie.hls.model.resident_network import Held, ResidentNetwork, ResidentRun, RunOrder, Tags
from eie.hls.spec.cell import STATE_BITS
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.group_order import as_sent, in_vectors
from eie.hls.spec.packets import (
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    BEAT_BYTES,
    COUNTER_ROWS,
    COUNTERS,
    DESIGN,
    HEADER,
    NETWORK,
    RUN,
    SATURATED,
    STATE,
    STATE_BEATS_PER_WORD,
    STATUS,
    VERSION,
    Kind,
    Status,
    answer_kind,
    build_packet,
)

__all__ = ["Emulator"]

#: How a run ends that changes nothing.
_REFUSED = (Status.NO_NETWORK, Status.WRONG_NETWORK, Status.BAD_LAYERS, Status.BAD_BATCH)

Beats = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Given:
    """How many of a lane's recurrent layers were given their states, in a row."""

    lane: int
    layers: int


_NONE_GIVEN = _Given(lane=0, layers=0)


@dataclass
class _Run:
    """The last run, kept so that its counters can be worked out when they are asked for."""

    network: ResidentNetwork
    result: ResidentRun
    counters: Counters | None = None

    @cached_property
    def activations(self) -> list[npt.NDArray[np.int16]]:
        """By slot: what each layer took, and what the last one gave."""
        results = self.network.layers[self.result.order.first + len(self.result.taken) - 1].results
        return [*self.result.taken, self.result.outputs[:, :results]]


class _Registers(Mapping[str, int]):
    """Registers at one moment; to read `cycles`, and it alone, runs the model of cycles."""

    def __init__(self, values: Mapping[str, int], cycles: Callable[[], int]) -> None:
        self._values = values
        self._cycles = cycles

    def __getitem__(self, name: str) -> int:
        return self._cycles() if name == "cycles" else self._values[name]

    def __iter__(self) -> Iterator[str]:
        yield from (*self._values, "cycles")

    def __len__(self) -> int:
        return len(self._values) + 1


class Emulator:
    """An accelerator of a given design.

    Parameters
    ----------
    design
        The hardware to emulate.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        self._resident: ResidentNetwork | None = None
        self._held = Held.of(design)
        # Lanes whose last step left a state.
        self._states: frozenset[int] = frozenset()
        self._given = _NONE_GIVEN
        # Both, if the state under way turns out to be void.
        self._if_void = self._states, self._given
        self._last_run: _Run | None = None
        self._load_problems: tuple[str, ...] = ()
        self._packets = self._errors = 0

    @property
    def resident(self) -> ResidentNetwork | None:
        """The network in the memories, or None when none is valid."""
        return self._resident

    @property
    def load_problems(self) -> tuple[str, ...]:
        """What the last load with all its sections contradicts: the reasons of ``BAD_CONTENTS``."""
        return self._load_problems

    @property
    def last_activations(self) -> list[npt.NDArray[np.int16]]:
        """Activations of the last run by slot, before each layer and after the last."""
        return [] if self._last_run is None else self._last_run.activations

    @property
    def last_counters(self) -> Counters:
        """Counters of the last run, with the cycles of each layer."""
        return self._counters()

    @property
    def registers(self) -> Mapping[str, int]:
        """The AXI4-Lite registers by name, as they are now."""
        values = {
            "design_id": self.design.id if self._packets else 0,
            "format_version": VERSION if self._packets else 0,
            "network_id": self._network_id,
            "packets": self._packets,
            "errors": self._errors,
        }
        run = self._last_run
        return _Registers(values, lambda: self._counters_of(run).cycles & 0xFFFFFFFF)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def process(self, packet: bytes) -> bytes:
        """Take one packet and give its answer; see :class:`eie.host.protocol.engine.Engine`.

        Raises
        ------
        PacketError
            If the packet is empty.
        """
        if not packet:
            raise PacketError("a packet must have at least one byte, not 0")
        whole = packet + bytes(-len(packet) % BEAT_BYTES)
        beats = np.frombuffer(whole, "<u8")
        first = np.zeros(HEADER.beats, "<u8")
        first[: min(len(beats), HEADER.beats)] = beats[: HEADER.beats]
        header = HEADER.parse(first)
        status = check_header(header, len(beats), first)
        body: Beats = np.zeros(0, "<u8")
        if status is Status.OK:
            kind = Kind(header["kind"])
            taken = min(len(beats), HEADER.beats + beats_read(kind, header["length"], len(beats)))
            payload = beats[HEADER.beats : taken]
            if kind is Kind.LOAD:
                self._resident, self._states, self._given = None, frozenset(), _NONE_GIVEN
            status, body = self._take(kind, header["length"], payload)
            status = check_trailer(beats, taken, status)
            if kind is Kind.LOAD and status is Status.OK:
                status = self._make_resident(payload)
            if kind is Kind.RUN and status is not Status.OK and status not in _REFUSED:
                self._states = frozenset()
            if kind is Kind.STATE and status is not Status.OK:
                self._states, self._given = self._if_void
        return self._answer(header, status, body)

    def _take(self, kind: Kind, length: int, payload: Beats) -> tuple[Status, Beats]:
        """Obey a request with a good header: its status so far, and the body of the answer."""
        nothing: Beats = np.zeros(0, "<u8")
        if kind is Kind.IDENTIFY:
            return Status.OK, DESIGN.build(**self.design.record())
        if kind is Kind.COUNTERS:
            return Status.OK, _counters_body(self.design, self._counters())
        if kind is Kind.LOAD:
            good = sections_good(self.design, length, payload)
            return (Status.OK if good else Status.BAD_SECTION), nothing
        if kind is Kind.STATE:
            return self._take_state(length, payload), nothing
        return self._run(length, payload)

    def _take_state(self, length: int, payload: Beats) -> Status:
        """Put a layer's state into a lane; if the packet is void, the lane has none afterwards."""
        self._if_void = self._states, self._given
        fields = STATE.parse(payload if len(payload) else np.zeros(STATE.beats, "<u8"))
        resident = self._resident
        if resident is None:
            return Status.NO_NETWORK
        if fields["network_id"] != resident.network_id:
            return Status.WRONG_NETWORK
        number, lane = fields["layer"], fields["lane"]
        if number >= len(resident.layers) or lane >= resident.lanes:
            return Status.BAD_LAYERS
        layer = resident.layers[number]
        of_recurrent = sum(each.recurrent for each in resident.layers[: number + 1])
        given = self._given if lane == self._given.lane else _NONE_GIVEN
        if not layer.recurrent or of_recurrent > given.layers + 1:
            return Status.BAD_LAYERS
        words = -(-layer.results // ACTIVATIONS_PER_WORD)
        beats = words * STATE_BEATS_PER_WORD
        if beats + STATE.beats != length:
            return Status.BAD_BATCH
        state = np.zeros(beats, "<u8")
        body = payload[STATE.beats : STATE.beats + beats]
        state[: len(body)] = body
        state = state.reshape(words, STATE_BEATS_PER_WORD)
        of_results = ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT
        first = lane * resident.stride + (layer.source or 0)
        here = slice(first, first + words)
        self._held.words[here] = np.ascontiguousarray(state[:, :of_results]).view("<i2")
        cells = np.ascontiguousarray(state[:, of_results:]).view("<i4")
        # Of 32 bits the cell keeps its own.
        spare = 32 - STATE_BITS
        self._held.states[here] = (cells << spare) >> spare
        others = self._states - {lane}
        self._if_void = others, _Given(lane, of_recurrent - 1)
        self._given = _Given(lane, of_recurrent)
        whole = not any(each.recurrent for each in resident.layers[number + 1 :])
        self._states = others | {lane} if whole else others
        return Status.OK

    def _run(self, length: int, payload: Beats) -> tuple[Status, Beats]:
        nothing: Beats = np.zeros(0, "<u8")
        padded = payload if len(payload) >= RUN.beats else np.zeros(RUN.beats, "<u8")
        fields = RUN.parse(padded)
        resident = self._resident
        if resident is None:
            return Status.NO_NETWORK, nothing
        status = check_run(resident, fields, length)
        if status is not Status.OK:
            return status, nothing
        # A run cut short is filled up with zeros; its status voids the outputs.
        each = resident.input_beats(fields["first"]) + fields["tagged"]
        beats = fields["batch"] * each
        vectors = payload[RUN.beats :]
        if len(vectors) < beats:
            vectors = np.concatenate([vectors, np.zeros(beats - len(vectors), "<u8")])
        vectors = in_vectors(self.design, vectors[:beats].reshape(fields["batch"], each))
        tags: Tags | None = None
        states = self._states
        self._states, self._given = frozenset(), _NONE_GIVEN
        if fields["tagged"]:
            tags, bad = read_tags(vectors[:, 0], resident.lanes, fields["outputs"])
            given = tags.starts
            tags, states = states_behind(tags, states)
            missing = (tags.starts != given).any()
            status = Status.BAD_TAG if bad else Status.NO_STATE if missing else Status.OK
            if status is Status.OK:
                self._states = states
            vectors = np.ascontiguousarray(vectors[:, 1:])
        shape = (len(vectors), vectors.shape[1] * ACTIVATIONS_PER_BEAT)
        order = RunOrder(fields["first"], fields["layers"], tags)
        lanes = vectors.view("<i2").reshape(shape).astype(np.int16, copy=False)
        result = resident.run(lanes, order, self._held)
        self._last_run = _Run(resident, result)
        saturated = [SATURATED.build(count=count) for count in result.saturated]
        answered = np.ascontiguousarray(result.outputs, "<i2").view("<u8")
        return status, np.concatenate([as_sent(self.design, answered).ravel(), *saturated])

    def _make_resident(self, payload: Beats) -> Status:
        """Take a load with the right sections and CRC, unless it contradicts itself."""
        fields = NETWORK.parse(payload)
        sections = LoadSections.parse(self.design, payload[NETWORK.beats :])
        self._load_problems = tuple(check_load(self.design, fields, sections).found)
        if self._load_problems:
            return Status.BAD_CONTENTS
        self._resident = ResidentNetwork(
            fields["network_id"],
            fields["lanes"],
            fields["stride"],
            fields["hold_base"] if fields["hold"] else None,
            read_sections(self.design, sections),
            self.design.abreast,
        )
        return Status.OK

    @property
    def _network_id(self) -> int:
        return 0 if self._resident is None else self._resident.network_id

    def _counters(self) -> Counters:
        return self._counters_of(self._last_run)

    def _counters_of(self, run: _Run | None) -> Counters:
        if run is None:
            zeros = np.zeros(self.design.pes, np.int64)
            return Counters(0, zeros, zeros, zeros)
        if run.counters is None:
            run.counters = count_cycles(
                self.design, run.network, run.result.taken, run.result.order
            )
        return run.counters

    def _answer(self, header: Mapping[str, int], status: Status, body: Beats) -> bytes:
        self._packets += 1
        self._errors += status is not Status.OK
        end = STATUS.build(status=int(status), network_id=self._network_id)
        return build_packet(
            answer_kind(header["kind"]), header["sequence"], np.concatenate([body, end])
        )


def _counters_body(design: Design, counters: Counters) -> Beats:
    table = np.zeros((len(COUNTER_ROWS), len(counters.busy)), "<u2")
    reported = counters.reported(by_pes=bool(design.counters))
    for name in ("busy", "starved", "full"):
        values = getattr(reported, name)
        table[COUNTER_ROWS.index(f"{name}_low")] = values & 0xFFFF
        table[COUNTER_ROWS.index(f"{name}_high")] = values >> 16 & 0xFFFF
    return np.concatenate([COUNTERS.build(cycles=counters.cycles), table.ravel().view("<u8")])
