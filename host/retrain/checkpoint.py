"""Checkpoints: where a retraining stands, so that it goes on to the same weights, bit by bit.

A parametrized module cannot be pickled as a whole, and should not be: a checkpoint has tensors,
numbers and texts alone and is read with torch's ``weights_only``, which runs no code. One line
with the hash of what follows goes before torch's own archive, so that no bit of it changes unseen.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.file_kinds import is_regular

__all__ = ["Checkpoint", "fingerprint", "layout"]

#: First line of a file; the hash of the rest follows it.
_MAGIC = b"eie retrain 1 "
#: Bytes of that line.
_LINE = len(_MAGIC) + 64 + 1
_ADVICE = "give another file, or delete this one to begin anew"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a retraining stands; every field is of types that torch loads safely."""

    #: SHA-256 of the model that it began with.
    model: str
    #: Shape and type of each of that model's tensors, by name.
    layout: Mapping[str, str]
    #: What the weights depend on besides: schedule, densities, seed, data of the calibration.
    settings: Mapping[str, str]
    #: Steps that are done, and epochs of the next one.
    step: int
    epochs: int
    #: What computes the weights: ``plain``, ``masked``, ``shared`` or ``fixed``.
    structure: str
    #: The model's tensors, with masks, codes and shared weights in place of matrices.
    state: Mapping[str, torch.Tensor]
    #: Of the optimiser; None between steps.
    optimizer: Mapping[str, Any] | None
    #: Of every random generator, from :mod:`eie.host.retrain.random_state`.
    random: Mapping[str, Any]
    #: Of the batches, where they keep one (a ``state_dict``, or a DataLoader's generator).
    batches: Any = None
    #: Densities that are pruned to, once they are known.
    densities: Mapping[str, float] | None = None
    #: Fields of the sensitivity scan, if there was one.
    sensitivity: Mapping[str, Any] | None = None
    #: Formats of each layer, once they are chosen.
    formats: Mapping[str, list[Any]] | None = None
    #: Fields of the reports so far.
    reports: list[dict[str, Any]] = field(default_factory=list)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that appears whole or not at all.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        stream = io.BytesIO()
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        torch.save(values, stream)
        content = stream.getvalue()
        line = _MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n"
        try:
            write_whole(path, line + content)
        except OSError as error:
            raise InputError(f"cannot write checkpoint {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a checkpoint.

        Raises
        ------
        InputError
            If the file is cut off, damaged, or none of ours; says what to do.
        """
        file = Path(path)
        if not is_regular(file):
            raise InputError(f"checkpoint {path} must be a file")
        content = file.read_bytes()
        line, rest = content[:_LINE], content[_LINE:]
        if line[: len(_MAGIC)] != _MAGIC[: len(line)]:
            raise InputError(f"{path} is no checkpoint of eie retrain: {_ADVICE}")
        if line != _MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n":
            raise InputError(f"checkpoint {path} is cut off or damaged: {_ADVICE}")
        try:
            with Archive(io.BytesIO(rest)) as archive:  # so that the file's size bounds the memory
                if not archive.stored or sum(archive.sizes.values()) > len(rest):
                    raise InputError("its members must not be compressed or overlap")
            found = torch.load(io.BytesIO(rest), map_location="cpu", weights_only=True)
        except Exception as error:  # whatever the safe unpickler refuses
            text = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
            raise InputError(
                f"checkpoint {path} cannot be read by torch {torch.__version__} ({text}): {_ADVICE}"
            ) from error
        names = {each.name for each in fields(cls)}
        if not isinstance(found, dict) or found.keys() != names:
            raise InputError(f"checkpoint {path} must have the fields of this version: {_ADVICE}")
        return cls(**{name: found[name] for name in names})

    def check(self, path: object, model: nn.Module, settings: Mapping[str, str]) -> None:
        """Check that it is of this model, trained as it is to be now.

        Raises
        ------
        InputError
            Naming what differs.
        """
        problems = Problems(f"checkpoint {path}")
        mine = layout(model)
        if mine != dict(self.layout):
            differing = [
                name for name in {**mine, **self.layout} if mine.get(name) != self.layout.get(name)
            ]
            first = differing[0]
            problems.require(
                False,
                f"must be of this model, not of another: {first!r} is "
                f"{self.layout.get(first, 'missing')} there and {mine.get(first, 'missing')} here"
                + (f", and {len(differing) - 1} more differ" if len(differing) > 1 else ""),
            )
        else:
            problems.require(
                self.model == fingerprint(model),
                "must have begun with this model's weights, and began with others",
            )
        for name in {**settings, **self.settings}:
            here, there = settings.get(name), self.settings.get(name)
            problems.require(here == there, f"{name} must be {there} as it was, not {here}")
        problems.raise_as(InputError, _ADVICE)


def layout(model: nn.Module) -> dict[str, str]:
    """Shape and type of each tensor of a model, by name."""
    return {
        name: f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        for name, value in model.state_dict().items()
    }


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of a model's tensors and their names."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        numbers = value.detach().cpu().contiguous()
        digest.update(numbers.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
