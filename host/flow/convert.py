"""One call from a model to an accelerator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.file_kinds import identify
from eie.hls.spec.boards import find_board
from eie.hls.spec.design import NO_BOARD, Design
from eie.host.flow.accelerated_model import AcceleratedModel
from eie.host.flow.data import Data, through
from eie.host.flow.reading import read_with_shape, sizes_of
from eie.host.flow.sequence_data import SequenceData, check_model_data
from eie.host.network import Network
from eie.host.search.fit import Fit, fit

if TYPE_CHECKING:
    from eie.host.compress.program import Model
    from eie.host.cut import Cut

__all__ = ["convert"]


def convert(
    model: Model | Network,
    *,
    board: str | None = None,
    density: float | Mapping[str, float] | None = None,
    calibration: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    keep_weights: bool = False,
    input_shape: Sequence[int] | None = None,
    design: Design | str | os.PathLike[str] | None = None,
    bitstream: str | os.PathLike[str] | None = None,
    state_dict: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    cut: Cut = None,
    **parameters: Any,
) -> AcceleratedModel:
    """Compress a model and choose hardware for it; what comes next is a method of the result.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` (left as it was), a ``torch.export`` program, a Keras 3 model, or the
        path of a saved one (``.pt2``, ``.onnx``, ``.keras``; docs/reference/models.md); or a
        network that is compressed already, or the path of its file (``.npz``), which needs no
        torch. Of a model of torch that the accelerator cannot take whole, such as one with
        convolutions, the head goes onto it and the rest stays on the host, as torch runs it
        (docs/how-to/host-and-accelerator.md).
    board
        Name in :data:`eie.BOARDS`, such as ``"pynq-z2"``. None or ``"none"`` takes an array of 64
        PEs for no board, which can be emulated and compiled, but not built.
    density
        Share of the weights to keep, above 0 and at most 1: one for all layers, or by layer name.
        0.1 if not given, or what a layer has that is pruned already.
    calibration
        Real inputs, shape (n, features) or (n, ...) with the model's own shape: formats, shared
        weights and the error that is told rest on them. Without any the error is not known. Of a
        recurrent model sequences: (n, steps, features), or a list of (steps, features).
    labels
        Of the calibration: classes, integers of shape (n,); or real targets, floats of shape (n,
        outputs). The summary says the accuracy then.
    keep_weights
        Take weights that are pruned and shared already as they are.
    input_shape
        Shape of one input of a module, without the batch, where neither `calibration` nor its first
        Linear tells.
    design
        Hardware to use instead of choosing it: a design, or the path of its file (``.toml``).
    bitstream
        On a board: the ``.bit`` that ``engine="board"`` loads. Without one the board is emulated.
    state_dict
        Weights for a module, or the path of a file of ``torch.save`` that holds them.
    cut
        Where to cut a model of torch: the path of the first module on the accelerator, such as
        ``"classifier.0"``, or of the first and the last one; False for a model that must not be
        cut. None takes all of the model that the accelerator can, or else the part of most
        multiply-adds behind which there are no more weights.
    **parameters
        What :func:`eie.fit` takes: parameters of :class:`eie.Design` that are not to be chosen,
        such as ``pes=16``; ``passes=True`` for a network larger than the board.

    Returns
    -------
    AcceleratedModel
        With ``network``, ``design`` and ``fit``; ``summary() predict() evaluate() compare() trace()
        compile() build() report() package() save()``; and what the calibration gives: ``findings``.
        ``host`` is what the host does, None if that is nothing.

    Raises
    ------
    InputError
        If an argument is not what it must be, or contradicts another.
    ModelError
        If the model holds something that cannot be compressed, and there is no part of it that the
        accelerator can take; names the node or layer.
    DoesNotFitError
        If no design fits the board; says what is short, by how much, and what helps.
    ImportError
        If a model is given and torch is not installed.

    Warns
    -----
    EieWarning
        Of what compression lost (:func:`eie.compress`), and where a model was cut.

    Examples
    --------
    >>> acc = eie.convert(model, board="pynq-z2", calibration=x, labels=y)
    >>> print(acc.summary())
    >>> acc.predict(x[:5], engine="c++")
    """
    network = _given_network(model)
    problems = Problems("convert")
    if network is not None:
        for name, given in (
            ("density", density is not None),
            ("calibration", calibration is not None),
            ("labels", labels is not None),
            ("keep_weights", keep_weights),
            ("input_shape", input_shape is not None),
            ("state_dict", state_dict is not None),
            ("cut", cut not in (None, False)),
        ):
            problems.require(
                not given,
                f"{name} must not be given with a network, which is compressed already"
                + ("; evaluate(x, y) takes data" if name in ("calibration", "labels") else ""),
            )
    else:
        problems.require(
            labels is None or calibration is not None,
            "labels must be given with calibration, the inputs that they belong to",
        )
        problems.require(
            density is None or not keep_weights,
            "density must not be given with keep_weights: nothing is pruned",
        )
    hardware = _given_design(design, board, parameters, problems)
    problems.raise_as(InputError)
    # Looked up before minutes of compressing.
    wanted_board = NO_BOARD if board is None or board == NO_BOARD else find_board(board).name
    parts, data = None, Data() if network is None or not network.recurrent else SequenceData()
    if network is None:
        # Says what is missing if torch is.
        from eie.host.compress.calibration import likely_shape

        likely = None if calibration is None else likely_shape(calibration)
        parts = read_with_shape(model, input_shape, likely, state_dict, cut)
        checked = check_model_data(calibration, labels, sizes_of(parts), name="calibration")
        data = through(checked, parts.host)

        from eie.host.cut import compress_parts

        network = compress_parts(
            parts, density=density, calibration=data.calibration, keep_weights=keep_weights
        )
    chosen: Fit | None = None
    if hardware is None:
        chosen = fit(network, wanted_board, **parameters)
        hardware = chosen.design
    return AcceleratedModel(
        network,
        hardware,
        fit=chosen,
        model=None if parts is None else parts.dense,
        data=data,
        bitstream=bitstream,
        host=None if parts is None else parts.host,
    )


def _given_network(model: object) -> Network | None:
    """Give the network if `model` is one, or the path of one."""
    if isinstance(model, Network):
        return model
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        if path.suffix == ".npz" or identify(path).name == "network":
            return Network.load(path)
    return None


def _given_design(
    design: Design | str | os.PathLike[str] | None,
    board: str | None,
    parameters: Mapping[str, Any],
    problems: Problems,
) -> Design | None:
    if design is None:
        return None
    found = design if isinstance(design, Design) else Design.load(design)
    problems.require(
        not parameters,
        f"{', '.join(parameters)} must not be given with a design, which has them already",
    )
    given = NO_BOARD if board == NO_BOARD else None if board is None else find_board(board).name
    problems.require(
        given is None or given == found.board,
        f"board must be left out or the design's, {found.board!r}, not {board!r}",
    )
    return found
