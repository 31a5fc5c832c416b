import importlib.util
import sys
from pathlib import Path

import pytest

from eie.hls.spec.fixed_point import quantize
from eie.host.compress import TorchReference

SCRIPT = Path(__file__).parents[2] / "examples" / "digits.py"


@pytest.fixture(scope="module")
def digits():
    spec = importlib.util.spec_from_file_location("digits", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["digits"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["digits"]


def test_every_step_keeps_the_accuracy(digits):
    lines: list[str] = []
    result = digits.compress_digits(0, lines.append)
    accuracies = result.accuracies
    assert len(lines) == 4
    assert accuracies.float32 > 0.96
    for step in (accuracies.pruned, accuracies.shared, accuracies.fixed_point):
        assert step > accuracies.float32 - 0.015
    network = result.network
    assert [(layer.rows, layer.columns) for layer in network.layers] == [
        (256, 64),
        (128, 256),
        (10, 128),
    ]
    weights = sum(layer.rows * layer.columns for layer in network.layers)
    assert sum(layer.nonzeros for layer in network.layers) < 0.11 * weights
    codes = TorchReference(network)(quantize(result.inputs, network.input_frac))
    assert (codes.argmax(1) == result.labels).mean() == accuracies.fixed_point
    assert len(network.golden_inputs) == 16
