"""Time in the receiver, and of what a run's packet brings: tags and words of input vectors."""

from __future__ import annotations

from eie.hls.model.fifo_times import Stream
from eie.hls.model.resident_network import Tags
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, ACTIVATIONS_PER_WORD

__all__ = ["Inputs"]


class Inputs:
    """The receiver, and the stream to ``control_activations``.

    Parameters
    ----------
    time
        Cycle in which the receiver begins with the vectors.
    tags
        Those of the run, or None.
    """

    def __init__(self, time: int, tags: Tags | None) -> None:
        self._receive_at = time
        self._stream = Stream(DEPTHS["input"].elements)
        self._tags = tags
        #: Vectors, or groups of them, that have begun.
        self.begun = 0
        # Vectors whose tags were read, and from which cycle on the last one counts.
        self._known = self._known_at = 0

    def begins_at(self, activations: int) -> int:
        """Give the first cycle in which the next vector, of so many `activations`, may begin."""
        self._receive_word(activations, first=True)
        return max(self._readable(), self._known_at)

    def read_word(self, time: int, activations: int, *, first: bool) -> int:
        """Read a word with so many activations in cycle `time` or as soon as it is there."""
        self._receive_word(activations, first=first)
        return self._stream.read(time)

    def is_known(self, back: int | None, time: int) -> bool:
        """Whether the next vector's tag is read before what comes back in cycle `back`.

        ``control_activations`` has come to cycle `time`.
        """
        if self._tags is None or self._known > self.begun:
            return True
        self._receive_tag()
        at = max(self._readable(), time)
        if back is not None and back < at:
            return False
        self._read_tag(at)
        return True

    def poll_tag(self, time: int) -> None:
        """An iteration that takes no word of the packet takes the next tag, if it is there."""
        tags = self._tags
        if tags is None or self._known > self.begun or self.begun == len(tags.lanes):
            return
        self._receive_tag()
        if self._readable() <= time:
            self._read_tag(time)

    def _readable(self) -> int:
        readable = self._stream.readable()
        assert readable is not None
        return readable

    def _read_tag(self, time: int) -> None:
        self._stream.read(time)
        self._known, self._known_at = self.begun + 1, time + 1

    def _receive_tag(self) -> None:
        """The receiver passes a tag on, unless it has."""
        if self._stream.readable() is None:
            self._receive_at = self._stream.write(self._receive_at) + 1

    def _receive_word(self, activations: int, *, first: bool) -> None:
        """The receiver puts beats together to a word, unless the first word is there already."""
        if first and self._stream.readable() is not None:
            return
        self._receive_at += -(-min(activations, ACTIVATIONS_PER_WORD) // ACTIVATIONS_PER_BEAT) - 1
        self._receive_at = self._stream.write(self._receive_at) + 1
