"""The steps of a flow: an accelerated model is made and asked, and each step leaves its files."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieError, EieWarning, InputError, ToolError
from eie.hls.boundary.file_kinds import identify
from eie.hls.boundary.text import counted
from eie.hls.boundary.voice import either
from eie.hls.boundary.warning import warn
from eie.hls.spec.boards import find_board
from eie.hls.spec.design import Design, target_board
from eie.host.flow.accelerated_model import AcceleratedModel
from eie.host.flow.data import Data
from eie.host.flow.engines import Engine
from eie.host.flow.quality import layer_lines, load_line, quality_text
from eie.host.flow.reading import read_dense
from eie.host.flow.record import NOTHING, hash_of
from eie.host.flow.reporting import report_of
from eie.host.flow.task import FlowTask
from eie.host.network import Network
from eie.host.network.sizes import loaded_text
from eie.host.packing.tiling import plan_passes
from eie.host.report.facts import EngineAgreement
from eie.host.search.fit import Fit, fit

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel

__all__ = ["FILES", "STEPS", "LeftOutError", "Step", "Steps"]

#: Files that each step makes, in the order of the steps.
FILES = {
    "compress": ("network.npz",),
    "fit": ("design.toml",),
    "generate": ("project",),
    "emulate": ("outputs.npy", "cycles.json"),
    "simulate": ("simulated.json",),
    "run": ("board.json",),
    "report": ("report.html", "report.json"),
}
#: The steps in their order.
STEPS = tuple(FILES)


class LeftOutError(Exception):
    """A step cannot be done here, and the others can do without it."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step: what it does, and what it rests on."""

    #: One of :data:`STEPS`.
    name: str
    #: Does it; gives what it found, a line each.
    do: Callable[[], list[str]]
    #: What goes in, by name: values, or hashes of files and arrays.
    inputs: Callable[[], dict[str, Any]]

    @property
    def files(self) -> tuple[str, ...]:
        """Files that come out."""
        return FILES[self.name]


