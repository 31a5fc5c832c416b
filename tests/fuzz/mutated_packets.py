"""Mutated packets: bytes, headers, records, sections and their contents, with right CRCs and wrong.

What changes the payload of a load stands in :data:`CONTRADICTIONS`; other sources of whole loads
that contradict themselves are plugged in at :data:`LOADS`.
"""

from __future__ import annotations

import functools
import random
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from eie.hls.spec.packets import (
    HEADER,
    LAYER,
    NETWORK,
    RUN,
    SECTION,
    STATE,
    TRAILER,
    Kind,
    iterate_sections,
)
from eie.hls.spec.record import Record
from eie.host.packing.packed_network import PackedNetwork
from fuzz.damage import damage, edge, near
from fuzz.mutated_loads import mutated_load
from fuzz.packet_seeds import Seed
from fuzz.packets_after_load import run_after, state_after
from fuzz.valid_packet import reseal
from fuzz.verdict import Case

Beats = npt.NDArray[np.uint64]


def mutated_packet(dice: random.Random, seeds: tuple[Seed, ...], seed: Seed) -> Case:
    """Make a case for an accelerator in which `seed` is resident."""
    shares = {Kind.IDENTIFY: 1, Kind.LOAD: 8, Kind.RUN: 4, Kind.COUNTERS: 1}
    # Where there is no recurrent layer, a STATE is only what another packet's kind becomes.
    shares |= {Kind.STATE: 4} if seed.recurrent else {}
    (kind,) = dice.choices(tuple(shares), tuple(shares.values()))
    way = dice.choices(
        ("sound", "bytes", "noise", "header", "record", "contents", "other"),
        (6, 25, 2, 18, 14, 30, 5),
    )[0]
    source = dice.choice(seeds) if kind is Kind.LOAD and dice.random() < 0.5 else seed
    packet = source.packets[kind]
    if way == "noise":
        return Case(dice.randbytes(dice.randrange(1, 300)), "noise")
    story = f"{kind.name.lower()}: {way}"
    if way == "sound":
        return Case(packet, story)
    if way == "other":
        other = dice.choice(seeds).packets[dice.choice((Kind.RUN, Kind.LOAD))]
        return Case(damage(dice, packet, other), f"{story}: with pieces of another")
    if way == "bytes":
        damaged = damage(dice, packet) or b"\x00"
        if dice.random() < 0.3:
            return Case(reseal(damaged, header=dice.random() < 0.7), f"{story}: damaged, sealed")
        return Case(damaged, f"{story}: damaged")
    if way == "header":
        changed, done = _header(dice, packet)
        return Case(changed, f"{story}: {done}")
    if way == "contents" and kind is Kind.LOAD and LOADS and dice.random() < 0.6:
        load, done = dice.choice(LOADS)(source.packed, dice.getrandbits(32))
        return Case(load, f"{story}: {done}")
    if way == "contents" and kind in BEHIND and dice.random() < 0.6:
        return Case(
            BEHIND[kind](source.packets[Kind.LOAD], dice.getrandbits(32)), f"{story}: other"
        )
    beats = np.frombuffer(packet, "<u8")[HEADER.beats : -TRAILER.beats].copy()
    if way == "record" or kind is not Kind.LOAD:
        beats, done = _record(dice, kind, beats)
    else:
        contradiction = dice.choice(CONTRADICTIONS)
        beats, done = contradiction(dice, source, beats)
    sealed = reseal(packet[: 8 * HEADER.beats] + beats.tobytes() + bytes(8))
    if dice.random() < 0.05:
        sealed = damage(dice, sealed)
        done += ", damaged"
    return Case(sealed or b"\x00", f"{story}: {done}")


def _header(dice: random.Random, packet: bytes) -> tuple[bytes, str]:
    """Change fields of the header or the trailer; the header's CRC is right, mostly."""
    changed = bytearray(packet)
    start, format_, name = dice.choice(
        ((0, "<I", "magic"), (4, "<B", "version"), (5, "<B", "kind"), (6, "<H", "sequence"),
         (8, "<I", "length"), (8, "<I", "length"), (12, "<I", "CRC"),
         (len(packet) - 8, "<I", "end"), (len(packet) - 4, "<I", "reserved"))
    )  # fmt: skip
    (value,) = struct.unpack_from(format_, changed, start)
    value = near(dice, value) % (1 << 8 * struct.calcsize(format_))
    if name == "kind":
        value = dice.choice((0, 1, 2, 3, 4, 5, 6, 0x81, 0xFF))
    struct.pack_into(format_, changed, start, value)
    done = f"{name} {value:#x}"
    if start < 12 and dice.random() < 0.8:
        return reseal(bytes(changed), header=False), f"{done}, sealed"
    return bytes(changed), done


def _change(dice: random.Random, record: Record, beats: Beats, place: int) -> str:
    """Change a field of the record at a place, in place."""
    if len(beats) < place + record.beats:
        return "nothing"
    field = dice.choice(record.fields)
    beat = int(beats[place + field.beat])
    most = (1 << field.bits) - 1
    value = beat >> field.low & most
    value = (near(dice, value) if dice.random() < 0.8 else dice.randrange(most + 1)) & most
    beats[place + field.beat] = beat & ~(most << field.low) | value << field.low
    return f"{record.name}.{field.name} = {value}"


