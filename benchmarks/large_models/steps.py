"""One large model through all steps, each measured: ``python -m benchmarks.large_models.steps``.

Meant for a process of its own, whose memory is the model's alone. Standard output has a JSON
object for each step; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import eie
from benchmarks.paper.layers import LAYERS, PaperLayer
from eie.host.cli.progress import showing

__all__ = ["MODELS", "Step", "inputs", "layers_of", "model", "run"]

#: Models by the names of the paper's layers.
MODELS = {"alexnet": "Alex", "vgg16": "VGG"}
#: Vectors that calibrate, and that are emulated; those of the golden vectors come on top.
CALIBRATION, EMULATED = 64, 8

Step = dict[str, Any]


def layers_of(name: str, divisor: int = 1) -> list[PaperLayer]:
    """Give the three classifier layers of a model, with the paper's densities."""
    found = [layer for layer in LAYERS if layer.name.startswith(f"{MODELS[name]}-")]
    return [layer.shrunk(divisor) for layer in found]


def model(layers: Sequence[PaperLayer], seed: int = 0) -> nn.Sequential:
    """Make the layers with seeded weights of He's distribution, and ReLU between them."""
    torch.manual_seed(seed)
    modules: list[nn.Module] = []
    for layer in layers:
        linear = nn.utils.skip_init(nn.Linear, layer.inputs, layer.outputs)
        with torch.no_grad():
            linear.weight.normal_(0.0, (2.0 / layer.inputs) ** 0.5)
            linear.bias.normal_(0.0, 0.01)
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def inputs(layers: Sequence[PaperLayer], vectors: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Make inputs as a ReLU leaves them, with the paper's share of non-zero ones."""
    random = np.random.default_rng(seed)
    shape = vectors, layers[0].inputs
    values = np.abs(random.normal(size=shape))
    return (values * (random.random(shape) < layers[0].activation_density)).astype(np.float32)


def run(name: str, board: str, *, divisor: int = 1) -> Iterator[Step]:
    """Make, compress, fit, emulate, save and load a model, and measure each.

    Parameters
    ----------
    name
        In :data:`MODELS`.
    board
        Of the design; the model takes as many passes as it must.
    divisor
        Of inputs and outputs, for a quick run.

    Yields
    ------
    dict
        ``step``, ``seconds``, ``cpu_seconds``, ``peak_bytes`` of the process during the step, and
        what was found.

    Raises
    ------
    AssertionError
        If the emulator's outputs are not the torch integer reference's, or the file's network is
        another.
    """
    layers = layers_of(name, divisor)
    with _measured("make") as step:
        made = model(layers)
        x = inputs(layers, CALIBRATION)
        step["parameters"] = sum(each.numel() for each in made.parameters())
    yield step
    with _measured("compress") as step:
        densities = {f"{2 * place}": layer.weight_density for place, layer in enumerate(layers)}
        network = eie.compress(made, density=densities, calibration=x)
        step["weights"] = sum(layer.nonzeros for layer in network.layers)
    yield step
    del made
    with _measured("fit") as step:
        fitted = eie.fit(network, board, passes=True)
        passes = fitted.in_passes
        step |= {"pes": fitted.design.pes, "passes": passes[0].passes if passes else 1}
    yield step
    with _measured("emulate") as step:
        codes = np.concatenate([network.golden_inputs, eie.quantize_inputs(network, x[:EMULATED])])
        result = eie.emulate(network, fitted.design, codes)
        golden = result.outputs[: len(network.golden_outputs)]
        assert np.array_equal(golden, network.golden_outputs), "emulator and reference differ"
        assert result.report is not None
        step |= {"vectors": len(codes), "cycles": result.report.total_cycles}
    yield step
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        with _measured("save and load") as step:
            network.save(path)
            assert eie.Network.load(path) == network, "what was saved is another network"
            step["file_bytes"] = path.stat().st_size
    yield step


@contextmanager
def _measured(name: str) -> Iterator[Step]:
    """Measure what is done inside the ``with`` statement."""
    found: Step = {"step": name}
    _forget_peak()
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield found
    found["seconds"] = round(time.perf_counter() - wall, 2)
    found["cpu_seconds"] = round(_cpu_seconds() - cpu, 2)
    found["peak_bytes"] = _peak_bytes()


def _cpu_seconds() -> float:
    """Of this process and of those that it waited for, such as compilers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _forget_peak() -> None:
    """Begin a new peak where the kernel can (Linux); else the peak is that of all steps so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the steps of one model as JSON, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--board", required=True)
    parser.add_argument("--divisor", type=int, default=1)
    options = parser.parse_args(arguments)
    # Of random weights that are pruned in one go, and that a board's memory is too small.
    warnings.simplefilter("ignore", eie.EieWarning)
    steps = run(options.name, options.board, divisor=options.divisor)
    while True:
        with showing(options.name):
            step = next(steps, None)
        if step is None:
            return 0
        print(json.dumps(step), flush=True)


if __name__ == "__main__":
    sys.exit(main())
