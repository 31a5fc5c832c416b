"""A part as a file that every command takes: a ``torch.export`` program (``.pt2``)."""

from __future__ import annotations

import io
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

__all__ = ["program_bytes"]


def program_bytes(part: nn.Module, inputs: npt.NDArray[Any]) -> bytes:
    """Export a part, and give the bytes of its ``.pt2`` file.

    Parameters
    ----------
    part
        Whose weights are plain.
    inputs
        Inputs of it, one at least.
    """
    example = torch.from_numpy(inputs[:2]).to(next(part.parameters()))
    stream = io.BytesIO()
    torch.export.save(torch.export.export(part.eval(), (example,)), stream)
    return stream.getvalue()
