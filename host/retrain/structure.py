"""What computes the weights at a point of the way: built step by step, or anew for a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from eie.hls.boundary.errors import InputError
from eie.host.compress.codebook import Codebook
from eie.host.compress.sharing import SharedWeights
from eie.host.retrain.activations import ActivationFormat, LayerFormats, round_activations
from eie.host.retrain.integer_part import fold_norms
from eie.host.retrain.masks import Mask
from eie.host.retrain.shared_weights import RoundedCodebook, freeze, round_codebooks, share_weights
from eie.host.retrain.weights import WeightMatrix, find_matrices

__all__ = ["Structure", "formats_as_lists", "formats_of_lists"]


class Structure:
    """The matrices of a part, and what computes them.

    Parameters
    ----------
    model
        The whole model.
    part
        The part of it whose matrices are pruned and shared, with plain weights.
    """

    def __init__(self, model: nn.Module, part: nn.Module) -> None:
        self._model = model
        self.part = part
        self.matrices = find_matrices(part)
        #: ``plain``, ``masked``, ``shared`` or ``fixed``.
        self.kind = "plain"
        self.formats: dict[str, LayerFormats] = {}

    def share(self) -> None:
        """Take the masks away, fold BatchNorms, and share what is left of the weights."""
        self.make_plain()
        fold_norms(self.part)
        share_weights(self.matrices)
        self.kind = "shared"

    def fix(self, formats: Mapping[str, LayerFormats]) -> None:
        """Round shared weights and activations from now on; `formats` has every matrix."""
        fracs = {name: each.weight_frac for name, each in formats.items()}
        round_codebooks(self.matrices, fracs)
        self._round(formats)

    def other_numbers(self) -> int:
        """Numbers of the part that are in no matrix: biases, and codebooks once there are some."""
        numbers = sum(each.numel() for each in self.part.parameters())
        if self.kind in ("shared", "fixed"):
            return numbers
        return numbers - sum(each.size for each in self.matrices.values())

    def make_plain(self) -> None:
        """Make plain parameters of all weights, with their present values."""
        for matrix in self.matrices.values():
            freeze(matrix)

    def rebuild(
        self, kind: str, state: Mapping[str, torch.Tensor], formats: Mapping[str, LayerFormats]
    ) -> None:
        """Build what there was when a checkpoint was written, and load its tensors.

        Raises
        ------
        InputError
            If the tensors are not those of this structure.
        """
        if kind in ("shared", "fixed"):
            fold_norms(self.part)
        try:
            for name, matrix in self.matrices.items():
                if kind == "masked":
                    mask = Mask(torch.zeros_like(matrix.value))
                    parametrize.register_parametrization(matrix.module, matrix.key, mask)
                elif kind in ("shared", "fixed"):
                    shared = self._shared_of(matrix, state)
                    rule = (
                        RoundedCodebook(shared, formats[name].weight_frac)
                        if kind == "fixed"
                        else Codebook(shared)
                    )
                    parametrize.register_parametrization(
                        matrix.module, matrix.key, rule.to(matrix.value.device), unsafe=True
                    )
            self._model.load_state_dict(dict(state))
        except (KeyError, RuntimeError, AttributeError, TypeError) as error:
            raise InputError(
                f"the checkpoint does not hold this model's tensors: {error}"
            ) from None
        self.kind = kind
        if kind == "fixed":
            self._round(formats)

    def _round(self, formats: Mapping[str, LayerFormats]) -> None:
        layers = {name: each.module for name, each in self.matrices.items()}
        round_activations(layers, formats)
        self.formats = dict(formats)
        self.kind = "fixed"

    def _shared_of(self, matrix: WeightMatrix, state: Mapping[str, torch.Tensor]) -> SharedWeights:
        path = next(name for name, each in self._model.named_modules() if each is matrix.module)
        prefix = f"{path}.parametrizations.{matrix.key}".lstrip(".")
        codes = state[f"{prefix}.0.codes"].numpy().astype(np.uint8)
        return SharedWeights(codes, state[f"{prefix}.original"].double().numpy())


def formats_as_lists(formats: Mapping[str, LayerFormats]) -> dict[str, list[Any]]:
    """Formats as lists of numbers, which torch loads safely."""
    return {
        name: [
            None if each.inputs is None else list(astuple(each.inputs)),
            each.weight_frac,
            list(astuple(each.outputs)),
        ]
        for name, each in formats.items()
    }


def formats_of_lists(lists: Mapping[str, list[Any]]) -> dict[str, LayerFormats]:
    """Formats of what :func:`formats_as_lists` gave."""
    return {
        name: LayerFormats(
            None if inputs is None else ActivationFormat(*inputs), frac, ActivationFormat(*outputs)
        )
        for name, (inputs, frac, outputs) in lists.items()
    }
