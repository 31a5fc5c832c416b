"""A load taken apart into records and sections, so that any of them can be changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    HEADER,
    LAYER,
    NETWORK,
    SECTION,
    TRAILER,
    Section,
    iterate_sections,
)
from eie.host.packing.packed_network import PackedNetwork

Beats = npt.NDArray[np.uint64]


@dataclass
class LoadUnderChange:
    """A load under change."""

    design: Design
    network: dict[str, int]
    #: Fields and beats of each section.
    sections: list[tuple[dict[str, int], Beats]]
    #: What was done to it.
    story: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, packed: PackedNetwork) -> LoadUnderChange:
        payload = np.frombuffer(packed.load_packet(), "<u8")[HEADER.beats : -TRAILER.beats]
        sections = iterate_sections(payload[NETWORK.beats :])
        return cls(
            packed.design,
            dict(NETWORK.parse(payload)),
            [(dict(fields), body.copy()) for fields, body in sections],
        )

    def payload(self) -> Beats:
        beats = [NETWORK.build(**self.network)]
        for fields, body in self.sections:
            # A length that was not changed on purpose is that of the beats.
            beats += [SECTION.build(**{"length": len(body)} | fields), body]
        return np.concatenate(beats)

    def of_kind(self, kind: Section) -> list[int]:
        """Places of the sections of a kind that hold anything."""
        return [
            place
            for place, (fields, body) in enumerate(self.sections)
            if fields["section"] == kind and len(body)
        ]

    def set_body(self, place: int, body: Beats) -> None:
        """Give a section other beats, and the length that they have."""
        self.sections[place] = (self.sections[place][0] | {"length": len(body)}, body)

    def layers(self) -> list[dict[str, int]]:
        """Fields of the LAYER records, whole ones."""
        (place, *_) = [*self.of_kind(Section.LAYERS), None]
        if place is None:
            return []
        body = self.sections[place][1]
        whole = body[: len(body) // LAYER.beats * LAYER.beats].reshape(-1, LAYER.beats)
        return [dict(LAYER.parse(record)) for record in whole]

    def set_layers(self, layers: Sequence[dict[str, int]]) -> None:
        """Write the LAYER records anew."""
        places = self.of_kind(Section.LAYERS)
        if places and layers:
            self.set_body(places[0], np.concatenate([LAYER.build(**each) for each in layers]))


#: Changes a load in place, and says in its story what it did.
Way = Callable[[random.Random, LoadUnderChange], None]
