"""The built-in examples: a network, its data, and how long it trains."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eie.host.retrain.batches import Batches
from eie.host.retrain.datasets import Dataset, load_digits, load_mnist
from eie.host.retrain.random_state import seeded
from eie.host.retrain.report import Retrained
from eie.host.retrain.retrain import retrain
from eie.host.retrain.schedule import Schedule
from eie.host.retrain.settings import check_densities, check_settings
from eie.host.retrain.threads import one_thread
from eie.host.retrain.training import train
from eie.host.retrain.weights import find_matrices

__all__ = ["TASKS", "Task", "accuracy"]

#: Standard deviation of the noise on digits, and pixels that an image of MNIST is moved by at most.
_NOISE, _SHIFT = 0.03, 2
#: Step size of Adam for the network in real numbers.
_FLOAT_RATE = 2e-3
#: Images that the scan measures by: of the training data, so that test data choose nothing.
_SCANNED = 1000
#: Vectors that outputs are computed of at a time.
_CHUNK = 500


@dataclass(frozen=True)
class Task:
    """A network with its data.

    Attributes
    ----------
    name
        As on the command line.
    text
        What it is.
    make
        Makes the network.
    load
        Loads the data, split by a seed.
    augment
        Changes a batch of training inputs.
    head
        Path of the part for the accelerator; empty for all of it.
    float_epochs
        Epochs of the network in real numbers.
    schedule
        Of the retraining.
    """

    name: str
    text: str
    make: Callable[[], nn.Module]
    load: Callable[[int], Dataset]
    augment: Callable[[torch.Tensor], torch.Tensor]
    head: str
    float_epochs: int
    schedule: Schedule

    def train_step(self, model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> Any:
        """Loss of a batch, with its inputs changed at random."""
        inputs, labels = batch
        return nn.functional.cross_entropy(model(self.augment(inputs)), labels)

    def trained(self, data: Dataset, seed: int = 0) -> nn.Module:
        """Train the network in real numbers."""
        with seeded(seed), one_thread():
            model = self.make()
            train(
                model,
                self.train_step,
                Batches(data.train_inputs, data.train_labels),
                self.float_epochs,
                _FLOAT_RATE,
            )
        return model.eval()

    def check(self, **options: Any) -> None:
        """Check options of :meth:`retrain`, before the network is trained for them.

        Raises
        ------
        InputError
            Naming all that is wrong.
        """
        model = self.make()
        settings = check_settings(model, {}, head=self.head, **options)
        if settings.density is not None:
            check_densities(settings.density, list(find_matrices(model.get_submodule(self.head))))

    def retrain(self, model: nn.Module, data: Dataset, **options: Any) -> Retrained:
        """Call :func:`eie.retrain` with this task's data and schedule; `options` are its own."""
        with one_thread():
            return retrain(
                model,
                self.train_step,
                Batches(data.train_inputs, data.train_labels),
                evaluate=lambda found: accuracy(found, data.test_inputs, data.test_labels),
                scan_evaluate=lambda found: accuracy(
                    found, data.train_inputs[:_SCANNED], data.train_labels[:_SCANNED]
                ),
                calibration=data.train_inputs[:_SCANNED],
                **{"head": self.head, "schedule": self.schedule, **options},
            )


def accuracy(
    model: nn.Module, inputs: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> float:
    """Share of the vectors whose largest output is that of their class."""
    outputs = [model(part).argmax(1) for part in torch.split(torch.from_numpy(inputs), _CHUNK)]
    return float((torch.cat(outputs) == torch.from_numpy(labels)).double().mean())


def _digits_network() -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def _mnist_network() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 300),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(300, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def _lenet5() -> nn.Module:
    """LeNet-5 as in Caffe and in Deep Compression: two convolutions, and a head of two Linears."""
    features = nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )
    head = nn.Sequential(nn.Linear(800, 500), nn.ReLU(), nn.Dropout(0.3), nn.Linear(500, 10))
    return nn.Sequential(OrderedDict(features=features, head=head))


def _with_noise(inputs: torch.Tensor) -> torch.Tensor:
    return inputs + _NOISE * torch.randn_like(inputs)


def _moved(images: torch.Tensor) -> torch.Tensor:
    """Move all images of a batch by the same few pixels."""
    down, right = (int(each) for each in torch.randint(-_SHIFT, _SHIFT + 1, (2,)))
    return torch.roll(images, (down, right), (2, 3))


#: Every built-in example, by name.
TASKS = {
    task.name: task
    for task in (
        Task(
            "digits",
            "handwritten digits of 8 x 8 pixels, a 64-256-128-10 network",
            _digits_network,
            load_digits,
            _with_noise,
            "",
            40,
            Schedule(epochs=20, last_epochs=40, codebook_epochs=15, fixed_epochs=5),
        ),
        Task(
            "mnist",
            "5,000 images of MNIST, a 784-300-100-10 network",
            _mnist_network,
            load_mnist,
            _moved,
            "",
            20,
            Schedule(epochs=10, last_epochs=20, codebook_epochs=6, fixed_epochs=2),
        ),
        Task(
            "lenet5",
            "5,000 images of MNIST, LeNet-5: convolutions on the host, its 800-500-10 head in "
            "fixed point",
            _lenet5,
            load_mnist,
            _moved,
            "head",
            8,
            Schedule(epochs=3, last_epochs=6, codebook_epochs=2, fixed_epochs=1),
        ),
    )
}
