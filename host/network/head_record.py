"""Which part of a model a network is, where the rest of it stays on the host.

``metadata["head"]`` is a :class:`HeadRecord` as JSON. It needs neither torch nor the model, so that
a board knows that its inputs are what the host's part gives.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from eie.hls.boundary.errors import NetworkFileError
from eie.hls.boundary.text import shown
from eie.host.network.input_shape import shape_text

__all__ = ["HEAD", "HOST_FILES", "HeadRecord"]

#: Where a network's metadata has its record.
HEAD = "head"
#: Names of what the host does before and behind the network, beside the network's file.
HOST_FILES = ("host.pt2", "host-behind.pt2")


class _WithMetadata(Protocol):
    """A network, of which the record needs the texts alone."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """As the network's."""


@dataclass(frozen=True)
class HeadRecord:
    """What a network has to do with the model that it was cut out of.

    Attributes
    ----------
    input_shape
        Shape of one input of the whole model.
    features
        Shape of what the host's part gives for it, which is what the network takes.
    positions
        Sizes of the axes behind the channels where the network takes each position of `features`
        as a vector; () where `features` is one vector.
    result
        Shape of what the network gives for it.
    outputs
        Shape of one output of the whole model.
    front, behind
        What the host does before and after, in words; empty if nothing.
    digest
        SHA-256 of the host's weights, by which files that do not belong together are told.
    """

    input_shape: tuple[int, ...]
    features: tuple[int, ...]
    positions: tuple[int, ...]
    result: tuple[int, ...]
    outputs: tuple[int, ...]
    front: str
    behind: str
    digest: str

    @property
    def vectors(self) -> int:
        """Vectors that the network takes for one input."""
        return math.prod(self.positions)

    def lines(self) -> list[str]:
        """Say which part of a model the network is, a line each."""
        positions = f", {self.vectors} vectors for each input" if self.vectors > 1 else ""
        before = self.front or "nothing"
        return [
            f"head of a model: before it, on the host with torch, {before} "
            f"({shape_text(self.input_shape)} -> {shape_text(self.features)}{positions})",
            *([f"behind it {self.behind} (-> {shape_text(self.outputs)})"] if self.behind else []),
        ]

    def as_text(self) -> str:
        """Write the record for a network's metadata."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def of(cls, network: _WithMetadata) -> HeadRecord | None:
        """Read a network's record; None of a network that is a whole model.

        Raises
        ------
        NetworkFileError
            If the metadata holds something else in its place.
        """
        text = network.metadata.get(HEAD)
        if text is None:
            return None
        try:
            read = json.loads(text)
            texts = ("front", "behind", "digest")
            fields: dict[str, Any] = {
                each.name: _text(read[each.name]) if each.name in texts else _sizes(read[each.name])
                for each in dataclasses.fields(cls)
            }
            return cls(**fields)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NetworkFileError(
                f"metadata[{HEAD!r}] must be the record of a model that was cut, not {shown(text)}"
            ) from None

    def hint(self) -> str:
        """Say what the network takes, for somebody who gives what the whole model takes."""
        if not self.front:
            return (
                "; the network is the head of a model, and takes each position as a vector"
                if self.positions
                else ""
            )
        return (
            f"; the network is the head of a model whose inputs have shape "
            f"{shape_text(self.input_shape)}: what comes before it ({self.front}) runs on the host "
            "with torch (eie.AcceleratedModel.load of the folder with host.pt2 does both), or give "
            f"what it makes of them, of shape {shape_text(self.features)} each"
        )


def _sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(size) is int and size >= 1 for size in value):
        raise TypeError(value)
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
