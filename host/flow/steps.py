"""From a model to a report in steps, each with files of its own in one folder.

A step that was done already with the same inputs is kept (:mod:`eie.host.flow.record`); one that
fails leaves those before it, so the same call goes on from there.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieError, InputError, SaturationWarning, ToolError
from eie.hls.boundary.file_kinds import MODELS, identify, is_regular, refusal
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted
from eie.hls.spec.boards import find_board
from eie.hls.spec.design import Design, target_board
from eie.hls.spec.fixed_point import dequantize
from eie.hls.spec.packets import BEAT_BYTES
from eie.host.flow.quality import quality_text
from eie.host.flow.record import FlowRecord, hash_of
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sizes import float32_bytes, size_text
from eie.host.run.report import LayerReport, RunReport

if TYPE_CHECKING:
    from eie.host.flow.evaluation import Evaluation
    from eie.host.run.costs import Costs
    from eie.host.search.fit import Fit

__all__ = ["STEPS", "Flow", "StepDone"]

#: The steps in their order.
STEPS = ("compress", "fit", "generate", "emulate", "simulate", "run", "report")
#: Vectors that the compiled C++ and the emulated board are compared on.
_COMPARED = 1000
#: Vectors that cycles are counted on in a batch.
_COUNTED = 64

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True)
class StepDone:
    """What a step did."""

    #: One of :data:`STEPS`.
    name: str
    #: What it found, a line each.
    lines: tuple[str, ...]
    #: Whether it was done before, with the same inputs.
    kept: bool
    #: Whether it was left out, for the reason in `lines`.
    left_out: bool = False


class _LeftOutError(Exception):
    """A step cannot be done here, and the others can do without it."""


@dataclass(frozen=True, eq=False)
class Flow:
    """A model, a board, and the folder where everything from network to report goes.

    Attributes are what :func:`eie.host.compress.compress` and :func:`eie.host.search.fit.fit`
    take. :meth:`run` does the steps.
    """

    #: A saved model (``.pt2``, ``.onnx``, ``.keras``), or a network file.
    model: Path
    #: Name in :data:`eie.hls.spec.boards.BOARDS`.
    board: str
    #: Where the files go; made if it is not there.
    out: Path
    #: Real inputs, shape (n, ...): they calibrate and are run. None: the golden vectors are run.
    inputs: npt.NDArray[Any] | None = None
    #: Classes of shape (n,), or wanted outputs of shape (n, outputs).
    labels: npt.NDArray[Any] | None = None
    #: Share of the weights to keep, of all layers or by layer name.
    density: float | dict[str, float] | None = None
    #: Whether weights are pruned and shared already.
    keep_weights: bool = False

    def run(self) -> Iterator[StepDone]:
        """Do the steps one after another.

        Yields
        ------
        StepDone
            As soon as the step is done.

        Raises
        ------
        InputError
            Before anything is done: if board, labels, model or folder are not what they must be.
        EieError
            If a step fails; names it and says what to do. Those before it stay.
        """
        self._check()
        record = FlowRecord(self.out)
        for name, step, inputs, files in self._steps():
            given = inputs()
            if record.kept(name, given, files):
                yield StepDone(name, tuple(record.lines(name)), kept=True)
                continue
            tell(name)
            try:
                lines = step()
                record.add(name, given, files, lines)
            except _LeftOutError as reason:
                for file in files:  # of an earlier run, of another network perhaps
                    (self.out / file).unlink(missing_ok=True)
                yield StepDone(name, (str(reason),), kept=False, left_out=True)
                continue
            except (EieError, ImportError, OSError) as error:
                raise EieError(
                    f"step {name} failed: {error}\nwhat was done before it is kept in {self.out}: "
                    "the same command goes on from there"
                ) from error
            yield StepDone(name, tuple(lines), kept=False)

    def _steps(
        self,
    ) -> Iterator[tuple[str, Callable[[], list[str]], Callable[[], dict[str, Any]], list[str]]]:
        """Each step with its function, what goes in, and the files that come out."""
        yield "compress", self._compress, self._model_inputs, ["network.npz"]
        yield "fit", self._fit, self._fit_inputs, ["design.toml"]
        yield "generate", self._generate, self._hashes_of("design.toml", data=False), ["project"]
        made = ["network.npz", "design.toml"]
        yield "emulate", self._emulate, self._hashes_of(*made), ["outputs.npy", "cycles.json"]
        compared = [*made, "project", "outputs.npy"]
        yield "simulate", self._simulate, self._hashes_of(*compared), ["simulated.json"]
        yield "run", self._run_board, self._hashes_of(*compared), ["board.json"]
        known = [*made, "outputs.npy", "cycles.json", "simulated.json", "board.json"]
        yield "report", self._report, self._hashes_of(*known), ["report.html", "report.json"]

    def _check(self) -> None:
        find_board(self.board)
        kind = identify(self.model)
        if kind.name not in MODELS | {"network"}:
            raise InputError(refusal(self.model, "model"))
        if self.labels is not None and self.inputs is None:
            raise InputError("labels must not be given without inputs")
        if self.inputs is not None:
            if self.inputs.ndim < 2 or len(self.inputs) == 0:
                raise InputError(
                    f"inputs must have shape (n, features) with n at least 1, not "
                    f"{self.inputs.shape}"
                )
            if self.labels is not None and self.labels.shape[:1] != self.inputs.shape[:1]:
                raise InputError(
                    f"labels must be one for each of {len(self.inputs)} vectors, not of shape "
                    f"{self.labels.shape}"
                )
        if kind.name == "network" and (self.keep_weights or self.density is not None):
            raise InputError(
                f"{self.model} is compressed already: density and keep_weights must not be given"
            )
        if self.keep_weights and self.density is not None:
            raise InputError("density must not be given with keep_weights: nothing is pruned")
        if is_regular(self.out):
            raise InputError(f"{self.out} must be a folder, not a file")
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write to {self.out}: {error.strerror}") from error

    # What goes into the steps --------------------------------------------------------------

    def _model_inputs(self) -> dict[str, Any]:
        if identify(self.model).name == "network":
            return {"network": hash_of(self.model)}
        return {
            "model": hash_of(self.model),
            **self._external_data(),
            "inputs": _array_hash(self.inputs),
            "density": self.density,
            "keep_weights": self.keep_weights,
        }

    def _external_data(self) -> dict[str, Any]:
        """Hashes of files beside an ONNX model that hold weights of it, where there are any."""
        if identify(self.model).name != "onnx":
            return {}
        from eie.host.compress.readers.onnx_file import OnnxFile

        beside = OnnxFile(self.model).external_files()
        return {"external data": [hash_of(path) for path in beside]} if beside else {}

    def _fit_inputs(self) -> dict[str, Any]:
        return {"network": hash_of(self.out / "network.npz"), "board": find_board(self.board).name}

    def _hashes_of(self, *names: str, data: bool = True) -> Callable[[], dict[str, Any]]:
        """Give what goes into a step: files of the folder, and with `data` inputs and labels."""
        arrays = {"inputs": self.inputs, "labels": self.labels} if data else {}
        return lambda: {
            **{name: _array_hash(array) for name, array in arrays.items()},
            **{name: hash_of(self.out / name) for name in names},
        }

    @functools.cached_property
    def _network(self) -> Network:
        return Network.load(self.out / "network.npz")

    @functools.cached_property
    def _design(self) -> Design:
        return Design.load(self.out / "design.toml")

    @functools.cached_property
    def _codes(self) -> Codes:
        """The inputs as codes, shape (n, inputs); the golden ones without."""
        network = self._network
        if self.inputs is None:
            if len(network.golden_inputs):
                return network.golden_inputs
            from eie.host.search.prediction import example_input

            return example_input(network)
        return quantize_inputs(network, self.inputs, name="inputs")

    @functools.cached_property
    def _outputs(self) -> npt.NDArray[np.float32]:
        outputs: npt.NDArray[np.float32] = np.load(self.out / "outputs.npy", allow_pickle=False)
        return outputs

    @functools.cached_property
    def _fitted(self) -> Fit:
        """The choice and its reasons; chosen again, with the same result, when it was kept."""
        from eie.host.search.fit import fit

        return fit(self._network, find_board(self.board).name, passes=True)

    # The steps -----------------------------------------------------------------------------

    def _compress(self) -> list[str]:
        if identify(self.model).name == "network":
            network = Network.load(self.model)
            lines = ["taken as it is"]
        else:
            from eie.host.compress import compress

            keywords: dict[str, Any] = {"keep_weights": self.keep_weights}
            if self.density is not None:
                keywords["density"] = self.density
            network = compress(self.model, calibration=self.inputs, **keywords)
            lines = []
        network.save(self.out / "network.npz")
        sizes = "-".join(str(layer.columns) for layer in network.layers)
        weights = sum(layer.nonzeros for layer in network.layers)
        of = sum(layer.rows * layer.columns for layer in network.layers)
        lines.append(f"{sizes}-{network.outputs}, {weights:,} of {of:,} weights")
        lines.append(size_text(network))
        if self.inputs is not None:
            lines.append(f"error {network.metadata.get('error', 'not known')}")
        return lines

    def _fit(self) -> list[str]:
        from eie.host.packing.tiling import plan_passes

        fitted = self._fitted
        fitted.design.save(self.out / "design.toml")
        loaded = BEAT_BYTES * plan_passes(self._network, fitted.design).load_cycles
        before = float32_bytes(self._network)
        used, design = fitted.estimate, fitted.design
        low, high = used.lut.low, used.lut.high
        lines = [
            f"{counted(design.pes, 'PE')} at {design.clock_mhz} MHz on {target_board(design).title}"
            f": {used.bram36} BRAM36, {used.uram} UltraRAM, {used.dsp} DSP, {low} to {high} LUTs "
            "(estimated)",
            f"{loaded:,} bytes are loaded of the network, {before / loaded:.1f} times fewer than "
            f"{before:,} of float32",
        ]
        if fitted.in_passes:
            lines.append(
                f"the network is larger than the board: in {fitted.in_passes[0].passes} passes"
            )
        return lines

    def _generate(self) -> list[str]:
        from eie.host.project.generate import generate

        project = generate(self._design, self.out / "project")
        files = sum(each.is_file() for each in project.rglob("*"))
        return [f"{counted(files, 'file')} of C++, test bench and scripts in {project}"]

    def _emulate(self) -> list[str]:
        from eie.hls.tools.reports import project_allowance
        from eie.host.packing.tiling import plan_passes
        from eie.host.run.batch import emulate, emulate_plan
        from eie.host.run.costs import measure_costs

        network, codes = self._network, self._codes
        plan = plan_passes(network, self._design)
        outputs = emulate(network, self._design, codes, report=False, plan=plan).outputs
        # Of a project that was synthesised before the flow went on.
        allowance = project_allowance(self.out / "project", self._design)
        batch = emulate_plan(plan, codes[:_COUNTED], allowance=allowance).report
        costs = measure_costs(
            network, self._design, codes, plan=plan, batch=batch, allowance=allowance
        )
        values = dequantize(outputs, network.output_frac)
        lines = [] if self.inputs is not None else ["without data: the network's golden vectors"]
        evaluation = self._evaluate(values)
        if evaluation is not None:
            lines.append(quality_text(evaluation))
        _save_array(self.out / "outputs.npy", values)
        _save_json(
            self.out / "cycles.json",
            {"single": asdict(costs.single), "batch": asdict(costs.batch)},
        )
        return lines + costs.as_text().splitlines()

    def _simulate(self) -> list[str]:
        from eie.hls.tools.compiled_kernel import CompiledKernel
        from eie.hls.tools.gxx import require_compiler
        from eie.host.run.batch import simulate

        try:
            require_compiler()
        except ToolError as error:
            raise _LeftOutError(f"left out: {error}") from error
        codes = self._codes[:_COMPARED]
        tell("compiling the project with g++")
        with CompiledKernel(self.out / "project") as kernel, _quiet():
            tell("running the compiled project")
            outputs = simulate(self._network, self._design, kernel, codes, report=False).outputs
        return self._compare("generated C++", outputs, "simulated.json")

    def _run_board(self) -> list[str]:
        from eie.hls.model.emulator import Emulator
        from eie.hls.tools.compiled_kernel import CompiledKernel
        from eie.hls.tools.gxx import require_compiler
        from eie.host.board.driver import Accelerator
        from eie.host.board.overlay import import_pynq
        from eie.host.board_emulator import EmulatedBoard
        from eie.host.protocol.engine import Engine

        try:
            import_pynq()
        except EieError as error:
            raise _LeftOutError(f"left out: {error}") from error
        inside = "the compiled C++"

        def kernel() -> Engine:
            return CompiledKernel(self.out / "project")

        try:
            require_compiler()
        except ToolError:
            inside = "the numpy emulator"

            def kernel() -> Engine:
                return Emulator(self._design)

        codes = self._codes[:_COMPARED]
        with ExitStack() as stack:
            board = stack.enter_context(EmulatedBoard(target_board(self._design), kernel))
            accelerator = stack.enter_context(Accelerator(board.bitfile, timeout=600))
            stack.enter_context(_quiet())
            accelerator.load(self._network)
            outputs = accelerator.run(codes)
        lines = self._compare("driver on an emulated board", outputs, "board.json")
        return [f"{lines[0]} (pynq and driver are real, the fabric is {inside})"]

    def _report(self) -> list[str]:
        try:
            from eie.host.report import EngineAgreement, make_report
        except ImportError as error:  # jinja2
            raise _LeftOutError(f"no report: {error}") from error

        agreement = [
            EngineAgreement(**json.loads((self.out / name).read_text(encoding="utf-8")))
            for name in ("simulated.json", "board.json")
            if (self.out / name).is_file()
        ]
        costs = self.costs()
        report = make_report(
            network=self._network,
            design=self._design,
            fit=self._fitted,
            run=costs.batch,
            single=costs.single,
            evaluation=self._evaluate(self._outputs),
            agreement=agreement,
            files={
                "NET.npz": str(self.out / "network.npz"),
                "DESIGN.toml": str(self.out / "design.toml"),
                "PROJECT": str(self.out / "project"),
            },
        )
        report.save(self.out / "report.html")
        _save_json(self.out / "report.json", report.as_json())
        return [f"{self.out / 'report.html'} (open it in a browser)"]

    # Parts of steps ------------------------------------------------------------------------

    def costs(self) -> Costs:
        """Latency and throughput, as the step `emulate` counted them."""
        from eie.host.run.costs import Costs

        read = json.loads((self.out / "cycles.json").read_text(encoding="utf-8"))
        return Costs(_run_report(read["single"]), _run_report(read["batch"]))

    def _compare(self, engine: str, outputs: Codes, file: str) -> list[str]:
        expected = self._outputs[: len(outputs)]
        equal = int(np.sum(dequantize(outputs, self._network.output_frac) == expected))
        found = {"engine": engine, "vectors": len(outputs), "outputs": outputs.size, "equal": equal}
        if equal != outputs.size:
            raise EieError(
                f"{engine} differs from the emulator in {outputs.size - equal} of {outputs.size} "
                "outputs: please report this"
            )
        _save_json(self.out / file, found)
        return [
            f"{engine}: all {outputs.size:,} outputs of {counted(len(outputs), 'vector')} equal to "
            "the emulator's"
        ]

    def _evaluate(self, outputs: npt.NDArray[np.float32]) -> Evaluation | None:
        if self.labels is None:
            return None
        from eie.host.flow.evaluation import evaluate_outputs

        return evaluate_outputs(outputs, labels=self.labels)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hush what the step `emulate` has told of already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)
        yield


def _run_report(fields: dict[str, Any]) -> RunReport:
    return RunReport(
        **{**fields, "layers": tuple(LayerReport(**layer) for layer in fields["layers"])}
    )


def _array_hash(array: npt.NDArray[Any] | None) -> str:
    if array is None:
        return "none"
    head = f"{array.dtype.str} {array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def _save_json(path: Path, value: Any) -> None:
    write_whole(path, json.dumps(value, indent=2) + "\n")


def _save_array(path: Path, array: npt.NDArray[Any]) -> None:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_whole(path, stream.getbuffer())
