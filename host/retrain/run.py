"""One retraining: where it stands, and the steps from there to the end."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eie.hls.boundary.errors import InexactWarning, InputError, ModelError
from eie.hls.boundary.progress import tell
from eie.hls.spec.design import Design
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.pipeline import compress_read
from eie.host.network import Network
from eie.host.retrain.activations import choose_layer_formats
from eie.host.retrain.checkpoint import Checkpoint, fingerprint, layout
from eie.host.retrain.costs import balance_of, cost_of, fixed_network
from eie.host.retrain.integer_part import (
    IntegerPart,
    fold_norms,
    part_inputs,
    read_part,
    replaced,
    still,
)
from eie.host.retrain.masks import set_masks
from eie.host.retrain.random_state import random_state, set_random_state
from eie.host.retrain.report import Balance, Retrained, StepReport
from eie.host.retrain.schedule import Plan, Step
from eie.host.retrain.sensitivity import Sensitivity, scan
from eie.host.retrain.settings import Settings, check_accuracy, check_densities
from eie.host.retrain.structure import Structure, formats_as_lists, formats_of_lists
from eie.host.retrain.training import MakeOptimizer, TrainStep, learning_rate, train_epoch

__all__ = ["Run", "UserCode"]

#: Bits of a weight, and bytes of one that is not shared.
_FLOAT_BITS, _FLOAT_BYTES = 32, 4
#: Bits of a shared weight's code.
_CODE_BITS = 4
#: Kinds of steps whose weights are shared, and whose activations are rounded.
_SHARED = ("share", "train codebooks", "fix", "train fixed", "integer")
_FIXED = ("fix", "train fixed", "integer")


@dataclass(frozen=True, eq=False)
class UserCode:
    """What the user's program does."""

    train_step: TrainStep
    batches: Iterable[Any]
    evaluate: Callable[[nn.Module], float]
    scan_evaluate: Callable[[nn.Module], float]
    optimizer: MakeOptimizer


