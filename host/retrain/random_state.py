"""The states of every random generator that a training draws from: seeded, kept, put back."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

__all__ = ["random_state", "seeded", "set_random_state"]


def random_state() -> dict[str, Any]:
    """Give the states of Python's, numpy's and torch's generators, as torch loads them safely."""
    version, words, gauss = random.getstate()
    kind, key, place, has_gauss, cached = np.random.get_state()  # noqa: NPY002 - of the user's code
    return {
        "python": [version, list(words), gauss],
        "numpy": [kind, torch.from_numpy(np.asarray(key, np.int64)), place, has_gauss, cached],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Put back what :func:`random_state` gave."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    kind, key, place, has_gauss, cached = state["numpy"]
    words32 = key.numpy().astype(np.uint32)
    np.random.set_state((kind, words32, place, has_gauss, cached))  # noqa: NPY002 - as above
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed all generators, and put them back as they were when the context ends."""
    before = random_state()
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - what augmentations of the user's draw from
        torch.manual_seed(seed)
        yield
    finally:
        set_random_state(before)