def _record(dice: random.Random, kind: Kind, beats: Beats) -> tuple[Beats, str]:
    """Change the record at the start, the length of the payload, or values behind it."""
    way = dice.randrange(4)
    if kind in (Kind.IDENTIFY, Kind.COUNTERS) or way == 0:
        size = dice.choice((0, 1, 2, len(beats) // 2, len(beats) + 1, len(beats) + 9))
        longer = np.zeros(size, "<u8")
        longer[: min(size, len(beats))] = beats[:size]
        return longer, f"{size} beats of payload"
    record = _STARTS[kind]
    if way == 1 and kind is not Kind.LOAD and len(beats) > record.beats:
        for _ in range(dice.randrange(1, 9)):
            beats[dice.randrange(record.beats, len(beats))] = dice.getrandbits(64)
        return beats, "other vectors"
    return beats, _change(dice, record, beats, 0)


# Loads that contradict themselves --------------------------------------------------------------


def _sections(beats: Beats) -> list[Beats]:
    """Sections with their first beats."""
    found, place = [], NETWORK.beats
    for fields, _ in iterate_sections(beats[NETWORK.beats :]):
        found.append(beats[place : place + SECTION.beats + fields["length"]])
        place += len(found[-1])
    return found


def layer_fields(dice: random.Random, seed: Seed, beats: Beats) -> tuple[Beats, str]:
    """Change one or two fields of a layer's record."""
    layers = len(seed.packed.layers)
    done = []
    for _ in range(dice.choice((1, 1, 1, 2))):
        place = NETWORK.beats + SECTION.beats + LAYER.beats * dice.randrange(layers)
        done.append(_change(dice, LAYER, beats, place))
    return beats, ", ".join(done)


def section_heads(dice: random.Random, seed: Seed, beats: Beats) -> tuple[Beats, str]:
    """Change what a section says of itself."""
    sections = _sections(beats)
    number = dice.randrange(len(sections))
    place = NETWORK.beats + sum(len(section) for section in sections[:number])
    return beats, f"section {number}: {_change(dice, SECTION, beats, place)}"


def section_lengths(dice: random.Random, seed: Seed, beats: Beats) -> tuple[Beats, str]:
    """Make a section longer or shorter, and let it say so."""
    sections = _sections(beats)
    number = dice.randrange(len(sections))
    section = sections[number]
    step = dice.choice((-3, -2, -1, 1, 2, 8, 40))
    size = max(0, len(section) - SECTION.beats + step)
    changed = np.zeros(SECTION.beats + size, "<u8")
    changed[: min(len(changed), len(section))] = section[: len(changed)]
    changed[0] = int(section[0]) & 0xFFFFFFFF | size << 32
    sections[number] = changed
    return np.concatenate([beats[: NETWORK.beats], *sections]), f"section {number}: {size} beats"


def section_order(dice: random.Random, seed: Seed, beats: Beats) -> tuple[Beats, str]:
    """Swap, drop or repeat sections."""
    sections = _sections(beats)
    first, second = dice.randrange(len(sections)), dice.randrange(len(sections))
    way = dice.choice(("swap", "drop", "repeat", "replace"))
    if way == "swap":
        sections[first], sections[second] = sections[second], sections[first]
    elif way == "drop":
        del sections[first]
    elif way == "repeat":
        sections.insert(second, sections[first])
    else:
        sections[first] = sections[second]
    done = f"sections {first} and {second}: {way}"
    return np.concatenate([beats[: NETWORK.beats], *sections]), done


def section_contents(dice: random.Random, seed: Seed, beats: Beats) -> tuple[Beats, str]:
    """Change beats in the middle of a section: pointers, biases, entries or codebooks."""
    sections = _sections(beats)
    number = dice.choice([n for n, section in enumerate(sections) if len(section) > 1])
    section = sections[number]
    start = NETWORK.beats + sum(len(each) for each in sections[:number])
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = start + dice.randrange(SECTION.beats, len(section))
        beat = int(beats[place])
        way = dice.randrange(5)
        if way == 0:
            beat ^= 1 << dice.randrange(64)
        elif way == 1:
            beat = dice.getrandbits(64)
        elif way == 2:
            beat = edge(dice)
        elif way == 3:
            low = dice.choice((0, 32))
            half = beat >> low & 0xFFFFFFFF
            beat = beat & ~(0xFFFFFFFF << low) | (near(dice, half) & 0xFFFFFFFF) << low
        else:
            beat = int(beats[start + dice.randrange(SECTION.beats, len(section))])
        beats[place] = beat & (1 << 64) - 1
    return beats, f"contents of section {number}"


#: Other makers of loads with right CRCs: of a packed network and a number, the packet and what was
#: done to it.
LOADS: tuple[Callable[[PackedNetwork, int], tuple[bytes, str]], ...] = (mutated_load,)

#: Makers of whole packets for a network that is resident: of its load and a number, the packet.
BEHIND: dict[Kind, Callable[[bytes, int], bytes]] = {
    Kind.RUN: functools.partial(run_after, goes_on=True),
    Kind.STATE: state_after,
}
#: Records with which payloads start.
_STARTS = {Kind.LOAD: NETWORK, Kind.RUN: RUN, Kind.STATE: STATE}

Contradiction = Callable[[random.Random, Seed, Beats], tuple[Beats, str]]
#: Ways to change the payload of a load, whose CRCs are made right afterwards.
CONTRADICTIONS: tuple[Contradiction, ...] = (
    layer_fields,
    layer_fields,
    section_heads,
    section_lengths,
    section_order,
    section_contents,
    section_contents,
)
