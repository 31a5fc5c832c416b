"""The networks from which mutated ones are made: small, and of every kind."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from functools import cache

import numpy as np
from network_graphs import Builder

from eie.host.network import Layer, Network
from eie.host.network.example_networks import lstm_network, residual_network


def make_network(
    dice: random.Random,
    sizes: tuple[int, ...],
    *,
    density: float = 0.3,
    magnitude: int = 900,
    fracs: tuple[int, ...] = (),
    golden: int = 0,
) -> Network:
    """Make a valid network.

    Parameters
    ----------
    dice
        Where its weights come from.
    sizes
        Inputs, hidden layers and outputs.
    density
        Share of the weights that are there.
    magnitude
        Largest weight.
    fracs
        Fraction bits of the inputs and of each layer's outputs; 8 without.
    golden
        Number of golden vectors.
    """
    numbers = np.random.default_rng(dice.getrandbits(64))
    fracs = fracs or (8,) * len(sizes)
    layers = []
    for number, (columns, rows) in enumerate(itertools.pairwise(sizes)):
        codes = numbers.integers(1, 16, (rows, columns))
        codes *= numbers.random((rows, columns)) < density
        codebook = numbers.integers(-magnitude, magnitude + 1, 16).astype(np.int16)
        codebook[0] = 0
        reads, writes = fracs[number : number + 2]
        layers.append(
            Layer.from_dense_codes(
                f"layers.{number}",
                codes.astype(np.uint8),
                codebook=codebook,
                bias=numbers.integers(-(magnitude**2), magnitude**2 + 1, rows),
                activation=dice.choice(("relu", "none")),
                input_frac=reads,
                # A shift of 0 to 13 bits.
                weight_frac=min(31, max(-16, writes - reads + dice.choice((0, 6, 12, 13)))),
                output_frac=writes,
            )
        )
    return Network(
        tuple(layers),
        numbers.integers(-900, 900, (golden, sizes[0])).astype(np.int16),
        numbers.integers(-900, 900, (golden, sizes[-1])).astype(np.int16),
        {"model": "fuzz ½", "": ""} if golden else {},
    )


def _with_activity(network: Network) -> Network:
    """The activity of the first layer, from never to always."""
    first, *rest = network.layers
    share = np.linspace(0, 1, first.columns, dtype=np.float32)
    return replace(network, layers=(replace(first, activity=share), *rest))


def _recurrent() -> Network:
    """An LSTM of more units than a word has, and a GRU on it."""
    builder = Builder(5, 4)
    builder.chain(18, None, activation="lstm")
    builder.chain(3, None, activation="gru")
    return builder.network()


@cache
def seed_networks() -> tuple[Network, ...]:
    """Give the seeds; the same in every process."""
    dice = random.Random("network seeds")
    return (
        make_network(dice, (9, 7, 5)),
        make_network(dice, (1, 1), density=1.0, golden=1),
        make_network(dice, (17, 20, 4), golden=3),
        make_network(dice, (12, 3, 16, 2), density=0.6, fracs=(4, 10, -2, 6)),
        make_network(dice, (30, 24), density=0.05),
        make_network(dice, (5, 6), density=0.0, golden=2),
        make_network(dice, (8, 8, 8), magnitude=32767, density=0.5),
        make_network(dice, (24, 33, 1), density=0.2, fracs=(-16, 0, 15)),
        replace(
            make_network(dice, (11, 6, 3), golden=2),
            feature_fracs=np.array([-96, -20, 0, 7, 8, 9, 13, 31, 60, 90, 96]),
        ),
        _with_activity(make_network(dice, (10, 14, 6), golden=1)),
        residual_network((9, 6, 4), 1),
        replace(residual_network((5, 7, 3), 2), feature_fracs=np.arange(5)),
        lstm_network((4, 3, 2), 3),
        _recurrent(),
    )
