"""The sections of a load packet, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.hls.spec.packets import ALL_PES, LAYER, Section, iterate_sections
from eie.hls.spec.record import Beats

__all__ = ["LoadSections"]


@dataclass(frozen=True, eq=False)
class LoadSections:
    """The sections of a load in which all are there, each in its place."""

    #: Fields of the LAYER record of each layer.
    layers: tuple[Mapping[str, int], ...]
    #: int16, shape (layers, 16).
    codebooks: npt.NDArray[np.int16]
    #: uint64 beats with column pointers, for each PE.
    pointers: tuple[Beats, ...]
    #: int64 biases, for each PE.
    biases: tuple[npt.NDArray[np.int64], ...]
    #: uint16 entries with what fills up the last beat, for each PE.
    entries: tuple[npt.NDArray[np.uint16], ...]

    @classmethod
    def parse(cls, design: Design, beats: Beats) -> LoadSections:
        """Take a load's payload behind its NETWORK record apart."""
        found = {
            (fields["section"], fields["pe"]): body for fields, body in iterate_sections(beats)
        }
        records = found[Section.LAYERS, ALL_PES].reshape(-1, LAYER.beats)
        codebooks = found[Section.CODEBOOKS, ALL_PES].view("<i2").reshape(-1, CODEBOOK_SIZE)
        lane = "<u1" if design.entries_per_word == 8 else "<u2"
        pes = range(design.pes)
        return cls(
            layers=tuple(LAYER.parse(record) for record in records),
            codebooks=codebooks.astype(np.int16),
            pointers=tuple(found[Section.POINTERS, pe] for pe in pes),
            biases=tuple(found[Section.BIASES, pe].view("<i8") for pe in pes),
            entries=tuple(
                found[Section.ENTRIES, pe].view(lane).astype(np.uint16, copy=False) for pe in pes
            ),
        )
