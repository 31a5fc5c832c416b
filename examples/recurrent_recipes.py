"""How the recipes of recurrent.py were chosen: by parts of the training data that are held out.

Run as ``PYTHONPATH=. python examples/recurrent_recipes.py``; ten minutes. Each candidate is
trained on the rest and judged on the part, in turn; test data are not looked at. Of the candidates
of a question the one with the least cross-entropy is taken: with so few sequences held out it
tells more than the share that is right. It writes a table of docs/how-to/recurrent.md, and keeps
what it found in docs/how-to/recurrent-recipes.json: questions may be asked one by one.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from recurrent_data import held_out, japanese_vowels, mnist_rows
from recurrent_training import Classifier, Kind, Recipe, judged, retrained, trained

import eie
from benchmarks.sections import markdown_table, write_section
from eie.hls.boundary.atomic import write_whole
from eie.host.retrain.datasets import Sequences
from eie.host.retrain.threads import one_thread

__all__ = ["IMAGES", "SPEECH", "Question", "answered", "main"]

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "recurrent.md"
KEPT = PAGE.with_name("recurrent-recipes.json")
HEADS = ("data, network", "question", "candidate", "right", "cross-entropy")

_SPEECH = Recipe(
    120,
    5e-3,
    eie.Schedule(5, 30, 80, 30, learning_rate=3e-3, codebook_learning_rate=5e-4),
    noise=0.2,
)
_IMAGES = Recipe(
    25,
    4e-3,
    eie.Schedule(4, 4, 14, 3, learning_rate=3e-3, codebook_learning_rate=5e-4),
    noise=0.05,
)
#: What was chosen.
SPEECH = replace(_SPEECH, noise=0.4, offset=0.4)
IMAGES = replace(_IMAGES, noise=0.0, moved=1)


@dataclass(frozen=True)
class Question:
    """Some candidates for one network."""

    data: str
    kind: Kind
    units: int
    load: Callable[[], Sequences]
    #: What is asked.
    text: str
    #: Recipes by what they differ in.
    candidates: Mapping[str, Recipe]
    #: The training data are cut into `parts`, of which the first `held` are held out in turn.
    parts: int = 3
    held: int = 3
    #: Whether candidates differ in the retraining alone, and a shared model is judged.
    of_retraining: bool = False


QUESTIONS = {
    "speech": Question(
        "JapaneseVowels",
        "LSTM",
        64,
        japanese_vowels,
        "what the float model is trained with",
        {
            "noise 0.2": _SPEECH,
            "noise 0.2, offsets 0.2": replace(_SPEECH, offset=0.2),
            "noise 0.2, offsets 0.4": replace(_SPEECH, offset=0.4),
            "noise 0.4, offsets 0.4": replace(_SPEECH, noise=0.4, offset=0.4),
            "noise 0.4, offsets 0.8": replace(_SPEECH, noise=0.4, offset=0.8),
        },
    ),
    "speech-small": Question(
        "JapaneseVowels",
        "LSTM",
        64,
        japanese_vowels,
        "how much the float model teaches",
        {f"share {taught:g} of the loss": replace(SPEECH, taught=taught) for taught in (0.5, 1)},
        of_retraining=True,
    ),
    "images": Question(
        "MNIST, a row a step",
        "LSTM",
        96,
        mnist_rows,
        "what the float model is trained with",
        {
            "noise 0.05": _IMAGES,
            "moved by up to a pixel": replace(_IMAGES, noise=0.0, moved=1),
        },
        parts=5,
        held=1,
    ),
}
#: What the small models of a question about retraining are held against.
DENSE = "the float model itself"
#: Share that is right, and cross-entropy.
Judgement = tuple[float, float]


def answered(question: Question) -> dict[str, Judgement]:
    """Train and judge every candidate; the mean over the parts."""
    found: dict[str, list[Judgement]] = {}
    for part in range(question.held):
        data = held_out(question.load(), part, question.parts)
        dense: Classifier | None = None
        for name, recipe in question.candidates.items():
            begin = time.monotonic()
            if dense is None or not question.of_retraining:
                dense = _dense(question, data, recipe, part)
            if question.of_retraining:
                found.setdefault(DENSE, [])[part:] = [judged(dense, data)]
                judgement = judged(retrained(copy.deepcopy(dense), data, recipe, part).model, data)
            else:
                judgement = judged(dense, data)
            found.setdefault(name, []).append(judgement)
            print(
                f"part {part}, {name}: {judgement} ({time.monotonic() - begin:.0f} s)", flush=True
            )
    return {name: tuple(np.mean(each, 0).tolist()) for name, each in found.items()}


def _dense(question: Question, data: Sequences, recipe: Recipe, seed: int) -> Classifier:
    torch.manual_seed(seed)
    classes = int(data.train_labels.max()) + 1
    model = Classifier(question.kind, data.train_inputs.shape[2], question.units, classes)
    trained(model, data, recipe, seed)
    return model


def write_table(found: Mapping[str, Mapping[str, Judgement]]) -> str:
    """Write what was found as the page's table, which is given; the best is in bold."""
    rows = []
    for name, question in QUESTIONS.items():
        answers = found.get(name, {})
        asked = {each: answers[each] for each in question.candidates if each in answers}
        best = min(asked, key=lambda each: asked[each][1], default="")
        for candidate, (right, entropy) in answers.items():
            rows.append(
                (
                    f"{question.data}, {question.kind}-{question.units}",
                    question.text,
                    f"**{candidate}**" if candidate == best else candidate,
                    f"{100 * right:.2f} %",
                    f"{entropy:.3f}",
                )
            )
    table = markdown_table(HEADS, rows)
    write_section(PAGE, "recipes", table)
    return table


def main(arguments: list[str] | None = None) -> int:
    """Ask the questions, and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("questions", nargs="*", default=list(QUESTIONS), choices=QUESTIONS)
    options = parser.parse_args(arguments)
    for name in options.questions:
        print(f"== {name}", flush=True)
        with one_thread():
            answers = answered(QUESTIONS[name])
        kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        kept[name] = answers
        write_whole(KEPT, json.dumps(kept, indent=1) + "\n")
        print(write_table(kept))
    return 0


if __name__ == "__main__":
    sys.exit(main())
