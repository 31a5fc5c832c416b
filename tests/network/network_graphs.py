"""Networks whose layers hold and add, random and by name, and what they compute.

``evaluate`` is an oracle of its own: dense products of 64-bit integers and the rules of
docs/decisions/0024-layers-that-hold-and-add.md, written without eie's own code but for the cell.
Any test may import this: ``tests/conftest.py`` puts the folder on the path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from eie.host.network import INPUT, Layer, Network

Codes = npt.NDArray[np.int16]
Wide = npt.NDArray[np.int64]

#: Functions that a design computes without cell units.
LINEAR = ("none", "relu")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network gives for a batch."""

    #: int64, shape (batch, results) for each layer; None for a layer that accumulates.
    results: list[Wide | None]
    #: Results of each layer that 16 bits could not hold, over the batch.
    saturated: list[int]

    @property
    def outputs(self) -> Codes:
        """int16, shape (batch, outputs)."""
        assert self.results[-1] is not None
        return self.results[-1].astype(np.int16)


def evaluate(network: Network, inputs: Codes) -> Evaluation:
    """Take a batch through a network that is not recurrent, every vector by itself."""
    results: list[Wide | None] = []
    saturated = []
    sums: Wide | int = 0
    for index, layer in enumerate(network.layers):
        source = index - 1 if layer.source is None else layer.source
        taken = inputs.astype(np.int64) if source == INPUT else results[source]
        assert taken is not None
        sums = sums + taken @ layer.dense_weights().astype(np.int64).T
        if layer.accumulate:
            results.append(None)
            saturated.append(0)
            continue
        codes, lost = written_back(sums + layer.bias, layer)
        results.append(_function(codes, layer))
        saturated.append(lost)
        sums = 0
    return Evaluation(results, saturated)


def written_back(sums: Wide, layer: Layer) -> tuple[Wide, int]:
    """Codes of sums, before a function with a table, and how many were saturated."""
    tabled = layer.activation in ("sigmoid", "tanh", "lstm", "gru")
    shift = layer.input_frac + layer.weight_frac - (11 if tabled else layer.output_frac)
    whole, rest = np.divmod(sums, 2**shift)
    double = 2 * rest  # of a whole
    up = double > 2**shift
    tie = double == 2**shift
    whole = whole + (up | (tie & (whole % 2 == 1)) if layer.half_even else up | tie)
    if layer.activation == "leaky_relu":
        cut = np.minimum(np.maximum(whole, -32768), 32767)
        leaked = (cut * layer.slope + 32768) // 65536
        return np.where(cut < 0, leaked, cut), int((cut != whole).sum())
    low = 0 if layer.activation == "relu" else layer.low
    lost = int(((whole > 32767) & (layer.high == 32767)).sum())
    lost += int(((whole < -32768) & (low == -32768)).sum())
    return np.minimum(np.maximum(whole, low), layer.high), lost


def _function(codes: Wide, layer: Layer) -> Wide:
    if layer.activation not in ("sigmoid", "tanh"):
        return codes
    from eie.hls.spec import cell

    function: Callable[[Wide], Wide] = getattr(cell, layer.activation)
    return function(codes)


def random_inputs(network: Network, vectors: int, seed: int = 0) -> Codes:
    """Vectors of several kinds in turn: sparse, dense, all zero, at the ends of 16 bits."""
    random = np.random.default_rng(seed)
    kinds = (
        lambda: (
            random.integers(-3000, 3000, network.inputs) * (random.random(network.inputs) < 0.3)
        ),
        lambda: random.integers(-3000, 3000, network.inputs),
        lambda: np.zeros(network.inputs),
        lambda: random.choice([-32768, 32767, 0], network.inputs),
    )
    made = [kinds[number % len(kinds)]() for number in range(vectors)]
    return np.array(made, np.int16).reshape(vectors, network.inputs)


