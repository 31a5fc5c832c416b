"""What is asked of eie for each network file: refuse it, or take exactly what it says."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eie.hls.boundary.errors import DoesNotFitError, EieError
from eie.host.network import Network
from eie.host.packing.packer import pack
from fuzz.mutated_networks import mutated_network
from fuzz.network_seeds import seed_networks
from fuzz.network_writer import is_plain
from fuzz.packet_seeds import one_sequence
from fuzz.twin import Twins
from fuzz.valid_network import ReadNetwork, compute, read_network
from fuzz.verdict import Case, Damaged, Fault, NotValid, Usage, no_crash

_SCALARS = (
    "name", "rows", "columns", "activation", "input_frac", "weight_frac", "output_frac", "low",
    "high", "slope", "half_even", "accumulate", "source",
)  # fmt: skip


class NetworkTarget:
    """Mutated network files.

    Parameters
    ----------
    seed
        Of the campaign.
    folder
        For the files, in memory if possible.
    twins
        Engines that run what is taken.
    load
        What reads a file.
    """

    suffix = ".npz"

    def __init__(
        self,
        seed: int,
        folder: Path,
        twins: Twins,
        load: Callable[[Path], Network] = Network.load,
    ) -> None:
        self._seed, self._twins, self._load = seed, twins, load
        self._file, self._copy = folder / "case.npz", folder / "copy.npz"

    def make(self, number: int) -> Case:
        """Make a case."""
        return mutated_network(random.Random(f"{self._seed} networks {number}"))

    def judge(self, case: Case, number: int) -> str:
        """Load the file; what is taken is saved, loaded, packed and run."""
        self._file.write_bytes(case.data)
        refusal = network = None
        try:
            with no_crash("load"):
                network = self._load(self._file)
        except EieError as error:
            refusal = error
        try:
            expected = read_network(case.data)
        except NotValid as reason:
            if refusal is None and isinstance(reason, Damaged) and network in seed_networks():
                return "accepted, what is damaged does not matter"
            if refusal is None:
                raise Fault("wrong acceptance", reason.cause, f"{reason}") from None
            return f"refused: {type(refusal).__name__}"
        if refusal is not None and not is_plain(case.data, expected):
            return f"refused: {type(refusal).__name__}, and might have been taken"
        if refusal is not None:
            raise Fault("wrong refusal", case.story.split(":")[1].strip(), str(refusal))
        assert network is not None
        _compare(network, expected)
        with no_crash("save"):
            network.save(self._copy)
            again = self._load(self._copy)
        if again != network:
            raise Fault("wrong acceptance", "another network after saving and loading")
        return self._run(network, expected, number)

    def _run(self, network: Network, expected: ReadNetwork, number: int) -> str:
        twin = self._twins[-1 if network.recurrent else number % len(self._twins)]
        numbers = np.random.default_rng(number)
        inputs = numbers.integers(-32768, 32768, (2, network.inputs)).astype(np.int16)
        inputs[0, ::2] = numbers.choice([-32768, 32767, 0, 1], inputs[0, ::2].shape)
        try:
            with no_crash("pack"):
                packed = pack(network, twin.design)
        except DoesNotFitError:
            return "accepted, too large for the engines"
        twin.load(packed)
        steps = one_sequence(len(inputs)) if network.recurrent else None
        outputs = twin.run(packed, inputs, steps)
        if not np.array_equal(outputs, compute(expected, inputs)):
            raise Fault("disagreement", "outputs are not those of the dense reference")
        return "accepted, run and right"

    def reset(self) -> None:
        """Start the engines anew."""
        self._twins.reset()

    def usage(self) -> Usage:
        """What the compiled kernels took."""
        return self._twins.usage()

    def close(self) -> None:
        """End the engines."""
        self._twins.close()


def _compare(network: Network, expected: ReadNetwork) -> None:
    """Hold what eie has read against what the oracle has."""
    for number, (layer, fields) in enumerate(zip(network.layers, expected.layers, strict=True)):
        for name in _SCALARS:
            mine, theirs = getattr(layer, name), fields[name]
            if type(mine) is not type(theirs) or mine != theirs:
                raise Fault("wrong acceptance", f"another {name}", f"{mine!r}, not {theirs!r}")
        if (layer.activity is not None) != (f"layer{number}_activity" in expected.arrays):
            raise Fault("wrong acceptance", "other activity")
        for name, array in layer.arrays().items():
            there = expected.arrays[f"layer{number}_{name}"]
            if array.dtype != there.dtype or not np.array_equal(array, there):
                raise Fault("wrong acceptance", f"other {name}")
    for name in ("golden_inputs", "golden_outputs", "feature_fracs"):
        mine, theirs = getattr(network, name), expected.arrays.get(name)
        if (mine is None) != (theirs is None) or (
            mine is not None and not np.array_equal(mine, theirs)
        ):
            raise Fault("wrong acceptance", f"other {name}")
    if dict(network.metadata) != expected.metadata:
        raise Fault("wrong acceptance", "other metadata")
