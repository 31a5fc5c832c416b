"""The steps of a flow: an accelerated model is made and asked, and each step leaves its files."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import warnings
from collections.abc import Callable, Mapping
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
from eie.host.flow.data import Data, through
from eie.host.flow.engines import Engine
from eie.host.flow.host_side import cut_lines, host_facts, host_of
from eie.host.flow.quality import layer_lines, load_line, quality_text
from eie.host.flow.reading import read_with_shape
from eie.host.flow.record import NOTHING, hash_of
from eie.host.flow.reporting import report_of
from eie.host.flow.task import FlowTask, GivenArrays, gives_arrays
from eie.host.network import Network
from eie.host.network.head_record import HOST_FILES
from eie.host.network.sizes import loaded_text, model_weights
from eie.host.network.summary import sizes_text
from eie.host.packing.tiling import plan_passes
from eie.host.report.facts import EngineAgreement
from eie.host.search.fit import Fit, fit

if TYPE_CHECKING:
    from eie.host.cut import HostParts, ModelParts

__all__ = ["FILES", "STEPS", "LeftOutError", "Step", "Steps"]

#: Files that each step makes, in the order of the steps; those of the host only of a model that is
#: cut.
FILES = {
    "compress": ("network.npz", *HOST_FILES),
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
    def parts(self) -> ModelParts | None:
        """The model in real numbers; None of a network that is compressed already."""
        if self._is_network:
            return None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", EieWarning)
            found = read_with_shape(self.flow.model, cut=self.flow.cut)
        self._left_off = [each.message for each in caught]
        return found

    def density_problems(self) -> list[str]:
        """Say what is wrong with the densities that were asked for, where the model is read."""
        parts, density = self.__dict__.get("parts"), self.flow.density
        if parts is None or density is None:
            return []
        from eie.host.compress.pruning import layer_densities

        try:
            layer_densities([layer.name for layer in parts.dense.layers], density)
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
            "cut": self.flow.cut,
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
    def host(self) -> HostParts | None:
        """What the host does of the model: read, or as the step `compress` left it."""
        if self._is_network:
            return None
        parts = self.__dict__.get("parts")
        return parts.host if parts is not None else host_of(self.flow.out, self.network)

    @functools.cached_property
    def _taken(self) -> Data:
        """The flow's data as the accelerator takes it."""
        return through(self.data, self.host)

    @functools.cached_property
    def _acc(self) -> AcceleratedModel:
        out = self.flow.out
        parts = None
        with contextlib.suppress(ImportError):  # where `compress` was done elsewhere
            parts = self.parts
        return AcceleratedModel(
            self.network,
            Design.load(out / "design.toml"),
            model=None if parts is None else parts.dense,
            data=self._taken,
            project=out / "project",
            host=self.host,
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
        flow, parts = self.flow, self.parts
        for each in self._left_off:
            warn(each)
        if parts is None:
            network = Network.load(flow.model)
            lines = ["taken as it is"]
        else:
            from eie.host.cut import compress_parts

            network = compress_parts(
                parts,
                density=flow.density,
                calibration=self._taken.calibration,
                keep_weights=flow.keep_weights,
            )
            lines = []
        network.save(flow.out / "network.npz")
        if parts is not None and parts.host is not None:
            parts.host.save(flow.out)
            lines += cut_lines(parts.host, network, self._taken)
        else:
            for name in HOST_FILES:  # of an earlier run, with another cut
                (flow.out / name).unlink(missing_ok=True)
        weights = sum(layer.nonzeros for layer in network.layers)
        of = sum(model_weights(network.layers))
        lines.append(
            f"{sizes_text(network)}, {weights:,} of {of:,} weights kept "
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
            f"{found.engine}: all {found.outputs:,} outputs of {self._counted(found.vectors)} "
            "equal to the emulator's"
        ]

    def _counted(self, outputs: int) -> str:
        """Say of how many vectors, sequences or steps there are outputs."""
        return counted(outputs, self._acc.findings.unit)

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
            host=host_facts(self.host, acc.network, self._taken),
            files={
                "NET.npz": str(out / "network.npz"),
                "DESIGN.toml": str(out / "design.toml"),
                "PROJECT": str(out / "project"),
                **({"Y.npy": "Y.npz"} if gives_arrays(self.flow, acc.network) else {}),
                **self.flow.sources,
            },
        )
        report.save(out / "report.html")
        report.save(out / "report.json")
        return [f"{out / 'report.html'} (open it in a browser)"]


def _array_hash(array: GivenArrays | None) -> str:
    if array is None:
        return NOTHING
    if isinstance(array, Mapping):
        each = "\n".join(f"{name!r} {_array_hash(own)}" for name, own in array.items())
        return hashlib.sha256(each.encode()).hexdigest()
    head = f"{array.dtype.str} {array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def _save_json(path: Path, value: Any) -> None:
    write_whole(path, json.dumps(value, indent=2) + "\n")


def _save_array(path: Path, array: npt.NDArray[Any]) -> None:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_whole(path, stream.getbuffer())
