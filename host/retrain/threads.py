"""Training in one thread."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

__all__ = ["one_thread"]


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread inside the ``with`` statement.

    Matrices of this size take less time than threads take to wait for each other: with two on busy
    cores a training took minutes in place of seconds. And sums come out the same on any number of
    cores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