class Run:
    """A retraining under way.

    Parameters
    ----------
    model
        A copy that is changed, with plain weights.
    code
        The user's.
    settings
        Checked.
    checkpoint
        File to go on from, and to write.
    on_step
        Called with each report.
    """

    def __init__(
        self,
        model: nn.Module,
        code: UserCode,
        settings: Settings,
        checkpoint: str | os.PathLike[str] | None,
        on_step: Callable[[StepReport], None] | None,
    ) -> None:
        self._model, self._code, self._settings = model, code, settings
        self._path = None if checkpoint is None else Path(checkpoint)
        self._on_step = on_step
        self._structure = Structure(model, model.get_submodule(settings.head))
        self._began = fingerprint(model), layout(model), settings.as_texts()
        self._inputs = self._samples()
        self._not_integer = self._why_not_integer()
        self._plan = Plan.of(
            settings.schedule, bits=settings.activation_bits, integer=not self._not_integer
        )
        self._densities: dict[str, float] | None = None
        if settings.density is not None:
            self._densities = check_densities(settings.density, list(self._structure.matrices))
        self._sensitivity: Sensitivity | None = None
        self._reports: list[StepReport] = []
        self._step = self._epochs = 0
        self._optimizer: torch.optim.Optimizer | None = None
        self._network: Network | None = None
        self._design: Design | None = None
        self._note = ""
        if self._path is not None and self._path.exists():
            self._restore(self._path)

    def finish(self) -> Retrained:
        """Do what is left."""
        steps = self._plan.steps
        while self._step < len(steps):
            step = steps[self._step]
            if self._epochs == 0:
                self._begin(step)
            self._train(step)
            self._optimizer = None
            self._report(step)
            self._step, self._epochs = self._step + 1, 0
            self._save()
        balance = None if self._not_integer else self._measure_balance()
        self._structure.make_plain()
        self._model.eval()
        assert self._densities is not None
        return Retrained(
            self._model,
            self._structure.part,
            None if self._not_integer else self._inputs,
            tuple(self._reports),
            self._densities,
            self._sensitivity,
            self._network,
            balance,
            self._settings.board,
            self._not_integer,
            (self._note,) if self._note else (),
        )

    def _begin(self, step: Step) -> None:
        """Change what computes the weights, as the step wants it."""
        settings, structure = self._settings, self._structure
        if step.kind == "prune":
            if self._densities is None:
                self._densities = self._found_densities()
            densities = settings.schedule.densities(self._densities, step.pruning)
            set_masks(structure.matrices, densities, settings.balance or 1)
            structure.kind = "masked"
        elif step.kind == "share":
            structure.share()
        elif step.kind == "fix":
            samples = self._samples()
            assert samples is not None
            flat = samples.reshape(len(samples), -1)
            dense = read_part(structure.part, samples)
            structure.fix(choose_layer_formats(dense, flat, settings.activation_bits))
        if step.epochs:
            self._make_optimizer(step)

    def _make_optimizer(self, step: Step) -> None:
        parameters = dict(self._model.named_parameters())
        # By name: the order in a module depends on when a weight was parametrized last.
        trained = [parameters[name] for name in sorted(parameters)]
        self._optimizer = self._code.optimizer(
            [each for each in trained if each.requires_grad], step.learning_rate
        )

    def _train(self, step: Step) -> None:
        for epoch in range(self._epochs, step.epochs):
            tell(f"{step.title}: training", epoch, step.epochs, "epochs")
            assert self._optimizer is not None
            for group in self._optimizer.param_groups:
                group["lr"] = learning_rate(step.learning_rate, epoch, step.epochs)
            where = f"step {step.title!r}, epoch {epoch + 1}"
            train_epoch(
                self._model, self._code.train_step, self._code.batches, self._optimizer, where
            )
            self._epochs = epoch + 1
            self._save()

    def _found_densities(self) -> dict[str, float]:
        """Densities from the scan of the model as it was given."""
        settings = self._settings
        self._sensitivity = scan(
            self._structure.matrices,
            lambda: self._accuracy(self._code.scan_evaluate),
            settings.scan_densities,
            pes=settings.balance or 1,
        )
        if settings.total_density is not None:
            return self._sensitivity.for_density(settings.total_density)
        return self._sensitivity.for_budget(settings.budget)

    def _report(self, step: Step) -> None:
        tell(f"{step.title}: evaluating")
        if step.kind == "integer":
            network = self._make_network()
            with replaced(self._model, self._settings.head, IntegerPart(network)) as model:
                accuracy = self._accuracy(self._code.evaluate, model)
        else:
            accuracy = self._accuracy(self._code.evaluate)
        matrices = self._structure.matrices.values()
        kept = sum(int(each.value.count_nonzero()) for each in matrices)
        weights = sum(each.size for each in matrices)
        others = self._structure.other_numbers()
        cost = None if self._not_integer else self._cost(step)
        if step.kind not in _SHARED:
            size = _FLOAT_BYTES * (kept + others)
        elif cost is not None:
            size = cost[0]
        else:
            size = kept + _FLOAT_BYTES * others
        bits = self._settings.activation_bits if step.kind in _FIXED else _FLOAT_BITS
        report = StepReport(
            step.title,
            accuracy,
            kept / weights,
            _CODE_BITS if step.kind in _SHARED else _FLOAT_BITS,
            bits,
            size,
            None if cost is None else cost[1],
            None if cost is None else cost[2],
        )
        self._reports.append(report)
        if self._on_step is not None:
            self._on_step(report)

    def _cost(self, step: Step) -> tuple[int, int, float | None] | None:
        """Loaded bytes, cycles and microseconds of the weights as they are."""
        assert self._inputs is not None
        network = self._network
        if step.kind != "integer" or network is None:
            dense = self._dense()
            network = fixed_network(dense, self._inputs, shared=step.kind in _SHARED)
        found = cost_of(network, self._settings.board, self._settings.balance)
        if found is None:
            with_pes = "" if (pes := self._settings.balance) is None else f" with {pes} PEs"
            self._note = (
                f"no design of {self._settings.board}{with_pes} holds the network of every step: "
                "where none does, no cycles are told, and bytes are a byte a weight"
            )
            return None
        if step.kind == "integer":
            self._design = found.design
        return found.loaded_bytes, found.cycles, found.latency_us

    def _make_network(self) -> Network:
        samples = self._samples()
        assert samples is not None
        self._inputs = samples
        flat = samples.reshape(len(samples), -1)
        with warnings.catch_warnings():
            # Training rounds ties to even and write-back rounds them up: what that makes of the
            # accuracy is measured next, and the network's metadata has the counts.
            warnings.simplefilter("ignore", InexactWarning)
            self._network = compress_read(self._dense(), keep_weights=True, calibration=flat)
        return self._network

    def _measure_balance(self) -> Balance | None:
        network = self._network or self._make_network()
        if self._design is None:  # all of it was in the checkpoint
            cost = cost_of(network, self._settings.board, self._settings.balance)
            self._design = None if cost is None else cost.design
        return None if self._design is None else balance_of(network, self._design)

    def _dense(self) -> DenseModel:
        """Read the part as it is, for its cycles: a BatchNorm before it is folded does no harm."""
        assert self._inputs is not None
        shared = self._structure.kind in ("shared", "fixed")
        return read_part(self._structure.part, self._inputs, norms=not shared)

    def _accuracy(
        self, evaluate: Callable[[nn.Module], float], model: nn.Module | None = None
    ) -> float:
        chosen = self._model if model is None else model
        with still(chosen):
            return check_accuracy(evaluate(chosen))

    def _samples(self) -> npt.NDArray[np.float64] | None:
        """Inputs of the part, when the model runs on the calibration as it is now."""
        given = self._settings.calibration
        if given is None:
            return None
        return part_inputs(self._model, self._settings.head, given)

    def _why_not_integer(self) -> str:
        """Say why the part is not for the accelerator, or nothing."""
        if self._inputs is None:
            return "no calibration was given, which formats rest on"
        matrices = self._structure.matrices
        if any(each.recurrent for each in matrices.values()):
            return (
                "an LSTM or GRU is pruned and shared here, and not trained in fixed point; where "
                "the accelerator takes it, convert(part, keep_weights=True) rounds it"
            )
        part = copy.deepcopy(self._structure.part)
        fold_norms(part)
        try:
            dense = read_part(part, self._inputs)
        except ModelError as error:
            return str(error)
        layers = [layer.name for layer in dense.layers]
        more = sorted(set(layers) - set(matrices))
        if more and len(set(layers)) == len(layers) == len(matrices) + len(more):
            return (
                f"besides its Linears it has {', '.join(more)}, as residuals and concatenations "
                "do, and is not trained in fixed point; convert(part, keep_weights=True) rounds it"
            )
        if sorted(layers) != sorted(matrices):
            return (
                f"its layers are {', '.join(layers)}, and its Linears {', '.join(matrices)}: every "
                "Linear must be called, and once"
            )
        return ""

    def _save(self) -> None:
        if self._path is None:
            return
        structure = self._structure
        model, tensors, settings = self._began
        Checkpoint(
            model,
            tensors,
            settings,
            self._step,
            self._epochs,
            structure.kind,
            {name: value.clone() for name, value in self._model.state_dict().items()},
            None if self._optimizer is None else self._optimizer.state_dict(),
            random_state(),
            _state_of(self._code.batches),
            self._densities,
            None if self._sensitivity is None else asdict(self._sensitivity),
            formats_as_lists(structure.formats),
            [asdict(each) for each in self._reports],
        ).save(self._path)

    def _restore(self, path: Path) -> None:
        found = Checkpoint.load(path)
        found.check(path, self._model, self._began[2])
        formats = formats_of_lists(found.formats or {})
        self._structure.rebuild(found.structure, found.state, formats)
        self._densities = None if found.densities is None else dict(found.densities)
        if found.sensitivity is not None:
            self._sensitivity = Sensitivity(**found.sensitivity)
        self._reports = [StepReport(**each) for each in found.reports]
        for report in self._reports if self._on_step is not None else ():
            self._on_step(report)  # type: ignore[misc]
        self._step, self._epochs = found.step, found.epochs
        if found.optimizer is not None:
            self._make_optimizer(self._plan.steps[self._step])
            assert self._optimizer is not None
            self._optimizer.load_state_dict(dict(found.optimizer))
        _restore_state(self._code.batches, found.batches)
        set_random_state(dict(found.random))


def _state_of(batches: object) -> Any:
    """State of batches that keep one: their own, or that of a DataLoader's generator."""
    if hasattr(batches, "state_dict"):
        return batches.state_dict()
    generator = getattr(batches, "generator", None)
    return generator.get_state() if isinstance(generator, torch.Generator) else None


def _restore_state(batches: object, state: Any) -> None:
    if state is None:
        return
    if hasattr(batches, "load_state_dict"):
        batches.load_state_dict(state)
        return
    generator = getattr(batches, "generator", None)
    if not isinstance(generator, torch.Generator):
        raise InputError(
            "batches must have a generator, as they had when the checkpoint was written"
        )
    generator.set_state(state)
