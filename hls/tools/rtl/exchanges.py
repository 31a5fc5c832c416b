"""What is played into the RTL: the project's golden packets, with what the model says of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eie.hls.boundary.errors import InputError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    BEAT_BYTES,
    COUNTER_ROWS,
    COUNTERS,
    HEADER,
    RUN,
    TRAILER,
    Kind,
    answer_kind,
    build_packet,
)

__all__ = ["WHOLE", "Exchange", "RunBounds", "exchanges_of"]

#: Mask of a beat that must be equal in every bit.
WHOLE = (1 << (8 * BEAT_BYTES)) - 1
#: Cycles that any packet may take without a beat that moves: pipelines that fill, processes that
#: start. And how many times longer than the model anything may take.
_SLACK_CYCLES, _SLACK_FACTOR = 4000, 16


@dataclass(frozen=True)
class RunBounds:
    """What the model says of the time of a run."""

    #: Cycles from the run's header to its last output, and those of each layer.
    cycles: int
    layer_cycles: tuple[int, ...]
    #: Beat of the request from which they are counted: the run is known when it has been taken.
    first_beat: int
    #: Beat of the answer with the last output, with which they end.
    last_beat: int


@dataclass(frozen=True)
class Exchange:
    """A request, and what must come of it."""

    #: As in the golden packets.
    name: str
    #: Beats, as numbers.
    request: tuple[int, ...]
    answer: tuple[int, ...]
    #: Bits of each beat of the answer that must be equal. All of them, but for what depends on the
    #: latency of pipelines: cycles, starved and full of counters, and so the CRC over them.
    masks: tuple[int, ...]
    #: The registers afterwards, by name, but for ``cycles``.
    registers: dict[str, int] = field(compare=False)
    #: Cycles of the last run, which ``cycles`` and a counters' answer must not be below.
    cycles: int
    #: Cycles without a beat moving after which it hangs.
    patience: int
    #: Of a run that was taken; else None.
    run: RunBounds | None = None


def exchanges_of(project: Path, design: Design) -> list[Exchange]:
    """Every packet to play, in order: counters at power-up, and then the golden packets.

    Raises
    ------
    InputError
        If the golden packets are missing, no packets, or not those of the design.
    """
    path = project / "testbench" / "golden" / "packets.txt"
    emulator = Emulator(design)
    first = "counters_at_power_up", build_packet(Kind.COUNTERS, 0)
    exchanges = [_exchange(emulator, *first)]
    # What the file says of answers counts from a model that was asked nothing else.
    judge = Emulator(design)
    for name, request, answer in _read(path):
        if judge.process(request) != answer:
            raise InputError(
                f"{path} must be what eie makes of design.toml, but the answer to {name} is "
                "another: generate the project again"
            )
        exchanges.append(_exchange(emulator, name, request))
    return exchanges


def _read(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, request and answer of each exchange in the file at `path`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the golden packets {path}: {error}") from error
    words = [line.split() for line in lines if line and not line.startswith("#")]
    try:
        for group in (words[start : start + 3] for start in range(0, len(words), 3)):
            (_, name), (_, *request), (_, *answer) = group
            if [line[0] for line in group] != ["exchange", "request", "answer"]:
                raise ValueError(f"{group[0][0]} must not come here")
            yield name, _bytes(request), _bytes(answer)
    except (ValueError, IndexError, OverflowError) as error:
        raise InputError(
            f"{path} must have lines `exchange NAME`, `request BEAT...`, `answer BEAT...`: {error}"
        ) from error


def _bytes(words: list[str]) -> bytes:
    return np.array([int(word, 16) for word in words], "<u8").tobytes()


def _numbers(packet: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(packet, "<u8").tolist())


def _exchange(emulator: Emulator, name: str, request: bytes) -> Exchange:
    design = emulator.design
    before = emulator.last_activations
    answer = _numbers(emulator.process(request))
    run = None
    counters = emulator.last_counters
    if emulator.last_activations is not before and emulator.last_activations:
        resident = emulator.resident
        assert resident is not None  # a run was taken
        batch = len(emulator.last_activations[0])
        run = RunBounds(
            cycles=counters.cycles,
            layer_cycles=counters.layer_cycles,
            first_beat=HEADER.beats + RUN.beats - 1,
            last_beat=HEADER.beats + batch * resident.output_beats() - 1,
        )
    kind = HEADER.parse(np.array(answer[: HEADER.beats], "<u8"))["kind"]
    body = len(answer) - HEADER.beats - TRAILER.beats
    masks = [WHOLE] * len(answer)
    if kind == answer_kind(Kind.COUNTERS) and body > COUNTERS.beats and counters.cycles:
        masks = _counter_masks(design.pes, len(answer))
    registers = {key: value for key, value in emulator.registers.items() if key != "cycles"}
    return Exchange(
        name=name,
        request=_numbers(request),
        answer=answer,
        masks=tuple(masks),
        registers=registers,
        cycles=counters.cycles,
        # A load first clears the accumulators.
        patience=_SLACK_CYCLES
        + _SLACK_FACTOR * (counters.cycles if run else 0)
        + 4 * design.rows_per_pe,
        run=run,
    )


def _counter_masks(pes: int, beats: int) -> list[int]:
    """Masks for an answer to counters: of the counters only ``busy`` is exact."""
    table = np.full((len(COUNTER_ROWS), pes), 0xFFFF, "<u2")
    for row, name in enumerate(COUNTER_ROWS):
        if name.startswith(("starved", "full")):
            table[row] = 0
    words = np.resize(table.ravel(), -(-table.size // 4) * 4).view("<u8").tolist()
    masks = [WHOLE] * HEADER.beats + [0] * COUNTERS.beats + words
    masks += [WHOLE] * (beats - len(masks) - TRAILER.beats)
    return [*masks, 0]
