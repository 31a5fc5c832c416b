"""Which layers of a vector go out together, and what becomes of what they give.

What ``control_activations`` decides from its layer table (``templates/kernel``), but for when.
"""

from __future__ import annotations

from dataclasses import dataclass

from eie.hls.model.resident_network import ResidentNetwork, RunOrder
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD

__all__ = ["Turn", "TurnPlan", "longest_back"]


@dataclass(frozen=True)
class Turn:
    """A vector's turn: words arrive, and layers that add to the same sums take them."""

    vector: int
    #: The first layer, or the one whose results are only held; and the last.
    layer: int
    last: int
    #: Whether the words come from the packet, how many do, and whether they are held.
    from_packet: bool
    arriving: int
    holds: bool
    #: Whether the words are only held: they are a state, and the vector's last.
    finishes: bool
    #: Whether results go out, and come back.
    out: bool
    back: bool

    @property
    def ends(self) -> bool:
        """Whether the vector ends with it."""
        return self.finishes or not self.back


class TurnPlan:
    """The turns of each vector of a run."""

    def __init__(self, network: ResidentNetwork, order: RunOrder) -> None:
        self._network, self._order = network, order
        self._end = order.first + order.layers - 1
        #: Lanes that vectors have; 0 if nothing is held.
        self.lanes = network.lanes
        last = len(network.layers) - 1
        #: Layers of the network whose results are taken by others.
        self.hidden_layers = sum(not layer.accumulates for layer in network.layers[:last])

    def lane(self, vector: int) -> int:
        """Give the lane of a vector; -1 where there are none."""
        if not self.lanes:
            return -1
        tags = self._order.tags
        return vector % self.lanes if tags is None else int(tags.lanes[vector])

    def behind(self, vector: int, before: int) -> Turn:
        """Give the turn of what layer `before` of a vector gave, or of the vector itself."""
        network, tags = self._network, self._order.tags
        layers = network.layers
        from_packet = before < self._order.first
        if from_packet:
            arriving = words_of(layers[self._order.first].columns)
        else:
            arriving = words_of(layers[before].results)
        hold = layers[before].hold if before >= 0 else network.hold
        gives = True if tags is None else bool(tags.outputs[vector])
        end = self._end if gives else network.last_recurrent
        if not from_packet and before == end:
            return Turn(vector, before, before, False, arriving, True, True, False, False)
        last = before + 1
        while layers[last].accumulates:
            last += 1
        return Turn(
            vector,
            before + 1,
            last,
            from_packet,
            arriving,
            hold is not None,
            False,
            out=gives and last == self._end,
            back=last != end or layers[last].recurrent,
        )


def longest_back(network: ResidentNetwork) -> int:
    """Words of the longest results that come back."""
    *others, last = network.layers
    back = [layer for layer in others if not layer.accumulates]
    back += [last] if last.recurrent else []
    return max((words_of(layer.results) for layer in back), default=0)


def words_of(activations: int) -> int:
    """Words that hold so many activations."""
    return -(-activations // ACTIVATIONS_PER_WORD)
