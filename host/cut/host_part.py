"""A part of a model that stays on the host: a program of torch, which torch runs."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.export import ExportedProgram
from torch.utils.flop_counter import FlopCounterMode

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.progress import tell
from eie.host.compress.graph_constants import operation
from eie.host.compress.program import without_torch_warnings
from eie.host.compress.saved_program import load_saved_program

__all__ = ["HostPart"]

#: Inputs that torch takes at a time where the program takes batches of any size: larger batches
#: gain nothing, and take more memory.
_AT_ONCE = 128
#: Fewest inputs of a batch: torch.export takes a batch of one for a constant.
_FEWEST = 2
#: What reshapes, or says how large something is, and is not worth naming.
_SILENT = frozenset(
    {"view", "reshape", "_unsafe_view", "flatten", "squeeze", "unsqueeze", "sym_size", "getitem"}
    | {"clone", "alias", "detach", "_to_copy", "t", "permute", "transpose", "contiguous"}
    | {"_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range_for_size", "dropout"}
    | {"slice", "select", "zeros"}
    | {"mul", "ge", "le", "eq"}  # of sizes
)
#: Names of operations that torch spells out.
_NAMES = {
    "_native_batch_norm_legit_no_training": "batch_norm",
    "max_pool2d_with_indices": "max_pool2d",
}

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class HostPart:
    """A part of a model on the host.

    Attributes
    ----------
    program
        What torch runs: one input, one output, the batch in front of both.
    """

    program: ExportedProgram

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return _sizes(self._values[0])

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one output; () where it is a number for each input."""
        return _sizes(self._values[1])

    @property
    def gives_reals(self) -> bool:
        """Whether its outputs are real numbers; they are integers where it ends in classes."""
        return bool(self._values[1].dtype.is_floating_point)

    @property
    def batch(self) -> int | None:
        """Inputs that the program takes at a time; None for any number."""
        size = self._values[0].shape[0]
        return size if isinstance(size, int) else None

    @property
    def parameters(self) -> int:
        """Numbers that the program holds: weights, biases, statistics."""
        return sum(value.numel() for value in self._weights() if value.is_floating_point())

    @cached_property
    def multiply_adds(self) -> int:
        """Multiply-adds for one input, as torch counts them: convolutions and products of matrices.

        They are counted, not measured.
        """
        example = self._values[0]
        size = self.batch or _FEWEST
        values = torch.zeros(size, *self.input_shape, dtype=example.dtype)
        counter = FlopCounterMode(display=False)
        # With oneDNN an LSTM is one operation, whose products are not seen.
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch's own workings
            with torch.backends.mkldnn.flags(enabled=False), counter:
                self._module(values)
        return int(counter.get_total_flops()) // (2 * size)

    @cached_property
    def text(self) -> str:
        """Its operations with how often each comes: "2 conv2d, 2 relu, 2 max_pool2d"."""
        found: Counter[str] = Counter()
        for node in self.program.graph.nodes:
            if node.op != "call_function":
                continue
            name = operation(node).removeprefix("aten.").partition(".")[0]
            if name not in _SILENT:
                found[_NAMES.get(name, name)] += 1
        return ", ".join(f"{count} {name}" for name, count in found.items()) or "a reshape"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its weights and operations, in hexadecimal digits."""
        sha = hashlib.sha256(self.text.encode())
        for value in self._weights():
            plain = value.detach().cpu().contiguous()
            sha.update(f"{plain.dtype} {tuple(plain.shape)}".encode())
            sha.update(plain.numpy().tobytes())
        return sha.hexdigest()

    def __call__(self, values: Array) -> Array:
        """Run a batch.

        Parameters
        ----------
        values
            Real numbers, shape (n, *input_shape).

        Returns
        -------
        ndarray
            Shape (n, *output_shape), of the type that the program gives.

        Raises
        ------
        InputError
            If the program takes whole numbers and others are given, or it fails, or gives numbers
            that are not finite.
        """
        given = self._taken(values)
        at_once = self.batch or _AT_ONCE
        parts: list[Array] = []
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own workings
            for start in range(0, len(given), at_once):
                tell("computing on the host", start, len(given), "inputs")
                part = given[start : start + at_once]
                size = self.batch or max(_FEWEST, len(part))
                padded = torch.cat([part, part[-1:].expand(size - len(part), *part.shape[1:])])
                try:
                    found = self._module(padded)
                except Exception as error:  # the model's own operations, which can raise anything
                    raise InputError(
                        f"the host's part of the model failed: {str(error).splitlines()[0]}"
                    ) from error
                parts.append(found[: len(part)].detach().cpu().numpy())
        if not parts:
            return np.zeros((0, *self.output_shape), np.float32)
        result = np.concatenate(parts)
        if not np.isfinite(result).all():
            count = int(np.count_nonzero(~np.isfinite(result)))
            raise InputError(
                f"the host's part of the model gives {count} of {result.size} values that are not "
                "finite"
            )
        return result

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program as a ``.pt2``: whole or not at all.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        try:
            write_whole(Path(path), self.as_bytes())
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error

    def as_bytes(self) -> bytes:
        """Give the bytes of the ``.pt2``."""
        stream = io.BytesIO()
        with without_torch_warnings():
            torch.export.save(self.program, stream)
        return stream.getvalue()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> HostPart:
        """Read what :meth:`save` wrote, without trusting the file.

        Raises
        ------
        ModelError
            If it is missing, damaged, or something else.
        """
        where = Path(path)
        try:
            with without_torch_warnings():
                program = load_saved_program(where)
        except ModelError:
            raise
        except Exception as error:  # torch raises whatever its archive code meets
            raise ModelError(f"{where} cannot be read as a part of a model: {error}") from error
        signature = program.graph_signature
        if len(signature.user_inputs) != 1 or len(signature.user_outputs) != 1:
            raise ModelError(f"{where} must be a part of a model with one input and one output")
        return cls(program)

    @cached_property
    def _module(self) -> torch.nn.Module:
        return self.program.module()

    @cached_property
    def _values(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Input and output as torch describes them."""
        nodes = {node.name: node for node in self.program.graph.nodes}
        signature = self.program.graph_signature
        given, made = signature.user_inputs[0], signature.user_outputs[0]
        return nodes[str(given)].meta["val"], nodes[str(made)].meta["val"]

    def _weights(self) -> list[torch.Tensor]:
        held = {**self.program.constants, **self.program.state_dict}
        return [held[name] for name in sorted(held) if isinstance(held[name], torch.Tensor)]

    def _taken(self, values: Array) -> torch.Tensor:
        dtype = self._values[0].dtype
        if not dtype.is_floating_point and not np.array_equal(values, np.rint(values)):
            raise InputError(f"x must be whole numbers: the model takes {dtype}")
        return torch.from_numpy(np.ascontiguousarray(values)).to(dtype)


def _sizes(value: torch.Tensor) -> tuple[int, ...]:
    return tuple(int(size) for size in value.shape[1:])
