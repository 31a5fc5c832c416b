"""Random sequences, and faults in the middle of them, on the emulated board.

What the driver must give is the integer reference of the whole sequence, however it is cut into
calls; and what was cut off must not be gone on with.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from eie.hls.boundary.errors import DeviceError
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packer import pack
from eie.host.protocol.responses import AnswerError

# The folders of tests are no packages: what their programs share is found beside them.
sys.path.insert(0, str(Path(__file__).parents[1] / "network"))
sys.path.insert(0, str(Path(__file__).parent))

from network_graphs import Builder
from soak_board import FAULTS, SoakedBoard
from whole_sequences import whole_sequences

#: With three lanes for the largest network, and with more.
DESIGNS = (
    Design(pes=4, held_activations=128, cell_units=1, board="zcu104"),
    Design(pes=8, held_activations=512, cell_units=4, length_bits=6, board="zcu104"),
)
INPUTS, UNITS, OUTPUTS = 5, 7, 3
SEQUENCES, LONGEST = 12, 24
#: Beats of a request at most, that faults are spread over; a shorter one is damaged as well.
BEATS = 40
#: Recurrent layers of the networks.
STACKS = (("lstm",), ("gru",), ("lstm", "gru"))


class SequencePool:
    """A recurrent network, with sequences and what they must give."""

    def __init__(self, design: Design, kinds: tuple[str, ...], seed: int) -> None:
        builder = Builder(INPUTS, seed, input_frac=10)
        for kind in kinds:
            builder.chain(UNITS, None, activation=kind, sum_frac=22, shift=11, magnitude=3000)
        builder.chain(OUTPUTS, None, sum_frac=22, shift=11)
        self.network: Network = builder.network()
        random = np.random.default_rng(seed)
        self.inputs = [
            random.integers(-3000, 3000, (length, INPUTS)).astype(np.int16)
            for length in random.integers(1, LONGEST, SEQUENCES)
        ]
        self.outputs = whole_sequences(self.network, design, self.inputs).outputs
        self.lanes = pack(self.network, design).held.lanes
        # Long enough to be cut in two.
        self.long = [number for number, each in enumerate(self.inputs) if len(each) > 4]


class SequenceSoak(SoakedBoard):
    """Sequences on a board."""

    pool: SequencePool

    def __init__(self, design: Design, seed: int) -> None:
        super().__init__(design, seed)
        self.pools = [SequencePool(design, kinds, seed + n) for n, kinds in enumerate(STACKS)]
        #: Sequences that can be continued, and how many of their steps were taken.
        self.begun: list[int] = []
        self.taken: list[int] = []

    def run(self, rounds: int) -> Counter[str]:
        """Run rounds."""
        actions = {
            self.begin: 0.2,
            self.go_on: 0.35,
            self.stream: 0.1,
            self.many: 0.05,
            self.load: 0.05,
            self.used_by_another: 0.05,
            self.fault: 0.15,
            self.fault_in_stream: 0.05,
        }
        with self.board, self.opened():
            self.load()
            for action in self.random.choice(list(actions), rounds, p=list(actions.values())):
                action()
        return self.counts

    def short_run(self) -> None:
        self.accelerator.run(self.pool.inputs[self.pool.long[0]])

    def begin(self) -> None:
        """Begin as many sequences as there are lanes, or fewer."""
        most = min(self.pool.lanes, len(self.pool.long))
        count = int(self.random.integers(1, most + 1))
        self.begun = self.random.choice(self.pool.long, count, replace=False).tolist()
        self.taken = [0] * count
        self._take(keep=False)
        self.counts["sequences begun"] += count

    def go_on(self) -> None:
        """Continue them; or, where there are none, be refused."""
        if not self.begun:
            self.refused()
            self.begin()
        self._take(keep=True)
        self.counts["calls that continued sequences"] += 1

    def _take(self, *, keep: bool) -> None:
        """Take some more steps of each: none of what has ended, at least one of one that begins."""
        parts, wanted = [], []
        for place, number in enumerate(self.begun):
            start, end = self.taken[place], len(self.pool.inputs[number])
            stop = int(self.random.integers(start if keep else 1, end + 1))
            parts.append(self.pool.inputs[number][start:stop])
            wanted.append(self.pool.outputs[number][start:stop])
            self.taken[place] = stop
        found = self.accelerator.run(parts, outputs="all", keep_state=keep)
        for mine, theirs in zip(found, wanted, strict=True):
            self.check(mine, theirs)

    def refused(self) -> None:
        """What would go on from a lost state is an error."""
        step = self.pool.inputs[0][:1]
        try:
            self.accelerator.run([step], outputs="all", keep_state=True)
        except DeviceError:
            self.counts["refused: a state that is lost"] += 1
        else:
            raise AssertionError("a lost state was gone on with")

    def lost(self) -> None:
        """The sequences are gone: no call goes on with them, and new ones are right."""
        self.begun = []
        self.refused()
        self.begin()

    def stream(self) -> None:
        """Stream a sequence; the others may lose their lane by it, so they are begun anew."""
        number = int(self.random.choice(self.pool.long))
        found = list(self.accelerator.stream(self.pool.inputs[number]))
        self.check(np.stack(found), self.pool.outputs[number])
        self.counts["streams"] += 1
        self.begin()

    def many(self) -> None:
        """More sequences than lanes: right, but not to be continued."""
        found = self.accelerator.run(self.pool.inputs, outputs="all")
        for mine, theirs in zip(found, self.pool.outputs, strict=True):
            self.check(mine, theirs)
        self.counts["calls with all sequences"] += 1
        if self.pool.lanes < SEQUENCES:
            self.lost()
        else:
            self.begin()

    def load(self) -> None:
        """Load a network, the same one perhaps, in mid-sequence."""
        self.pool = self.pools[self.random.integers(len(self.pools))]
        self.accelerator.load(self.pool.network)
        self.counts["loads"] += 1
        self.lost()

    def used_by_another(self) -> None:
        """An untagged run that the driver does not see ends all states: the kernel says so."""
        if not self.begun:
            self.begin()
        codes = self.pool.inputs[self.pool.long[0]]
        packed = self.accelerator._plan.passes[0].packed
        self.accelerator._link.run(packed, codes)
        steps = [each[:1] for each in (self.pool.inputs[number] for number in self.begun)]
        try:
            self.accelerator.run(steps, outputs="all", keep_state=True)
        except AnswerError as error:
            assert "NO_STATE" in str(error), error
            self.counts["refused: NO_STATE"] += 1
        else:
            raise AssertionError("a state that is not there was gone on with")
        self.lost()

    def fault(self) -> None:
        """Break off a run that continues sequences."""
        if not self.begun:
            self.begin()
        name = self._chosen()
        steps = [self.pool.inputs[number][-3:] for number in self.begun]
        self._surfaces(name, lambda: self.accelerator.run(steps, outputs="all", keep_state=True))
        self.lost()

    def fault_in_stream(self) -> None:
        """Break off a stream at a step, which must not go on then."""
        number = int(self.random.choice(self.pool.long))
        inputs, outputs = self.pool.inputs[number], self.pool.outputs[number]
        stream = self.accelerator.stream(inputs)
        for step in range(int(self.random.integers(1, len(inputs) - 1))):
            self.check(next(stream)[None], outputs[step : step + 1])
        name = self._chosen()
        self._surfaces(name, lambda: next(stream), "in a stream")
        try:
            next(stream)
        except DeviceError:
            self.counts["refused: a stream that was broken off"] += 1
        else:
            raise AssertionError("a stream went on that was broken off")
        self.lost()

    def inject(self, name: str) -> None:
        """Damage a request anywhere: behind steps that the kernel has taken by then, too."""
        super().inject(name)
        if name == "request cut short":
            self.board.faults.truncate_request = int(self.random.integers(1, BEATS))
        elif name == "request with a bit inverted":
            self.board.faults.flip_request_bit = int(self.random.integers(0, BEATS * 64))

    def _chosen(self) -> str:
        name = str(self.random.choice(list(FAULTS)))
        self.inject(name)
        return name

    def _surfaces(self, name: str, call, where: str = "in a continued run") -> None:
        try:
            call()
        except DeviceError as error:
            assert isinstance(error, FAULTS[name]), f"{name} surfaced as {error!r}"
            self.counts[f"fault {where}: {name}"] += 1
        else:
            raise AssertionError(f"{name} did not surface")


def soak_sequences(rounds: int, seed: int) -> Counter[str]:
    """Run `rounds` rounds, spread over the designs; raises if anything is lost or wrong."""
    total: Counter[str] = Counter()
    for number, design in enumerate(DESIGNS):
        share = rounds // len(DESIGNS) + (number < rounds % len(DESIGNS))
        total += SequenceSoak(design, seed + number).run(share)
    total["rounds"] = rounds
    return total
