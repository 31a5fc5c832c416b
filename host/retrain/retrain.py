"""Deep Compression as one call: prune, share, round, and train in between."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from eie.hls.boundary.errors import InputError
from eie.host.compress.pruning import Density
from eie.host.retrain.random_state import seeded
from eie.host.retrain.report import Retrained, StepReport
from eie.host.retrain.run import Run, UserCode
from eie.host.retrain.schedule import Schedule
from eie.host.retrain.sensitivity import SCAN_DENSITIES
from eie.host.retrain.settings import BUDGET, check_settings
from eie.host.retrain.training import MakeOptimizer, TrainStep, adam
from eie.host.retrain.weights import make_weights_plain

__all__ = ["retrain"]


def retrain(
    model: nn.Module,
    train_step: TrainStep,
    batches: Iterable[Any],
    *,
    evaluate: Callable[[nn.Module], float],
    calibration: npt.ArrayLike | torch.Tensor | None = None,
    density: Density | None = None,
    total_density: float | None = None,
    budget: float = BUDGET,
    scan_densities: Sequence[float] = SCAN_DENSITIES,
    scan_evaluate: Callable[[nn.Module], float] | None = None,
    schedule: Schedule | None = None,
    activation_bits: int = 16,
    balance: int | None = None,
    head: str = "",
    board: str | None = None,
    optimizer: MakeOptimizer = adam,
    checkpoint: str | os.PathLike[str] | None = None,
    on_step: Callable[[StepReport], None] | None = None,
    seed: int = 0,
) -> Retrained:
    """Prune a trained model, share its weights and round it to fixed point, training in between.

    The steps are those of Deep Compression (arXiv 1510.00149): pruning little by little with
    retraining; 15 shared weights a matrix, by k-means, which then learn; and fixed point, with
    training against it. Weights of Linears, LSTMs and GRUs are pruned and shared, each matrix by
    itself (``lstm.weight_hh_l0``); all else trains along, and stays as it is.

    Parameters
    ----------
    model
        Trained, in real numbers; left as it was.
    train_step
        ``train_step(model, batch)`` gives the loss of a batch, a tensor of one number with a
        gradient. Backward and the optimiser's step are done here. It is called with a copy of
        `model`, in training mode.
    batches
        Gives an epoch's batches each time it is iterated: a list, or a DataLoader.
    evaluate
        ``evaluate(model)`` gives the share that is right, 0 to 1. It is called in evaluation mode
        without gradients; for the integer arithmetic, with a module that computes in integers (in
        the place of `head`, or of the whole model).
    calibration
        Real inputs of the model, which formats and predicted cycles rest on. Without any, the
        way ends with shared weights in real numbers.
    density
        Share of the weights to keep, above 0 and at most 1: one for all matrices, or one for each.
    total_density
        Share of all weights to keep, which the sensitivity scan spreads over the matrices.
    budget
        Points of accuracy that may be lost, where neither density is given: the scan proposes
        densities.
    scan_densities, scan_evaluate
        What the scan tries, and what it measures by, if not by `evaluate`: data that densities are
        chosen on should not be the data that results are told of.
    schedule
        How long each part trains, and with which step sizes.
    activation_bits
        2 to 16. The accelerator has 16; with fewer, activations are rounded so that they take no
        more.
    balance
        Number of PEs: masks keep the same share in the rows of each (row i on PE i mod N).
    head
        Path of the submodule that is for the accelerator; the rest stays on the host in real
        numbers. Empty for the whole model.
    board
        Name in :data:`eie.BOARDS`, whose latency is predicted; None for a design of 64 PEs.
    optimizer
        ``optimizer(parameters, learning_rate)``; Adam if not given.
    checkpoint
        A file that is written after every epoch. If there is one, training goes on from it, to
        the same weights, bit by bit, as without an interruption (on the same machine and torch).
    on_step
        Called with the report of each step, as soon as it is there; first with those of a
        checkpoint.
    seed
        Of Python's, numpy's and torch's generators, which are put back afterwards.

    Returns
    -------
    Retrained
        The model, a report a step, and the network; ``summary()`` has it as a table.

    Raises
    ------
    InputError
        If an argument is not what it must be, a loss is missing or not finite, or the checkpoint
        is damaged or of another training. The model is left as it was.
    ModelError
        If rounding meets numbers that no format holds.

    Examples
    --------
    >>> def train_step(model, batch):
    ...     inputs, labels = batch
    ...     return torch.nn.functional.cross_entropy(model(inputs), labels)
    >>> found = eie.retrain(model, train_step, loader, evaluate=accuracy, calibration=x)
    >>> print(found)
    >>> acc = eie.convert(found.part, keep_weights=True, calibration=found.calibration)
    """
    settings = check_settings(
        model,
        {
            "train_step": train_step,
            "evaluate": evaluate,
            "optimizer": optimizer,
            **({} if scan_evaluate is None else {"scan_evaluate": scan_evaluate}),
        },
        calibration=calibration,
        density=density,
        total_density=total_density,
        budget=budget,
        scan_densities=scan_densities,
        schedule=schedule,
        activation_bits=activation_bits,
        balance=balance,
        head=head,
        board=board,
        seed=seed,
    )
    mine = _copied(model)
    make_weights_plain(mine.get_submodule(head))
    code = UserCode(train_step, batches, evaluate, scan_evaluate or evaluate, optimizer)
    with seeded(seed):
        run = Run(mine, code, settings, checkpoint, on_step)
        return run.finish()


def _copied(model: nn.Module) -> nn.Module:
    # What a hook computed (torch.nn.utils.prune) has a gradient's history, which cannot be copied.
    computed = [
        value
        for module in model.modules()
        for value in vars(module).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    ]
    memo = {id(value): value.detach().clone() for value in computed}
    try:
        return copy.deepcopy(model, memo)
    except RuntimeError as error:
        raise InputError(
            f"model must be one that copy.deepcopy copies ({str(error).splitlines()[0][:120]})"
        ) from error
