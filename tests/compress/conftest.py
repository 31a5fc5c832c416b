"""Models, ways to hand them over, and an integer computation to hold the reference against."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from eie.host.network import Network


class OwnForward(nn.Module):
    """A module with its own forward: functions, views, in-place operations, transposes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(8, 6)
        self.norm = nn.BatchNorm1d(6)
        self.fc2 = nn.Linear(6, 5, bias=False)
        self.fc3 = nn.Linear(5, 4)
        self.last = nn.Parameter(torch.randn(4, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.to(self.last.dtype).view(x.shape[0], -1)
        x = self.norm(self.fc1(x))
        nn.functional.relu_(x)  # its result is not used: only the mutation counts
        x = nn.functional.dropout(self.fc2(x), 0.5, self.training).relu()
        x = torch.addmm(self.fc3.bias, x.reshape(-1, 5), self.fc3.weight.t())
        return torch.relu(x.contiguous()) @ self.last


def _sequential() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.BatchNorm1d(8),
        nn.Linear(8, 6),
        nn.Dropout(),
        nn.ReLU(inplace=True),
        nn.ReLU(),
        nn.Identity(),
        nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 5, bias=False), nn.BatchNorm1d(5)),
        nn.ReLU(),
        nn.Linear(5, 3),
    )


#: Factory, input shape and expected (layer name, ReLU) of each model.
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], list[tuple[str, bool]]]] = {
    "linear": (lambda: nn.Linear(4, 3), (4,), [("linear", False)]),
    "one output": (lambda: nn.Sequential(nn.Linear(4, 1)), (4,), [("0", False)]),
    "no bias": (
        lambda: nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3, bias=False)),
        (4,),
        [("0", True), ("2", False)],
    ),
    "linear after linear": (
        lambda: nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3), nn.ReLU()),
        (4,),
        [("0", False), ("1", True)],
    ),
    "norms between linears": (
        lambda: nn.Sequential(
            nn.Linear(4, 5),
            nn.BatchNorm1d(5),
            nn.BatchNorm1d(5, affine=False),
            nn.Linear(5, 3),
            nn.BatchNorm1d(3),
        ),
        (4,),
        [("0", False), ("3", False)],
    ),
    "norms after relu": (
        lambda: nn.Sequential(
            nn.Linear(4, 5), nn.ReLU(), nn.BatchNorm1d(5), nn.BatchNorm1d(5), nn.Linear(5, 3)
        ),
        (4,),
        [("0", True), ("4", False)],
    ),
    "sequential": (_sequential, (2, 4), [("2", True), ("7.1", True), ("9", False)]),
    "own forward": (
        OwnForward,
        (2, 4),
        [("fc1", True), ("fc2", True), ("fc3", True), ("last", False)],
    ),
}


@dataclass(frozen=True)
class Case:
    model: nn.Module
    #: Shape of one input.
    shape: tuple[int, ...]
    #: Name of each layer, and whether it ends in a ReLU.
    layers: list[tuple[str, bool]]


def _build(name: str) -> Case:
    """Build a model with seeded weights, and BatchNorm statistics unlike the initial ones."""
    factory, shape, layers = MODELS[name]
    torch.manual_seed(1)
    model = factory()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            if part.affine:
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
    return Case(model, shape, layers)


@pytest.fixture(params=list(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    """Every supported form, one after another."""
    return _build(request.param)


@pytest.fixture
def rich() -> Case:
    """The model with the most forms in it."""
    return _build("sequential")


@pytest.fixture
def export() -> Callable[..., torch.export.ExportedProgram]:
    """Exports a model as a user would, decomposed to core ATen when asked for."""

    def _export(
        model: nn.Module,
        shape: tuple[int, ...],
        *,
        batch: int | None = None,
        strict: bool = False,
        decompose: bool = False,
    ) -> torch.export.ExportedProgram:
        dynamic = None if batch else ({0: torch.export.Dim.DYNAMIC},)
        example = torch.zeros(batch or 2, *shape, dtype=next(model.parameters()).dtype)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            program = torch.export.export(model, (example,), dynamic_shapes=dynamic, strict=strict)
            return program.run_decompositions() if decompose else program

    return _export


@pytest.fixture
def shared_model() -> nn.Module:
    """A model of three layers whose weights and biases are multiples of 1/8 from -7/8 to 7/8."""
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 9), nn.ReLU(), nn.Linear(9, 4)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randint(-7, 8, parameter.shape) / 8)
    return model


@pytest.fixture(scope="session")
def integer_outputs() -> Callable[[Network, np.ndarray], np.ndarray]:
    """Outputs of a network in Python integers, from its definition alone."""

    def _outputs(network: Network, inputs: np.ndarray) -> np.ndarray:
        vectors = [[int(code) for code in vector] for vector in inputs]
        for layer in network.layers:
            weights = layer.dense_weights().tolist()
            biases = layer.bias.tolist()
            vectors = [
                [
                    _write_back(
                        sum(w * a for w, a in zip(row, vector, strict=True)) + bias,
                        layer.input_frac + layer.weight_frac - layer.output_frac,
                        layer.activation == "relu",
                    )
                    for row, bias in zip(weights, biases, strict=True)
                ]
                for vector in vectors
            ]
        return np.array(vectors, np.int16).reshape(len(inputs), network.outputs)

    return _outputs


def _write_back(total: int, shift: int, relu: bool) -> int:
    if relu and total < 0:
        total = 0
    # Python's floor division rounds towards minus infinity: so ties go towards plus infinity.
    rounded = (2 * total + 2**shift) // 2 ** (shift + 1)
    return max(-32768, min(32767, rounded))
