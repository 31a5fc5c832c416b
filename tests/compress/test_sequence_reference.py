"""The torch reference of sequences against numpy: the cell over every code, networks by steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.spec import cell
from eie.hls.spec.fixed_point import write_back
from eie.host.compress import torch_cell
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.network import Layer, Network
from eie.host.network.sequence_state import SequenceState
from eie.host.protocol.lane_states import LaneStates
from eie.host.protocol.sequence_run import run_sequences
from eie.host.protocol.sequences import Schedule

Codes = npt.NDArray[np.int16]


class Oracle:
    """Another engine: numpy, the contract's cell, and a memory for each lane."""

    def __init__(self, network: Network, lanes: int = 3) -> None:
        self._network = network
        self._matrices = [layer.dense_weights().astype(np.int64) for layer in network.layers]
        self._lanes: list[dict[int, tuple[Codes, npt.NDArray[np.int32]]] | None] = [None] * lanes
        #: Vectors that were sent.
        self.vectors = 0

    def send(self, vectors: Codes, steps: Schedule) -> Codes:
        """Take the vectors of a tagged run, as :data:`eie.host.protocol.sequence_run.Send`."""
        self.vectors += len(vectors)
        given = []
        for place, vector in enumerate(vectors):
            lane = int(steps.tags.lanes[place])
            if steps.tags.starts[place]:
                self._lanes[lane] = {}
            state = self._lanes[lane]
            assert state is not None, "a step goes on from a state that is not there"
            outputs = self._step(vector, state)
            if steps.tags.outputs[place]:
                given.append(outputs)
        return np.array(given, np.int16).reshape(-1, self._network.outputs)

    def _step(self, vector: Codes, state: dict[int, tuple[Codes, npt.NDArray[np.int32]]]) -> Codes:
        results: dict[int | None, Codes] = {-1: vector, None: vector}
        sums: npt.NDArray[np.int64] | int = 0
        for index, layer in enumerate(self._network.layers):
            if layer.source == index:
                nothing = np.zeros(layer.results, np.int16), np.zeros(layer.results, np.int32)
                before, memory = state.get(index, nothing)
                taken = before
            else:
                taken = results[layer.source]
            sums = sums + self._matrices[index] @ taken.astype(np.int64)
            if layer.accumulate:
                continue
            codes = write_back(sums + layer.bias, layer.write_back)
            sums = 0
            if layer.source == index:
                gates = codes.reshape(4, -1).T
                step = cell.lstm_step if layer.activation == "lstm" else cell.gru_step
                state[index] = step(gates, memory)
                codes = state[index][0]
            elif layer.activation in ("sigmoid", "tanh"):
                codes = getattr(cell, layer.activation)(codes)
            results[index] = results[None] = codes
        return results[None]


def _layer(random, name: str, rows: int, columns: int, **more: object) -> Layer:
    codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < 0.4)
    codebook = np.concatenate([[0], random.integers(-9000, 9000, 15)]).astype(np.int16)
    bias = random.integers(-(1 << 20), 1 << 20, rows) * (not more.get("accumulate"))
    return Layer.from_dense_codes(
        name, codes.astype(np.uint8), codebook=codebook, bias=bias, **more
    )


def recurrent_network(seed: int, kinds: tuple[str, ...], inputs: int = 5) -> Network:
    """A Linear with tanh, recurrent layers of some sizes, and a Linear."""
    random = np.random.default_rng(seed)
    width = int(random.integers(1, 7))
    layers = [_layer(random, "in", width, inputs, activation="tanh", input_frac=10,
                     weight_frac=12, output_frac=15)]  # fmt: skip
    for number, kind in enumerate(kinds):
        units = int(random.integers(1, 6))
        layers.append(
            _layer(random, f"{number}.ih", 4 * units, width, input_frac=15, weight_frac=10,
                   output_frac=25, accumulate=True)
        )  # fmt: skip
        index = len(layers)
        layers.append(
            _layer(random, f"{number}.hh", 4 * units, units, activation=kind, input_frac=15,
                   weight_frac=10, output_frac=15, source=index)
        )  # fmt: skip
        width = units
    layers.append(_layer(random, "out", 3, width, input_frac=15, weight_frac=12, output_frac=11))
    return Network(tuple(layers))


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_functions_are_the_contract_s_on_every_code(name: str) -> None:
    sums = np.arange(-32768, 32768).astype(np.int16)
    found = getattr(torch_cell, name)(torch.from_numpy(sums.astype(np.int64)))
    np.testing.assert_array_equal(found.numpy(), getattr(cell, name)(sums))


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_cells_are_the_contract_s(kind: str) -> None:
    random = np.random.default_rng(1)
    gates = random.integers(-32768, 32768, (200_000, 4)).astype(np.int16)
    gates[::2] //= 16  # where functions are not flat
    limit = 1 << (23 if kind == "lstm" else 22)
    states = random.integers(-limit, limit, 200_000).astype(np.int32)
    states[:1000] = limit - 1
    states[1000:2000] = -limit
    found = getattr(torch_cell, f"{kind}_step")(
        torch.from_numpy(gates.T.astype(np.int64)), torch.from_numpy(states.astype(np.int64))
    )
    for mine, theirs in zip(found, getattr(cell, f"{kind}_step")(gates, states), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.sampled_from(["lstm", "gru"]), min_size=1, max_size=3),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    last=st.booleans(),
)
def test_networks_give_what_they_give_step_by_step(
    seed: int, kinds: list[str], lengths: list[int], last: bool
) -> None:
    network = recurrent_network(seed, tuple(kinds))
    random = np.random.default_rng(seed)
    sequences = [random.integers(-9000, 9000, (each, 5)).astype(np.int16) for each in lengths]
    engine, states = Oracle(network), LaneStates(3)
    found = run_sequences(states, sequences, engine.send, last=last, keep=False)
    wanted = SequenceReference(network)(sequences).outputs
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs[-1:] if last else theirs)


def test_a_state_that_is_given_goes_on_where_a_sequence_was() -> None:
    network = recurrent_network(3, ("lstm", "gru"))
    random = np.random.default_rng(3)
    sequences = [random.integers(-9000, 9000, (each, 5)).astype(np.int16) for each in (7, 4)]
    reference = SequenceReference(network)
    whole = reference(sequences)
    first = reference([each[:3] for each in sequences])
    second = reference([each[3:] for each in sequences], first.state)
    for number in range(2):
        np.testing.assert_array_equal(
            np.concatenate([first.outputs[number], second.outputs[number]]), whole.outputs[number]
        )
    # As real numbers, which hold the codes exactly.
    state = first.state
    h = [each / 2**15 for each in state.results]
    c = [state.cells[0] / 2**18, np.zeros_like(h[1])]
    again = SequenceState.of_reals(network, h, c)
    np.testing.assert_array_equal(again.results[0], state.results[0])
    np.testing.assert_array_equal(again.cells[0], state.cells[0])
    with pytest.raises(InputError, match=r"h of layer '1\.hh' must be finite numbers of shape"):
        SequenceState.of_reals(network, [h[0], h[1][:, :-1]], c)
