"""Japanese Vowels by `eie.retrain`: an LSTM names the speaker, with a fifth of its weights.

Run as ``python examples/japanese_vowels.py``; a minute. 270 utterances of nine speakers train, 370
are tests, 12 channels and 7 to 29 steps each; they come with sktime (``eie[examples]``). Each of
the LSTM's matrices is pruned and shared by itself, in real numbers; `eie.convert` takes what came
of it. `recurrent.py` trains the same network with a longer recipe of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from outcome import BOARD, Outcome, measured
from torch import nn

import eie
from eie.host.retrain import Retrained
from eie.host.retrain.datasets import Sequences, load_japanese_vowels

HIDDEN, CHANNELS, SPEAKERS = 64, 12, 9
#: Share of the weights of each matrix that is kept.
DENSITY = 0.2
EPOCHS = 60
#: Standard deviation of the noise on the training inputs.
NOISE = 0.05
SCHEDULE = eie.Schedule(
    prunings=4, epochs=20, last_epochs=60, codebook_epochs=20, learning_rate=2e-3
)


class Speaker(nn.Module):
    """An LSTM over an utterance, and a Linear on what it gives at the utterance's last step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, SPEAKERS)

    def forward(
        self, utterances: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Scores, (n, speakers), of utterances, (n, steps, channels), of some lengths, (n,)."""
        states = self.lstm(utterances)[0]
        own = lengths is not None
        last = states[torch.arange(len(states)), lengths - 1] if own else states[:, -1]
        scores: torch.Tensor = self.out(last)
        return scores


class Utterances:
    """Batches of utterances, lengths and speakers, in another order each time."""

    def __init__(self, data: Sequences, size: int = 32) -> None:
        self._tensors = [
            torch.from_numpy(each)
            for each in (data.train_inputs, data.train_lengths, data.train_labels)
        ]
        self._size = size

    def __iter__(self) -> Iterator[list[torch.Tensor]]:
        """Give an epoch."""
        for chosen in torch.split(torch.randperm(len(self._tensors[0])), self._size):
            yield [each[chosen] for each in self._tensors]


def train_step(model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
    """Loss of a batch, with some noise on its inputs."""
    utterances, lengths, speakers = batch
    noisy = utterances + NOISE * torch.randn_like(utterances)
    return nn.functional.cross_entropy(model(noisy, lengths), speakers)


def accuracy(model: nn.Module, data: Sequences) -> float:
    """Share of the test utterances whose speaker is named."""
    scores = model(torch.from_numpy(data.test_inputs), torch.from_numpy(data.test_lengths))
    return float((scores.argmax(1) == torch.from_numpy(data.test_labels)).double().mean())


def trained(data: Sequences, seed: int = 0, epochs: int = EPOCHS) -> Speaker:
    """Train the network in real numbers."""
    torch.manual_seed(seed)
    model = Speaker()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in Utterances(data):
            optimizer.zero_grad()
            train_step(model, batch).backward()
            optimizer.step()
        rates.step()
    return model


def retrained(
    model: Speaker, data: Sequences, seed: int = 0, schedule: eie.Schedule = SCHEDULE
) -> Retrained:
    """Prune each matrix to a fifth and share what is left; the result is in real numbers."""
    return eie.retrain(
        model,
        train_step,
        Utterances(data),
        evaluate=lambda found: accuracy(found, data),
        density=DENSITY,
        schedule=schedule,
        seed=seed,
    )


def main(seed: int = 0) -> Outcome:
    """Train, retrain, and measure on the test utterances."""
    torch.set_num_threads(1)
    data = load_japanese_vowels()
    found = retrained(trained(data, seed), data, seed)
    print(found)
    utterances = [
        [each[:steps] for each, steps in zip(inputs, lengths, strict=True)]
        for inputs, lengths in (
            (data.train_inputs, data.train_lengths),
            (data.test_inputs, data.test_lengths),
        )
    ]
    acc = eie.convert(found.model, keep_weights=True, calibration=utterances[0], board=BOARD)
    with acc:
        return measured(
            "Japanese Vowels, `eie.retrain`",
            acc,
            utterances[1],
            data.test_labels,
            found.reports[0].accuracy,
            network=f"LSTM {CHANNELS}-{HIDDEN}, {HIDDEN}-{SPEAKERS}",
            model=found.model,
            note="cycles are those of a step",
        )


if __name__ == "__main__":
    print(main())
