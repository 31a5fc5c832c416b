"""From a model to an accelerator in one call: :func:`convert`, and what it gives."""

from __future__ import annotations

from eie.host.flow.accelerated_model import AcceleratedModel
from eie.host.flow.comparison import Comparison, LayerComparison
from eie.host.flow.convert import convert
from eie.host.flow.evaluation import Evaluation

__all__ = ["AcceleratedModel", "Comparison", "Evaluation", "LayerComparison", "convert"]
