"""A model in its parts: what the accelerator takes, and what the host does around it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import ModelError, Problems
from eie.hls.boundary.text import listed
from eie.host.compress.dense_layer import DenseModel
from eie.host.cut.host_part import HostPart
from eie.host.network.head_record import HOST_FILES, HeadRecord

__all__ = ["HostParts", "ModelParts", "digest_of"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class HostParts:
    """What the host does before and behind the accelerator.

    Attributes
    ----------
    record
        Shapes between the parts.
    front
        From the model's input to the accelerator's; None where these are the same.
    behind
        From the accelerator's output to the model's; None where these are the same.
    """

    record: HeadRecord
    front: HostPart | None
    behind: HostPart | None

    def __post_init__(self) -> None:
        record = self.record
        problems = Problems("the host's parts")
        problems.require(
            (self.front is not None) == bool(record.front)
            and (self.behind is not None) == bool(record.behind),
            f"must be those of the network: {_which(bool(record.front), bool(record.behind))}, "
            f"not {_which(self.front is not None, self.behind is not None)}",
        )
        for part, name, given, made in (
            (self.front, "front", record.input_shape, record.features),
            (self.behind, "behind", record.result, record.outputs),
        ):
            if part is not None:
                problems.require(
                    (part.input_shape, part.output_shape or (1,)) == (given, made),
                    f"{name} must take inputs of shape {given} and give {made}, not "
                    f"{part.input_shape} and {part.output_shape}",
                )
        problems.raise_as(ModelError)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the host for one input of the model."""
        return sum(part.multiply_adds for part in self._parts)

    @property
    def parameters(self) -> int:
        """Numbers that the host's programs hold."""
        return sum(part.parameters for part in self._parts)

    def features(self, inputs: Array) -> Array:
        """Give what the accelerator takes for inputs of the model.

        Parameters
        ----------
        inputs
            Shape (n, ...), each in the model's own shape or flat.

        Returns
        -------
        ndarray
            Shape (n * vectors, inputs of the network): float, one vector for each input, or for
            each of its positions.

        Raises
        ------
        InputError
            If torch fails on them, or gives numbers that are not finite.
        """
        values = inputs.reshape(len(inputs), *self.record.input_shape)
        if self.front is not None:
            values = self.front(values)
        values = values.reshape(len(values), *self.record.features)
        if not self.record.positions:
            return values.reshape(len(values), -1)
        return np.moveaxis(values, 1, -1).reshape(-1, self.record.features[0])

    def finish(self, outputs: Array) -> Array:
        """Give what the model gives, from what the accelerator gives.

        Parameters
        ----------
        outputs
            Real numbers, shape (n * vectors, outputs of the network).

        Returns
        -------
        ndarray
            Shape (n, ...): what the model gives; classes are integers, if it ends in them.
        """
        record = self.record
        if record.positions:
            vectors = outputs.reshape(-1, *record.positions, outputs.shape[1])
            outputs = np.moveaxis(vectors, -1, 1)
        values = outputs.reshape(-1, *record.result)
        return values if self.behind is None else self.behind(values)

    def scores(self, outputs: Array) -> tuple[Array, bool]:
        """Give what is judged against labels, (n, outputs), and whether these are real numbers.

        A model that ends in classes has its class counted as 1 and all others as 0.
        """
        found = self.finish(outputs)
        if found.dtype.kind in "iu":
            classes = found.reshape(-1)
            width = max(outputs.shape[1], int(classes.max(initial=0)) + 1)
            return np.eye(width, dtype=np.float32)[classes], False
        return found.reshape(len(found), -1), True

    @property
    def outputs(self) -> int:
        """Values of one output of the model that labels are compared with."""
        if self.behind is not None and not self.behind.gives_reals:
            return self.record.result[0]
        return math.prod(self.record.outputs)

    def save(self, folder: Path) -> None:
        """Write the parts into a folder; one that is not there any more is removed."""
        for part, name in self._named:
            if part is None:
                (folder / name).unlink(missing_ok=True)
            else:
                part.save(folder / name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files that :meth:`save` writes."""
        return tuple(name for part, name in self._named if part is not None)

    def files(self) -> dict[str, bytes]:
        """Give the files that :meth:`save` writes, by name."""
        return {name: part.as_bytes() for part, name in self._named if part is not None}

    @classmethod
    def load(cls, folder: Path, record: HeadRecord) -> HostParts:
        """Read the parts beside a network.

        Raises
        ------
        ModelError
            If one is missing or damaged, or they are those of another network.
        """
        front = HostPart.load(folder / HOST_FILES[0]) if record.front else None
        behind = HostPart.load(folder / HOST_FILES[1]) if record.behind else None
        found = cls(record, front, behind)
        if digest_of(front, behind) != record.digest:
            raise ModelError(
                f"{folder}: {listed(found.names)} must be what the network was compressed with: "
                "other weights are in it"
            )
        return found

    @property
    def _named(self) -> tuple[tuple[HostPart | None, str], ...]:
        return (self.front, HOST_FILES[0]), (self.behind, HOST_FILES[1])

    @property
    def _parts(self) -> list[HostPart]:
        return [part for part in (self.front, self.behind) if part is not None]


@dataclass(frozen=True, eq=False)
class ModelParts:
    """A model as it was read: its head, and what the host does around it.

    Attributes
    ----------
    dense
        What the accelerator takes.
    host
        What the host does; None where the accelerator takes all of it.
    multiply_adds
        Of the head for one input of the model, before pruning.
    """

    dense: DenseModel
    host: HostParts | None = None
    multiply_adds: int = 0


def digest_of(front: HostPart | None, behind: HostPart | None) -> str:
    """SHA-256 of both parts' weights and operations."""
    texts = ["" if part is None else part.digest for part in (front, behind)]
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()


def _which(front: bool, behind: bool) -> str:
    names = [name for name, there in (("front", front), ("behind", behind)) if there]
    return " and ".join(names) or "none"
