"""The cycles of each layer of a run."""

from __future__ import annotations

__all__ = ["Shares"]


class Shares:
    """A run's cycles, shared out among its layers.

    Each has those from its first word, in any of the vectors, to the next first word of any layer,
    or to the last output.
    """

    def __init__(self, layers: int) -> None:
        self.cycles = [0] * layers
        self._layer: int | None = None
        self._since = 0

    def begin(self, layer: int | None, cycle: int) -> None:
        """A layer's first word is taken in `cycle`, or with None the run ends."""
        if self._layer is not None:
            self.cycles[self._layer] += cycle - self._since
        self._layer, self._since = layer, cycle
