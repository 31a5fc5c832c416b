"""Packets as a picture: what a load and a run consist of, and the bits of their records."""

from __future__ import annotations

from eie.hls.spec.packets import (
    HEADER,
    LAYER,
    NETWORK,
    RUN,
    SATURATED,
    SECTION,
    STATUS,
    TAG,
    TRAILER,
    VERSION,
)
from eie.hls.spec.record import BEAT_BITS, Record
from eie.host.view.svg import Drawing, text_width

__all__ = ["packet_picture"]

_LEFT, _BEAT, _NAMES = 16.0, 768.0, 96.0
_ROW = 30.0
#: Parts of each kind of packet, in order: records by themselves, and what is between them.
_KINDS: tuple[tuple[str, tuple[Record | str, ...]], ...] = (
    (
        "load",
        (HEADER, NETWORK, SECTION, "layers", SECTION, "codebooks",
         "… for each PE", SECTION, "pointers", SECTION, "biases", SECTION, "entries", TRAILER),
    ),
    ("run", (HEADER, RUN, "input vectors, 4 activations a beat", TRAILER)),
    (
        "answer to a run",
        (HEADER, "output vectors", SATURATED, "… for each layer", STATUS, TRAILER),
    ),
)  # fmt: skip
#: Records whose bits are drawn.
_RECORDS = (HEADER, NETWORK, SECTION, LAYER, RUN, TAG, SATURATED, STATUS, TRAILER)


def packet_picture() -> Drawing:
    """Draw the packets of format :data:`~eie.hls.spec.packets.VERSION`, from its records."""
    rows = sum(record.beats for record in _RECORDS)
    top = 74 + 62 * len(_KINDS)
    height = top + 44 + rows * (_ROW + 2) + 12 * len(_RECORDS)
    draw = Drawing(
        _LEFT * 2 + _NAMES + _BEAT,
        height,
        f"Packets, format {VERSION}",
        "A packet is a header, a payload of records and data, and a trailer; each record is whole "
        f"beats of {BEAT_BITS} bits: {', '.join(record.name for record in _RECORDS)}.",
    )
    draw.text(_LEFT, 24, f"Packets, format {VERSION}", "head")
    draw.text(
        _LEFT,
        42,
        f"Beats of {BEAT_BITS} bit, little-endian; the trailer has a CRC-32 of all before it.",
        "small soft",
    )
    for number, (name, parts) in enumerate(_KINDS):
        _packet(draw, 70 + 62 * number, name, parts)
    _bits(draw, top)
    return draw


def _packet(draw: Drawing, y: float, name: str, parts: tuple[Record | str, ...]) -> None:
    draw.text(_LEFT, y + 2, name, "small strong")
    texts = [part if isinstance(part, str) else part.name for part in parts]
    room = _NAMES + _BEAT
    widths = [text_width(text, 11.5) + 6 for text in texts]
    spare = (room - sum(widths)) / len(parts)
    x = _LEFT
    for part, text, width in zip(parts, texts, widths, strict=True):
        width += spare
        if isinstance(part, Record):
            draw.rect(x + 1, y + 10, width - 2, 28, "process", rx=3)
        elif not text.startswith("…"):
            draw.rect(x + 1, y + 10, width - 2, 28, "around", rx=3)
        draw.text(x + width / 2, y + 28, text, "small middle")
        x += width


def _bits(draw: Drawing, top: float) -> None:
    """The fields of each record, to scale of their bits."""
    bit = _BEAT / BEAT_BITS
    draw.text(_LEFT, top, "bits of the records", "small strong")
    left = _LEFT + _NAMES
    for low in range(0, BEAT_BITS + 1, 8):
        # The highest bit is on the left, as numbers are written.
        x = left + (BEAT_BITS - low) * bit
        draw.text(x, top + 22, f"{low}", "tiny middle soft")
    y = top + 30
    for record in _RECORDS:
        draw.text(_LEFT, y + 19, record.name, "small")
        for beat in range(record.beats):
            draw.rect(left, y, _BEAT, _ROW, "around")
            for field in record.fields:
                if field.beat != beat:
                    continue
                x = left + (BEAT_BITS - field.low - field.bits) * bit
                draw.rect(x, y, field.bits * bit, _ROW, "process")
                draw.text(x + field.bits * bit / 2, y + 19, field.name, "small middle")
            y += _ROW + 2
        y += 12