class Builder:
    """Puts a network together, chain by chain."""

    def __init__(self, inputs: int, seed: int, *, input_frac: int = 8) -> None:
        self.random = np.random.default_rng(seed)
        self.layers: list[Layer] = []
        self._inputs, self._input_frac = inputs, input_frac
        self._unused: set[int] = set()

    @property
    def givers(self) -> list[int]:
        """Whose results a layer may hold; INPUT for the network's input."""
        return [INPUT, *(i for i, layer in enumerate(self.layers) if not layer.accumulate)]

    @property
    def unused(self) -> list[int]:
        """Layers but the last whose results no layer takes yet."""
        return sorted(self._unused - {len(self.layers) - 1})

    def size_of(self, giver: int) -> tuple[int, int]:
        """Length and fraction bits of what a layer gives."""
        if giver == INPUT:
            return self._inputs, self._input_frac
        return self.layers[giver].results, self.layers[giver].output_frac

    def chain(
        self,
        rows: int,
        *sources: int | None,
        activation: str = "none",
        sum_frac: int = 18,
        shift: int = 9,
        density: float = 0.4,
        identity: bool = False,
        magnitude: int = 900,
        low: int | None = None,
        high: int | None = None,
        slope: int = 0,
        half_even: bool = False,
    ) -> int:
        """Add layers that take `sources` and share their sums; give the last one's index.

        With `identity` the last of them is one, where lengths and fraction bits allow it. An LSTM
        or a GRU of `rows` units takes its own results besides.
        """
        recurrent = activation in ("lstm", "gru")
        if recurrent:
            sources, rows = (*sources, len(self.layers) + len(sources)), 4 * rows
        tabled = recurrent or activation in ("sigmoid", "tanh")
        for source in sources:
            index = len(self.layers)
            last = source is sources[-1] and index + 1 == self._end(sources)
            giver = index - 1 if source is None else source
            columns, frac = (rows // 4, 15) if giver == index else self.size_of(giver)
            weight_frac = sum_frac - frac
            codes = self._codes(rows, columns, density)
            codebook = self.random.integers(-magnitude, magnitude + 1, 16)
            if last and identity and columns == rows and 0 <= weight_frac <= 14:
                codes = 3 * np.eye(rows, dtype=np.uint8)
                codebook[3] = 1 << weight_frac
            codebook[0] = 0
            bounds = {} if low is None else {"low": low}
            bounds |= {} if high is None else {"high": high}
            ending = {
                "activation": activation,
                "output_frac": 15 if tabled else sum_frac - shift,
                "bias": self.random.integers(-(1 << 18), 1 << 18, rows),
                "slope": slope,
                "half_even": half_even,
                **bounds,
            }
            layer = Layer.from_dense_codes(
                f"layer{index}",
                codes,
                codebook=codebook.astype(np.int16),
                input_frac=frac,
                weight_frac=weight_frac,
                source=source,
                **(ending if last else {"output_frac": sum_frac, "accumulate": True}),
            )
            self._unused.discard(giver)
            self.layers.append(layer)
        self._unused.add(len(self.layers) - 1)
        return len(self.layers) - 1

    def _end(self, sources: Sequence[int | None]) -> int:
        """How many layers there are when the chain that has begun is whole."""
        started = 0
        while started < len(self.layers) and self.layers[-1 - started].accumulate:
            started += 1
        return len(self.layers) - started + len(sources)

    def _codes(self, rows: int, columns: int, density: float) -> npt.NDArray[np.uint8]:
        codes = self.random.integers(1, 16, (rows, columns))
        return (codes * (self.random.random(codes.shape) < density)).astype(np.uint8)

    def network(self) -> Network:
        """Give the network; its golden vectors come from :func:`evaluate` where it can."""
        network = Network(tuple(self.layers))
        if network.recurrent or any(each.activation in ("sigmoid", "tanh") for each in self.layers):
            return network
        inputs = random_inputs(network, 4)
        return Network(tuple(self.layers), inputs, evaluate(network, inputs).outputs)


def _residual(builder: Builder) -> None:
    builder.chain(24, None, activation="relu")
    builder.chain(30, None, INPUT, identity=True, activation="relu")
    builder.chain(7, None)


def _long_residual(builder: Builder) -> None:
    """What is added was held over a whole layer, and is not what arrives."""
    first = builder.chain(30, None, activation="relu")
    builder.chain(40, None, activation="relu")
    builder.chain(30, None, first, identity=True)
    builder.chain(9, None, activation="relu")


def _concatenation(builder: Builder) -> None:
    builder.chain(20, None, activation="relu")
    builder.chain(33, None, INPUT, activation="relu")
    builder.chain(5, None, 0)


def _planes(builder: Builder) -> None:
    """Weights of 8 bits: two matrices on the same inputs."""
    builder.chain(26, None, INPUT, activation="relu", high=900)
    builder.chain(6, None, builder.givers[-1], half_even=True)


def _branches(builder: Builder) -> None:
    stem = builder.chain(22, None, activation="relu")
    one = builder.chain(18, None, activation="relu")
    other = builder.chain(18, stem)
    builder.chain(8, other, one)


def _held_first(builder: Builder) -> None:
    """A chain that begins with held words, while what arrives is held for the one behind."""
    builder.chain(20, None)
    one = builder.chain(17, INPUT, activation="relu")
    builder.chain(12, None, 0)
    builder.chain(4, None, one)


def _bounds(builder: Builder) -> None:
    """Layers that follow one another, with bounds and ties: nothing is held."""
    builder.chain(40, None, activation="relu", high=511, shift=10)
    builder.chain(35, None, low=-200, high=300, half_even=True, shift=9)
    builder.chain(20, None, activation="relu", half_even=True, shift=3)
    builder.chain(6, None, low=-128, high=127, half_even=True, shift=12)


_NAMED: dict[str, Callable[[Builder], None]] = {
    "residual": _residual,
    "long residual": _long_residual,
    "concatenation": _concatenation,
    "planes": _planes,
    "branches": _branches,
    "held first": _held_first,
    "bounds": _bounds,
}
#: Names that :func:`named_network` knows.
NAMED = tuple(_NAMED)


def named_network(name: str, seed: int = 0, *, inputs: int = 30) -> Network:
    """Give a small network of a kind, one of :data:`NAMED`, with golden vectors."""
    builder = Builder(inputs, seed)
    _NAMED[name](builder)
    return builder.network()


@st.composite
def graph_networks(
    draw: st.DrawFn,
    *,
    activations: Sequence[str] = LINEAR,
    widths: tuple[int, int] = (1, 40),
    chains: tuple[int, int] = (1, 4),
) -> Network:
    """Make any network of chains: residuals, concatenations, planes, branches, bounds, ties.

    `activations` may also have "leaky_relu", "sigmoid", "tanh", "lstm" and "gru"; golden vectors
    come with the others alone.
    """
    width = st.integers(*widths)
    builder = Builder(draw(width), draw(st.integers(0, 1000)), input_frac=draw(st.integers(5, 10)))
    count = draw(st.integers(*chains))
    for number in range(count):
        first = None
        others: list[int] = draw(st.lists(st.sampled_from(builder.givers), max_size=2))
        if number == count - 1:
            others = sorted({*others, *builder.unused})
        elif number and draw(st.integers(0, 3)) == 0:
            # What arrives is held, and taken by the last chain at the latest.
            first = draw(st.sampled_from(builder.givers))
        activation = draw(st.sampled_from(activations))
        fields: dict[str, int] = {}
        if activation == "leaky_relu":
            fields["slope"] = draw(st.sampled_from([1, 655, 6554, 32768, 65535]))
        elif activation in LINEAR and draw(st.booleans()):
            fields["high"] = draw(st.sampled_from([0, 6, 127, 1536, 32766]))
            if activation == "none":
                fields["low"] = draw(st.sampled_from([-32767, -1536, -128, -1, 0]))
        rows = draw(width)
        if others and draw(st.booleans()):
            rows = builder.size_of(others[-1])[0]  # so that it can be an identity
        builder.chain(
            rows,
            first,
            *others,
            activation=activation,
            sum_frac=draw(st.integers(14, 20)),
            shift=draw(st.integers(0, 12)),
            density=draw(st.sampled_from([0.0, 0.1, 0.5, 1.0])),
            identity=draw(st.booleans()),
            magnitude=draw(st.sampled_from([20, 900, 32767])),
            half_even=draw(st.booleans()),
            **fields,
        )
    return builder.network()
