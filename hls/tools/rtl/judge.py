"""What was recorded against what must be: every beat of every answer, registers, and time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from eie.hls.spec.packets import BEAT_BYTES, DESIGN, HEADER, TRAILER, Kind, answer_kind
from eie.hls.tools.rtl.exchanges import WHOLE, Exchange
from eie.hls.tools.rtl.recording import BeatSeen, ExchangeSeen, PassSeen
from eie.hls.tools.rtl.verdict import RunTime

__all__ = ["faults_of", "run_times"]

_ALL_LANES = (1 << BEAT_BYTES) - 1


def faults_of(exchanges: Sequence[Exchange], seen: PassSeen) -> list[str]:
    """Everything in a pass that must not be, in order; empty if all is well."""
    if seen.hang:
        return [f"before the first packet: {seen.hang}"]
    found = [
        f"register {name} must be 0 after a reset, not {value:#x}"
        for name, value in seen.registers.items()
        if value
    ]
    cycles = 0
    for exchange, each in zip(exchanges, seen.exchanges, strict=False):
        faults = [*_faults_of(exchange, each)]
        register = each.registers.get("cycles", cycles)
        if exchange.run is None and register != cycles:
            faults.append(f"register cycles must stay {cycles} without a run, not be {register}")
        cycles = register
        found += [f"packet {exchange.name}: {fault}" for fault in faults]
    if not found and len(seen.exchanges) != len(exchanges):
        found.append(f"{len(seen.exchanges)} of {len(exchanges)} packets were played")
    return found


def run_times(exchanges: Sequence[Exchange], seen: PassSeen) -> tuple[RunTime, ...]:
    """Time of each run of a pass that was answered whole."""
    return tuple(
        RunTime(
            exchange.name,
            exchange.run.cycles,
            each.registers.get("cycles", 0),
            _measured(exchange, each)[0],
        )
        for exchange, each in zip(exchanges, seen.exchanges, strict=False)
        if exchange.run is not None and len(each.answer) == len(exchange.answer)
    )


def _faults_of(exchange: Exchange, seen: ExchangeSeen) -> Iterator[str]:
    yield from seen.breaches[:1]
    if seen.answer and seen.request and seen.answer[0].cycle < seen.request[0].cycle:
        yield "an answer came before the request"
        return
    yield from _framing(exchange, seen.answer)
    yield from _contents(exchange, seen.answer)
    if seen.hang:
        yield seen.hang
        return
    yield from _registers(exchange, seen)
    yield from _time(exchange, seen)


def _framing(exchange: Exchange, answer: Sequence[BeatSeen]) -> Iterator[str]:
    """TLAST on the last beat and only there, all bytes of a beat valid, no beat too many."""
    expected = len(exchange.answer)
    ends = [number for number, beat in enumerate(answer) if beat.last]
    if not ends and len(answer) >= expected:
        yield f"TLAST must be on beat {expected - 1}, the answer's last: it is nowhere"
    elif ends and ends[0] != expected - 1:
        yield f"the answer must have {expected} beats up to TLAST, not {ends[0] + 1}"
    if ends and len(answer) > ends[0] + 1:
        behind = len(answer) - ends[0] - 1
        yield f"nothing must come behind the answer's TLAST, but {behind} more beats do"
    for number, beat in enumerate(answer):
        for name, lanes in (("TKEEP", beat.keep), ("TSTRB", beat.strb)):
            if lanes != _ALL_LANES:
                yield f"{name} of beat {number} must be {_ALL_LANES:#x}, not {lanes:#x}"
                return


def _contents(exchange: Exchange, answer: Sequence[BeatSeen]) -> Iterator[str]:
    """The first beat that differs."""
    beats = [beat.data for beat in answer]
    expected = exchange.answer
    for number, (wanted, got, mask) in enumerate(
        zip(expected, beats, exchange.masks, strict=False)
    ):
        if (wanted ^ got) & mask:
            of_mask = "" if mask == WHOLE else f" (in the bits {mask:#x})"
            yield f"beat {number} of {len(expected)} must be {wanted:#x}, not {got:#x}{of_mask}"
            yield from _other_design(exchange, beats)
            break
    if len(beats) == len(expected) and _crc_wrong(beats):
        yield "the CRC of the answer is wrong"


def _other_design(exchange: Exchange, beats: Sequence[int]) -> Iterator[str]:
    """Say which parameters differ, if the answer is to identify."""
    first = HEADER.parse(np.array(exchange.answer[: HEADER.beats], "<u8"))
    whole = HEADER.beats + DESIGN.beats
    if first["kind"] != answer_kind(Kind.IDENTIFY) or len(beats) < whole:
        return
    wanted, got = (
        DESIGN.parse(np.array(side[HEADER.beats : whole], "<u8"))
        for side in (exchange.answer, beats)
    )
    if wanted["id"] != got["id"]:
        others = ", ".join(
            f"{name} = {value}"
            for name, value in got.items()
            if name != "id" and value != wanted[name]
        )
        yield (
            f"it is RTL of another design, {got['id']:#010x}, not {wanted['id']:#010x}"
            + (f": {others}" if others else "")
        )


def _crc_wrong(beats: Sequence[int]) -> bool:
    data = np.array(beats, "<u8")
    crc = zlib.crc32(data[: -TRAILER.beats].tobytes())
    return TRAILER.parse(data[-TRAILER.beats :]) != {"crc": crc, "reserved": 0}


def _registers(exchange: Exchange, seen: ExchangeSeen) -> Iterator[str]:
    for name, wanted in exchange.registers.items():
        got = seen.registers[name]
        if got != wanted:
            yield f"register {name} must be {wanted:#x}, not {got:#x}"


def _time(exchange: Exchange, seen: ExchangeSeen) -> Iterator[str]:
    """No run may be faster than the model, which leaves out latencies and no work."""
    register = seen.registers["cycles"]
    if exchange.run is None:
        if _is_counters(exchange) and len(seen.answer) > HEADER.beats:
            reported = seen.answer[HEADER.beats].data
            if reported & 0xFFFFFFFF != register:
                yield f"counters report {reported} cycles, and register cycles {register}"
        return
    if len(seen.answer) <= exchange.run.last_beat:
        return
    model = exchange.run.cycles
    measured, stalled = _measured(exchange, seen)
    if measured < model:
        yield (
            f"the last output came {measured} cycles after the run's header, sooner than the "
            f"model's {model}: work was left out, or the model is wrong"
        )
    if register + stalled < model:
        without = f", and {stalled} in which its answer was held up" if stalled else ""
        yield (
            f"register cycles says {register}{without}, fewer than the model's {model}: work was "
            "left out, or not every cycle is counted"
        )


def _measured(exchange: Exchange, seen: ExchangeSeen) -> tuple[int, int]:
    """Cycles from a run's header to its last output, and those in which the answer was held up."""
    assert exchange.run is not None
    first = seen.request[exchange.run.first_beat]
    last = seen.answer[exchange.run.last_beat]
    return last.cycle - first.cycle, last.stalled - first.stalled


def _is_counters(exchange: Exchange) -> bool:
    first = HEADER.parse(np.array(exchange.answer[: HEADER.beats], "<u8"))
    # Refused, it has its status alone.
    return first["kind"] == answer_kind(Kind.COUNTERS) and first["length"] > 1
