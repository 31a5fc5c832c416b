"""A compressed network, its hardware, and everything that can be done with them."""

from __future__ import annotations

import datetime
import os
import warnings
import weakref
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import EieWarning, InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted
from eie.hls.spec.design import NO_BOARD, Design
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.activations import layer_activations
from eie.host.flow.comparison import Comparison, compare_layers
from eie.host.flow.engines import Engine, Engines, check_engine
from eie.host.flow.evaluation import Evaluation, check_labels, evaluate_outputs
from eie.host.flow.inputs import real_batch, typical_vectors
from eie.host.flow.model_table import model_table
from eie.host.flow.reading import read_matching
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs, saturated_inputs
from eie.host.network.table import Table
from eie.host.packing.tiling import plan_passes
from eie.host.run.batch import RunResult, emulate_plan
from eie.host.search.fit import Fit

if TYPE_CHECKING:
    from eie.hls.tools.manifest import Manifest
    from eie.host.board.driver import Accelerator
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.program import Model

__all__ = ["AcceleratedModel"]

Reals = npt.NDArray[np.float32]
StrPath = str | os.PathLike[str]

#: Vectors that a report takes errors and accuracy from, at most.
_REPORTED = 1024


class AcceleratedModel:
    """A compressed network, its hardware, and everything that can be done with them.

    :func:`eie.convert` makes one. Real numbers go in and come out; inputs have the model's own
    shape, or are flat, a batch of them or a single one. An engine is ``"emulator"`` (numpy),
    ``"c++"`` (the generated code, compiled with g++) or ``"board"`` (the one that :meth:`open`
    opened, or else an emulated one); all of them give the same bits.

    Parameters
    ----------
    network
        The compressed network.
    design
        The hardware.
    fit
        Why this hardware; None if it was given.
    model
        The model before compression, in real numbers; None if it is not known.
    samples
        Real inputs, float64 of shape (n, inputs), that reports and packages use.
    labels
        Of the samples: classes or targets.
    bitstream
        Of the board that this runs on; None without one.

    Attributes
    ----------
    network : Network
        The compressed network.
    design : Design
        The hardware.
    fit : Fit or None
        How the design was chosen, ``fit.explain()`` in words; None if it was given.
    model : DenseModel or None
        The model before compression, in real numbers; None if it is not known.
    """

    def __init__(
        self,
        network: Network,
        design: Design,
        *,
        fit: Fit | None = None,
        model: DenseModel | None = None,
        samples: npt.NDArray[np.float64] | None = None,
        labels: npt.ArrayLike | None = None,
        bitstream: StrPath | None = None,
    ) -> None:
        self.network = network
        self.design = design
        self.fit = fit
        self.model = model
        self._samples = samples
        self._labels = labels
        self._plan = plan_passes(network, design)  # refuses a network that does not fit
        self._engines = Engines(network, design, bitstream)
        self._built: Path | None = None
        self._close = weakref.finalize(self, self._engines.close)

    def predict(self, x: npt.ArrayLike, engine: Engine = "emulator") -> Reals:
        """Take inputs through the compressed network.

        Parameters
        ----------
        x
            Real numbers: a batch (n, ...) in the model's own shape or flat, or a single input.
        engine
            ``"emulator"``, ``"c++"`` or ``"board"``.

        Returns
        -------
        ndarray of float32
            Shape (n, outputs), or (outputs,) for a single input.

        Raises
        ------
        InputError
            If shape or type are others, a number is not finite, or there is no such engine.
        ToolError
            If the engine needs g++ or pynq, and it is not there.

        Warns
        -----
        SaturationWarning
            If 16 bits could not hold inputs, or results of a layer.
        EieWarning
            Once, if the board is an emulated one.
        """
        check_engine(engine)
        array, single = real_batch(self.network, x)
        codes = quantize_inputs(self.network, array, name="x", stacklevel=3)
        outputs = self._engines.run(codes, engine, stacklevel=3)
        values = dequantize(outputs, self.network.output_frac)
        return values[0] if single else values

    def evaluate(
        self, x: npt.ArrayLike, y: npt.ArrayLike | None = None, engine: Engine = "emulator"
    ) -> Evaluation:
        """Say how well the compressed network does: against labels, and against the model.

        Parameters
        ----------
        x
            A batch of real inputs, as for :meth:`predict`.
        y
            Classes, integers of shape (n,); or real targets, floats of shape (n, outputs). None
            compares with the model alone.
        engine
            As for :meth:`predict`.

        Returns
        -------
        Evaluation
            Figures of the model are None if it is not known, as of a network from a file.

        Raises
        ------
        InputError
            If inputs or labels are not what they must be; or there is neither model nor labels.
        """
        check_engine(engine)
        array, single = real_batch(self.network, x)
        if single:
            raise InputError(
                f"x must be a batch, not a single input of shape {real_array(x, 'x').shape}"
            )
        if y is None and self.model is None:
            raise InputError(
                "y must be given, since the model that this network was made of is not known"
            )
        if y is not None:  # before minutes of emulating
            check_labels(y, len(array), self.network.outputs, name="y")
        codes = quantize_inputs(self.network, array, name="x", stacklevel=3)
        outputs = dequantize(
            self._engines.run(codes, engine, stacklevel=3), self.network.output_frac
        )
        exact = None if self.model is None else self.model.forward(array.astype(np.float64))
        return evaluate_outputs(outputs, labels=y, float_outputs=exact, name="y")

    def compare(
        self, model_or_x: Model | npt.ArrayLike, x: npt.ArrayLike | None = None
    ) -> Comparison:
        """Compare each layer with the model's: ``compare(x)``, or ``compare(model, x)``.

        Parameters
        ----------
        model_or_x
            Real inputs; or a model, as :func:`eie.convert` takes it, with `x`. Without one it is
            the model that was converted.
        x
            A batch of real inputs, as for :meth:`predict`.

        Returns
        -------
        Comparison
            Range, error and saturation of each layer.

        Raises
        ------
        InputError
            If no model is known, or the one given has other layers; or the inputs are not what they
            must be.
        """
        given = self.model if x is None else read_matching(self.network, model_or_x)
        if given is None:
            raise InputError(
                "compare must be given the model, compare(model, x), since the one that this "
                "network was made of is not known"
            )
        array, _ = real_batch(self.network, model_or_x if x is None else x)
        if not len(array):
            raise InputError("x must have at least one vector, not 0")
        codes = quantize_inputs(self.network, array, name="x", stacklevel=3)
        exact = given.layer_outputs(array.astype(np.float64))
        return compare_layers(
            self.network,
            layer_activations(self.network, codes),
            exact,
            inputs_saturated=int(saturated_inputs(self.network, array, codes).sum()),
        )

    def trace(self, x: npt.ArrayLike) -> dict[str, Reals]:
        """Give what every layer gives, as real numbers.

        Parameters
        ----------
        x
            Real numbers, as for :meth:`predict`.

        Returns
        -------
        dict of str to ndarray of float32
            By layer name, in order: shape (n, outputs of the layer), or (outputs,) for a single
            input. The last is what :meth:`predict` gives.
        """
        array, single = real_batch(self.network, x)
        codes = quantize_inputs(self.network, array, name="x", stacklevel=3)
        found = layer_activations(self.network, codes)
        return {each.name: each.values[0] if single else each.values for each in found}

    def summary(self) -> Table:
        """Give layers, size, error or accuracy, design and predicted time in a few lines.

        Latency is that of one vector alone, throughput that of a batch; both are of the cycle model
        at the design's clock, which nobody has built unless there is a bitstream.

        Returns
        -------
        Table
            Shows itself in a notebook; for ``print`` elsewhere.
        """
        accuracy = [] if self._evaluation is None else self._evaluation.summary().rows
        return model_table(self._plan, *self._predicted, accuracy)

    def compile(self) -> AcceleratedModel:
        """Generate the C++ and compile it with g++, for ``engine="c++"``.

        Returns
        -------
        AcceleratedModel
            This one.

        Raises
        ------
        ToolError
            If g++ or jinja2 is missing, or compiling fails.
        """
        self._engines.compiled()
        return self

    def open(self, bitstream: StrPath) -> Accelerator:
        """Load a bitstream and the network on the board that this runs on, for ``engine="board"``.

        Parameters
        ----------
        bitstream
            Path of the ``.bit``, with its ``.hwh`` beside it.

        Returns
        -------
        Accelerator
            With the network loaded; closed with this object.

        Raises
        ------
        InputError
            If a file is missing, or it is no eie accelerator.
        DeviceError
            If the accelerator does not answer.
        """
        return self._engines.open(bitstream)

    def build(self, out: StrPath | None = None) -> Manifest:
        """Build the bitstream with Vitis HLS and Vivado, which takes an hour or more.

        In between, the RTL is simulated and must do what the model does; without Verilator and
        ``eie[rtl]`` a warning and the manifest say that it was not.

        Parameters
        ----------
        out
            Folder for the result; ``bitstreams/BOARD-Npe`` if not given. The project is beside it,
            in a folder of the same name and ``-project``.

        Returns
        -------
        Manifest
            What was built.

        Raises
        ------
        InputError
            If the design is for no board, or a folder is in the way.
        ToolError
            If a tool is missing or fails; says which, and the log's last lines. If the RTL differs
            from the model; says where.
        """
        from eie.hls.tools.manifest import BITSTREAM
        from eie.hls.tools.rtl.check import check_before_build
        from eie.hls.tools.vendor import build_bitstream, run_hls
        from eie.host.project.generate import generate

        if self.design.board == NO_BOARD:
            raise InputError('build needs a board: convert with board="pynq-z2" or another')
        name = f"{self.design.board}-{self.design.pes}pe"
        folder = Path("bitstreams") / name if out is None else Path(out)
        project = folder.with_name(f"{folder.name}-project")
        project.parent.mkdir(parents=True, exist_ok=True)
        generate(self.design, project)
        run_hls(project)
        verdict = check_before_build(project)
        if not verdict.passed:
            warnings.warn(verdict.text, EieWarning, stacklevel=2)
        manifest = build_bitstream(project, folder, date=datetime.date.today())
        self._built = folder / BITSTREAM
        return manifest

    def report(self, path: StrPath) -> Path:
        """Write the report: one HTML page that opens offline, or its facts for a ``.json``.

        Cycles are those of the calibration's vectors, or of the golden ones. Errors and accuracy
        are in it as far as model and labels are known.

        Parameters
        ----------
        path
            File to write.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        from eie.host.report import (
            make_report,
        )

        single, batch = self._predicted
        comparison = evaluation = None
        if self.model is not None and self._samples is not None:
            comparison = self.compare(self._samples[:_REPORTED])
            evaluation = self._evaluation
        made = make_report(
            network=self.network,
            design=self.design,
            fit=self.fit,
            run=batch,
            single=single,
            evaluation=evaluation,
            comparison=comparison,
            agreement=self._agreement(),
        )
        made.save(path)
        return Path(path)

    def package(self, path: StrPath) -> Path:
        """Write one zip with everything that a board needs, test vectors and a self-check included.

        Parameters
        ----------
        path
            File to write, ``.zip``. It has the bitstream if :meth:`build` made one, or else the
            project to build it from.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the design is for no board, or the file cannot be written.
        """
        from eie.host.deploy.package import (
            package,
        )

        samples, labels = self._samples, self._labels
        classes = labels is not None and np.asarray(labels).dtype.kind in "iu"
        package(
            path,
            network=self.network,
            design=self.design,
            bitstream=self._built,
            inputs=None if samples is None else samples[:_REPORTED],
            labels=np.asarray(labels)[:_REPORTED] if classes else None,
        )
        return Path(path)

    def save(self, folder: StrPath) -> Path:
        """Write network and design: ``eie.convert(FOLDER/network.npz, design=FOLDER/design.toml)``.

        Parameters
        ----------
        folder
            Made if it is missing; files of these names in it are replaced.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make folder {target}: {error.strerror}") from error
        self.network.save(target / "network.npz")
        self.design.save(target / "design.toml")
        return target

    def close(self) -> None:
        """End the compiled kernel and let go of the board; what is asked for again is opened again.

        Also done when the object goes, or by a ``with`` statement.
        """
        self._engines.close()

    def __enter__(self) -> AcceleratedModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        board = "" if self.design.board == NO_BOARD else f" on {self.design.board}"
        return f"<AcceleratedModel: {self.network!r}{board}, {counted(self.design.pes, 'PE')}>"

    def __str__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    @cached_property
    def _predicted(self) -> tuple[RunResult, RunResult]:
        """One vector alone, and a batch, on the emulator."""
        codes = typical_vectors(self.network, self._samples)
        return emulate_plan(self._plan, codes[:1]), emulate_plan(self._plan, codes)

    @cached_property
    def _evaluation(self) -> Evaluation | None:
        """How well the network does on the samples; None without labels of them."""
        if self._samples is None or self._labels is None:
            return None
        return self.evaluate(self._samples, self._labels)

    def _agreement(self) -> list[Any]:
        """Compare engines with the golden outputs, which are those of the integer reference."""
        from eie.host.report import (
            EngineAgreement,
        )

        network = self.network
        if not len(network.golden_inputs):
            return []
        engines = ["emulator", *(["c++"] if self._engines.is_compiled else [])]
        found = []
        for engine in engines:
            outputs = self._engines.run(network.golden_inputs, engine, stacklevel=4)
            equal = int(np.count_nonzero(outputs == network.golden_outputs))
            found.append(
                EngineAgreement(engine, len(outputs), outputs.size, equal, "golden vectors")
            )
        return found
