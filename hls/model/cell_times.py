"""Time in the process of functions: when words of results leave it.

The loops of ``templates/kernel/cell.h`` in the time of :mod:`eie.hls.model.fifo_times`: an
iteration a cycle. A word of a layer without a function is passed on in a cycle; of any other it
takes as many as ``cell_units`` units have turns in it, and a unit is four of its sums. What comes
out of it is a word for each that came in, or for recurrent layers one for every four.
"""

from __future__ import annotations

from collections.abc import Callable

from eie.hls.model.fifo_times import Stream
from eie.hls.spec.cell import GATES
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD, Function

__all__ = ["Cell"]

_STREAM_DEPTH = DEPTHS["stream"].elements


class Cell:
    """The process, between the gather tree and ``collect``.

    For each command: :meth:`begin`, then :meth:`take_word` for each word that the PEs send. What
    it writes must be read from :attr:`words` and :attr:`commands` meanwhile.

    Parameters
    ----------
    units
        ``Design.cell_units``: 1, 2 or 4.
    """

    def __init__(self, units: int) -> None:
        self._steps_of_function = ACTIVATIONS_PER_WORD // (GATES * units)
        self._at = 0
        #: Words for the collector, and its commands.
        self.words = Stream(_STREAM_DEPTH)
        self.commands = Stream(_STREAM_DEPTH)
        self._steps = self._words_in_one = 1
        self._taken = self._expected = self._gone = self._keep = 0

    def begin(self, commands: Stream, function: Function, words: int, keep: int) -> None:
        """Take the next command, and pass the collector's on.

        Parameters
        ----------
        commands
            Where it comes from.
        function
            The layer's.
        words
            Words that the PEs send; 0 at the end of a run.
        keep
            Words that the collector gets.
        """
        self._at = self.commands.write(commands.read(self._at)) + 1
        self._steps = 1 if function is Function.LINEAR else self._steps_of_function
        self._words_in_one = GATES if function in (Function.LSTM, Function.GRU) else 1
        self._taken, self._expected = 0, words
        self._gone, self._keep = 0, keep

    def take_word(self, read: Callable[[int], int]) -> bool:
        """Take the layer's next word through.

        Parameters
        ----------
        read
            Reads the word from where it comes, in a cycle or as soon as it is there; returns when.

        Returns
        -------
        bool
            Whether a word went to the collector, which is to read it before the next one is taken.
        """
        # All iterations but the last of a word do nothing that others see.
        self._at = read(self._at) + self._steps - 1
        self._taken += 1
        whole = self._taken % self._words_in_one == 0 or self._taken == self._expected
        goes = whole and self._gone < self._keep
        if goes:
            self._at = self.words.write(self._at)
        self._gone += whole
        self._at += 1
        return goes
