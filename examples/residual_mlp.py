"""Digits through a residual block: what skips two layers is held on the chip and added to them.

Run as ``python examples/residual_mlp.py``; a minute. The digits come with scikit-learn. The network
is 64-128, a block 128-128-128 around which its input goes, and 128-10; `eie.retrain` leaves a
fifth of the weights. The sum is two layers on the accelerator that share their sums: the block's
last matrix, and the identity of what was held.
"""

from __future__ import annotations

import torch
from outcome import BOARD, Outcome, measured
from torch import nn

import eie
from eie.host.retrain.datasets import load_digits

WIDTH, DENSITY, EPOCHS = 128, 0.2, 40
SCHEDULE = eie.Schedule(prunings=3, epochs=15, last_epochs=25, codebook_epochs=10)


class ResidualMLP(nn.Module):
    """A Linear, a block with a connection around it, and a Linear."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, WIDTH)
        self.inner = nn.Linear(WIDTH, WIDTH)
        self.outer = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, 10)

    def forward(self, digits: torch.Tensor) -> torch.Tensor:
        """Scores, shape (n, 10), of digits, shape (n, 64)."""
        taken = torch.relu(self.first(digits))
        block = self.outer(torch.relu(self.inner(taken)))
        scores: torch.Tensor = self.last(torch.relu(block + taken))
        return scores


def train_step(model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
    """Loss of a batch, with some noise on its inputs."""
    digits, labels = batch
    return nn.functional.cross_entropy(model(digits + 0.05 * torch.randn_like(digits)), labels)


def main(seed: int = 0, epochs: int = EPOCHS, schedule: eie.Schedule = SCHEDULE) -> Outcome:
    """Train, retrain, convert, compare all engines, and measure on the test digits."""
    torch.set_num_threads(1)  # matrices of this size take longer on several
    torch.manual_seed(seed)
    data = load_digits(seed)
    digits, labels = torch.from_numpy(data.train_inputs), torch.from_numpy(data.train_labels)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(digits, labels), batch_size=64, shuffle=True
    )

    def accuracy(model: nn.Module) -> float:
        scores = model(torch.from_numpy(data.test_inputs))
        return float((scores.argmax(1) == torch.from_numpy(data.test_labels)).double().mean())

    model = ResidualMLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            train_step(model, batch).backward()
            optimizer.step()

    found = eie.retrain(
        model,
        train_step,
        loader,
        evaluate=accuracy,
        calibration=digits,
        density=DENSITY,
        schedule=schedule,
        board=BOARD,
        seed=seed,
    )
    print(found)
    acc = eie.convert(found.part, keep_weights=True, calibration=found.calibration, board=BOARD)
    return measured(
        "residual MLP",
        acc,
        data.test_inputs,
        data.test_labels,
        found.reports[0].accuracy,
        network=f"64-{WIDTH}, block {WIDTH}-{WIDTH}-{WIDTH}, {WIDTH}-10",
        model=found.model,
    )


if __name__ == "__main__":
    print(main())