@dataclass(eq=False)
class Steps:
    """The steps of a flow.

    What a step needs of those before it is read from their files, so that it makes no difference
    whether they were done now or earlier.
    """

    flow: FlowTask
    #: The flow's data; set once it is checked.
    data: Data = field(default_factory=Data)
    #: What reading the model warned of: told by the step that compresses it.
    _left_off: list[Warning | str] = field(default_factory=list)

    @functools.cached_property
    def all(self) -> tuple[Step, ...]:
        """All steps in their order."""
        made = ("network.npz", "design.toml")
        compared = (*made, "project", "outputs.npy")
        known = (*made, "outputs.npy", "cycles.json", "simulated.json", "board.json")
        return (
            Step("compress", self._compress, self._given_to_compress),
            Step("fit", self._fit, self._given_to_fit),
            Step("generate", self._generate, lambda: self._hashes("design.toml")),
            Step("emulate", self._emulate, lambda: {**self._model(), **self._hashes(*made)}),
            Step("simulate", self._simulate, lambda: {**self._given(), **self._hashes(*compared)}),
            Step("run", self._run, lambda: {**self._given(), **self._hashes(*compared)}),
            Step("report", self._report, lambda: {**self._model(), **self._hashes(*known)}),
        )

    @functools.cached_property
    def dense(self) -> DenseModel | None:
        """The model in real numbers; None of a network that is compressed already."""
        if self._is_network:
            return None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", EieWarning)
            found = read_dense(self.flow.model)
        self._left_off = [each.message for each in caught]
        return found

    def density_problems(self) -> list[str]:
        """Say what is wrong with the densities that were asked for, where the model is read."""
        dense, density = self.__dict__.get("dense"), self.flow.density
        if dense is None or density is None:
            return []
        from eie.host.compress.pruning import layer_densities

        try:
            layer_densities([layer.name for layer in dense.layers], density)
        except InputError as error:
            return list(error.problems)
        return []

    @functools.cached_property
    def network(self) -> Network:
        """What the step `compress` made."""
        return Network.load(self.flow.out / "network.npz")

    # What goes into the steps --------------------------------------------------------------

    def _given_to_compress(self) -> dict[str, Any]:
        if self._is_network:
            return {"network": hash_of(self.flow.model)}
        return {
            "model": hash_of(self.flow.model),
            **self._external_data(),
            "inputs": _array_hash(self.flow.inputs),
            "density": self.flow.density,
            "keep_weights": self.flow.keep_weights,
        }

    def _external_data(self) -> dict[str, Any]:
        """Hashes of files beside an ONNX model that hold weights of it, where there are any."""
        if identify(self.flow.model).name != "onnx":
            return {}
        from eie.host.compress.readers.onnx_file import OnnxFile

        beside = OnnxFile(self.flow.model).external_files()
        return {"external data": [hash_of(path) for path in beside]} if beside else {}

    def _given_to_fit(self) -> dict[str, Any]:
        return {**self._hashes("network.npz"), "board": find_board(self.flow.board).name}

    def _given(self) -> dict[str, Any]:
        return {"inputs": _array_hash(self.flow.inputs)}

    def _model(self) -> dict[str, Any]:
        return {
            "model": hash_of(self.flow.model),
            **self._given(),
            "labels": _array_hash(self.flow.labels),
        }

    def _hashes(self, *names: str) -> dict[str, Any]:
        return {name: hash_of(self.flow.out / name) for name in names}

    @functools.cached_property
    def _is_network(self) -> bool:
        return identify(self.flow.model).name == "network"

    # What they share -----------------------------------------------------------------------

    @functools.cached_property
    def _fitted(self) -> Fit:
        """The choice and its reasons; chosen again, with the same result, when it was kept."""
        return fit(self.network, find_board(self.flow.board).name, passes=True)

    @functools.cached_property
    def _acc(self) -> AcceleratedModel:
        out = self.flow.out
        dense = None
        with contextlib.suppress(ImportError):  # where `compress` was done elsewhere
            dense = self.dense
        return AcceleratedModel(
            self.network,
            Design.load(out / "design.toml"),
            model=dense,
            data=self.data,
            project=out / "project",
        )

    def close(self) -> None:
        """End what was started."""
        if "_acc" in self.__dict__:
            self._acc.close()

    def _with_outputs(self) -> AcceleratedModel:
        """Give the accelerated model with the outputs of the step `emulate`."""
        outputs = np.load(self.flow.out / "outputs.npy", allow_pickle=False)
        self._acc.findings.take_outputs(outputs)
        return self._acc

    # The steps -----------------------------------------------------------------------------

    def _compress(self) -> list[str]:
        flow, dense = self.flow, self.dense
        for each in self._left_off:
            warn(each)
        if dense is None:
            network = Network.load(flow.model)
            lines = ["taken as it is"]
        else:
            from eie.host.compress.pipeline import compress_read

            network = compress_read(
                dense,
                density=flow.density,
                calibration=self.data.samples,
                keep_weights=flow.keep_weights,
            )
            lines = []
        network.save(flow.out / "network.npz")
        sizes = "-".join(str(layer.columns) for layer in network.layers)
        weights = sum(layer.nonzeros for layer in network.layers)
        of = sum(layer.rows * layer.columns for layer in network.layers)
        lines.append(
            f"{sizes}-{network.outputs}, {weights:,} of {of:,} weights kept "
            f"({100 * weights / of:.1f} %)"
        )
        if self.data.samples is not None and "error" in network.metadata:
            lines.append(f"error {network.metadata['error']}")
        return lines

    def _fit(self) -> list[str]:
        fitted = self._fitted
        fitted.design.save(self.flow.out / "design.toml")
        used, design = fitted.estimate, fitted.design
        low, high = used.lut.low, used.lut.high
        lines = [
            f"{counted(design.pes, 'PE')} at {design.clock_mhz} MHz on {target_board(design).title}"
            f": {used.bram36} BRAM36, {used.uram} UltraRAM, {used.dsp} DSP, {low} to {high} LUTs "
            "(estimated)",
            loaded_text(self.network, plan_passes(self.network, design).loaded_bytes),
        ]
        if fitted.in_passes:
            lines.append(
                f"the network is larger than the board: in {fitted.in_passes[0].passes} passes"
            )
        return lines

    def _generate(self) -> list[str]:
        from eie.host.project.generate import generate

        project = generate(Design.load(self.flow.out / "design.toml"), self.flow.out / "project")
        files = sum(each.is_file() for each in project.rglob("*"))
        return [f"{counted(files, 'file')} of C++, test bench and scripts in {project}"]

    def _emulate(self) -> list[str]:
        found = self._acc.findings
        _save_array(self.flow.out / "outputs.npy", found.outputs)
        lines = []
        if self.data.samples is None:
            data = either("inputs and labels give", "--data X.npy Y.npy gives")
            lines.append(f"without data: golden vectors; {data} accuracy and error")
        if found.evaluation is not None:
            lines.append(quality_text(found.evaluation))
        if found.comparison is not None:
            lines += layer_lines(found.comparison)
        costs = found.costs
        _save_json(
            self.flow.out / "cycles.json",
            {"single": asdict(costs.single), "batch": asdict(costs.batch)},
        )
        return [*lines, *costs.as_text().splitlines(), load_line(found.batch)]

    def _simulate(self) -> list[str]:
        from eie.hls.tools.gxx import require_compiler

        try:
            require_compiler()
        except ToolError as error:
            raise LeftOutError(f"left out: {error}") from error
        self._acc.compile()
        return self._compare("c++", "simulated.json")

    def _run(self) -> list[str]:
        from eie.hls.tools.gxx import require_compiler
        from eie.host.board.overlay import import_pynq

        try:
            import_pynq()
        except EieError as error:
            raise LeftOutError(f"left out: {error}") from error
        try:
            require_compiler()
        except ToolError:  # the emulator will do as its fabric
            pass
        else:
            self._acc.compile()
        return self._compare("board", "board.json")

    def _compare(self, engine: Engine, file: str) -> list[str]:
        found = self._with_outputs().findings.agreement(engine)
        if found.equal != found.outputs:
            raise EieError(
                f"{found.engine} differs from the emulator in {found.outputs - found.equal} of "
                f"{found.outputs} outputs: please report this"
            )
        _save_json(self.flow.out / file, asdict(found))
        return [
            f"{found.engine}: all {found.outputs:,} outputs of {counted(found.vectors, 'vector')} "
            "equal to the emulator's"
        ]

    def _report(self) -> list[str]:
        acc, out = self._with_outputs(), self.flow.out
        for name in ("simulated.json", "board.json"):
            if (out / name).is_file():
                read = json.loads((out / name).read_text(encoding="utf-8"))
                acc.findings.take_agreement(EngineAgreement(**read))
        report = report_of(
            acc.network,
            acc.design,
            acc.findings,
            fit=self._fitted,
            files={
                "NET.npz": str(out / "network.npz"),
                "DESIGN.toml": str(out / "design.toml"),
                "PROJECT": str(out / "project"),
                **self.flow.sources,
            },
        )
        report.save(out / "report.html")
        report.save(out / "report.json")
        return [f"{out / 'report.html'} (open it in a browser)"]


def _array_hash(array: npt.NDArray[Any] | None) -> str:
    if array is None:
        return NOTHING
    head = f"{array.dtype.str} {array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def _save_json(path: Path, value: Any) -> None:
    write_whole(path, json.dumps(value, indent=2) + "\n")


def _save_array(path: Path, array: npt.NDArray[Any]) -> None:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_whole(path, stream.getbuffer())
