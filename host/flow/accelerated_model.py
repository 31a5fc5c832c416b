"""A compressed network, its hardware, and everything that can be done with them."""

from __future__ import annotations

import datetime
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.text import counted
from eie.hls.boundary.warning import warn
from eie.hls.spec.design import NO_BOARD, Design
from eie.hls.tools.reports import project_allowance
from eie.host.flow.data import Data
from eie.host.flow.engines import Engines
from eie.host.flow.host_side import cut_lines, host_facts, host_of
from eie.host.flow.inference import Inference
from eie.host.flow.model_table import model_table
from eie.host.flow.packed_data import packed_data
from eie.host.flow.reporting import report_of
from eie.host.flow.sequence_findings import findings_of
from eie.host.network import Network
from eie.host.network.table import Summarized, Table
from eie.host.packing.tiling import plan_passes
from eie.host.search.fit import Fit
from eie.host.view import View, view

if TYPE_CHECKING:
    from eie.hls.tools.manifest import Manifest
    from eie.host.board.driver import Accelerator
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.sequence_model import SequenceModel
    from eie.host.cut import HostParts

__all__ = ["AcceleratedModel"]

Reals = npt.NDArray[np.float32]
StrPath = str | os.PathLike[str]

#: Names of files in a folder of a saved model.
NETWORK_FILE, DESIGN_FILE = "network.npz", "design.toml"


class AcceleratedModel(Inference, Summarized):
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
    data
        Samples and labels, which findings, reports and packages rest on.
    bitstream
        Of the board that this runs on; None without one.
    project
        A folder that was generated of the design, for ``engine="c++"``; made if there is none.
    host
        What the host does before and behind the network, of a model that was cut.

    Attributes
    ----------
    network : Network
        The compressed network.
    design : Design
        The hardware.
    fit : Fit or None
        How the design was chosen, ``fit.explain()`` in words; None if it was given.
    model : DenseModel, SequenceModel or None
        The model before compression, in real numbers; None if it is not known. Of a model that was
        cut, the part that the accelerator takes.
    host : HostParts or None
        What the host does with torch, of a model that was cut: ``host.record`` has the shapes,
        ``host.multiply_adds`` and ``host.parameters`` what it costs. None if it does nothing.
    findings : Findings
        What the samples give: ``costs evaluation comparison outputs agreement(engine)``, each
        found when it is first asked for.
    """

    def __init__(
        self,
        network: Network,
        design: Design,
        *,
        fit: Fit | None = None,
        model: DenseModel | SequenceModel | None = None,
        data: Data | None = None,
        bitstream: StrPath | None = None,
        project: Path | None = None,
        host: HostParts | None = None,
    ) -> None:
        super().__init__(network, model, Engines(network, design, bitstream, project), host)
        self.design = design
        self.fit = fit
        self._data = Data() if data is None else data
        self._plan = plan_passes(network, design)  # refuses a network that does not fit
        allowance = None if project is None else project_allowance(project, design)
        self.findings = findings_of(self._plan, self._engines, model, self._data, allowance, host)
        self._built: Path | None = None
        self._close = weakref.finalize(self, self._engines.close)

    def summary(self) -> Table:
        """Give layers, size, error or accuracy, design and predicted time in a few lines.

        Latency is that of one vector alone, throughput that of a batch; both are of the cycle model
        at the design's clock, which nobody has built unless there is a bitstream.

        Returns
        -------
        Table
            Shows itself in a notebook; for ``print`` elsewhere.
        """
        found = self.findings
        accuracy = [] if found.evaluation is None else found.evaluation.summary().rows
        notes, vectors = [], 1
        if self.host is not None:
            notes = cut_lines(self.host, self.network, self._data)
            vectors = self.host.record.vectors
        return model_table(self._plan, found.costs, accuracy, notes, vectors)

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
            warn(verdict.text)
        manifest = build_bitstream(project, folder, date=datetime.date.today())
        self._built = folder / BITSTREAM
        return manifest

    def report(self, path: StrPath) -> Path:
        """Write the report: one HTML page that opens offline, or its facts for a ``.json``.

        It has what :attr:`findings` has: cycles of the calibration's vectors, or of the golden
        ones, and errors and accuracy as far as model and labels are known. The C++ is compared with
        the emulator if it is compiled.

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
        if self._engines.is_compiled:
            self.findings.agreement("c++")
        build = None
        if self._built is not None:
            from eie.hls.tools.manifest import Manifest

            build = Manifest.load(self._built.parent)
        made = report_of(
            self.network,
            self.design,
            self.findings,
            fit=self.fit,
            build=build,
            host=host_facts(self.host, self.network, self._data),
        )
        made.save(path)
        return Path(path)

    def view(self, *, layer: int | None = None, inputs: npt.ArrayLike | None = None) -> View:
        """Look at the hardware, and step through a layer: ``acc.view().save("view.html")``.

        Parameters
        ----------
        layer
            Number of the layer to step through, from 0; the first that can be if None.
        inputs
            One vector, or a batch of which the first is taken; the network's first golden vector,
            or a random one, if None. Of a recurrent model a sequence, whose last step is taken.

        Returns
        -------
        View
            In a notebook it shows itself.

        Raises
        ------
        InputError
            If there is no such layer, or the inputs are of another shape.
        """
        return view(self.design, self.network, layer=layer, inputs=inputs)

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
        from eie.host.deploy.package import package

        inputs, labels = packed_data(self._data, self.network, self.host)
        package(
            path,
            network=self.network,
            design=self.design,
            bitstream=self._built,
            inputs=inputs,
            labels=labels,
            host_files={} if self.host is None else self.host.files(),
        )
        return Path(path)

    def save(self, folder: StrPath) -> Path:
        """Write network and design, and of a model that was cut what the host does.

        :meth:`load` reads the folder. So does ``eie.convert(FOLDER/network.npz,
        design=FOLDER/design.toml)``, for the network alone. The files are ``network.npz``,
        ``design.toml``, and ``host.pt2`` (``host-behind.pt2``) for what is before (behind) it.

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
        self.network.save(target / NETWORK_FILE)
        self.design.save(target / DESIGN_FILE)
        if self.host is not None:
            self.host.save(target)
        return target

    @classmethod
    def load(cls, folder: StrPath, *, bitstream: StrPath | None = None) -> AcceleratedModel:
        """Read what :meth:`save` wrote, or a folder of ``eie flow``.

        Parameters
        ----------
        folder
            With ``network.npz``, ``design.toml``, and what the host does of a model that was cut.
        bitstream
            As for :func:`eie.convert`.

        Returns
        -------
        AcceleratedModel
            Without the model before compression, which is in none of the files.

        Raises
        ------
        InputError
            If a file is missing or damaged, or they do not belong together.
        ImportError
            If the host has a part, and torch is not installed; says what can be done without it.
        """
        where = Path(folder)
        network = Network.load(where / NETWORK_FILE)
        design = Design.load(where / DESIGN_FILE)
        return cls(network, design, bitstream=bitstream, host=host_of(where, network))

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
