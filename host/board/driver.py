"""The driver: a network on the accelerator of a PYNQ board."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError, InputError, Problems
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.board.call_queue import Turns, awaitable
from eie.host.board.device_info import DeviceInfo
from eie.host.board.golden import check_clock, compare_golden
from eie.host.board.overlay import EieOverlay
from eie.host.board.recovery import BoardLink
from eie.host.board.sequence_calls import SequenceCalls
from eie.host.board.sequences import BoardSequences, StoppedError
from eie.host.board.transport import BoardEngine
from eie.host.network import Network
from eie.host.network.input_codes import input_codes
from eie.host.network.sequence_codes import Outputs
from eie.host.network.sequence_state import States
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.tiling import Plan, plan_passes
from eie.host.protocol.saturation import Saturation

if TYPE_CHECKING:
    import pynq

__all__ = ["Accelerator", "DeviceInfo"]

Codes = npt.NDArray[np.int16]
# A string: numpy 1.21, which PYNQ's images ship, cannot subscript np.floating when this is run.
Reals: TypeAlias = "npt.NDArray[np.floating[Any]]"


#: The accelerator that has each device, by pynq's tag for it.
_OPEN: weakref.WeakValueDictionary[str, Accelerator] = weakref.WeakValueDictionary()


class Accelerator(SequenceCalls):
    """The accelerator on a PYNQ board.

    Loads the bitstream, starts the kernel and asks it for its design::

        with Accelerator("eie.bit") as accelerator:
            accelerator.load(Network.load("network.npz"))
            accelerator.verify()
            outputs = accelerator.run(inputs)

    A network that fits the chip stays there. A larger one runs in passes: its weights are loaded
    part by part for every batch, so large batches pay and single vectors do not.

    Calls block until the answer is there, or a deadline has passed. After an error of the device
    the next call loads the bitstream, and the network when it needs it, again; outputs are either
    right or an exception.

    Any thread may call. One call at a time has the device; the others wait, and are served in the
    order in which they were made, :meth:`run_async` included. A call that a signal handler makes
    while it interrupts another one is refused.

    One process at a time has the device; a second one is told so. Within a process the newest
    accelerator on a device has it, as with pynq's overlays: the one before is closed, once its
    calls have ended.

    Parameters
    ----------
    bitstream
        Path of the ``.bit``, with its ``.hwh`` beside it, or the name of one that is installed, as
        pynq finds it; or a ``pynq.Overlay``, which may hold other things than the accelerator. An
        overlay that is loaded already is taken as it is, but after an error it is loaded again.
    dma
        Name of the DMA that serves the accelerator, in overlays with several.
    timeout
        Seconds that one packet may take to be answered.
    buffer_bytes
        Bytes of contiguous memory for a packet of vectors, and for its answer. A batch that needs
        more is sent in several packets, with twice that memory: while the accelerator works on
        one, the next is written and the last answer read. A single vector always goes.
    clock
        Seconds, rising; what deadlines are measured by.

    Raises
    ------
    InputError
        If a file is missing, or the overlay is no eie accelerator.
    ToolError
        If pynq is not installed.
    DeviceError
        If another process has the device, or the accelerator does not answer, or is not one that
        this version of eie made.
    """

    def __init__(
        self,
        bitstream: str | os.PathLike[str] | pynq.Overlay,
        *,
        dma: str | None = None,
        timeout: float = 10.0,
        buffer_bytes: int = 1 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        problems = Problems("accelerator")
        problems.require(buffer_bytes > 0, f"buffer_bytes must be positive, not {buffer_bytes!r}")
        # A deadline of nan never passes.
        problems.require(not math.isnan(timeout), "timeout must be a number of seconds, not nan")
        problems.raise_as(InputError)
        self._plan: Plan | None = None
        #: Of a recurrent network.
        self._sequences: BoardSequences | None = None
        self._saturation: Saturation | None = None
        self._turns = Turns()
        # Taking a turn and handing the call to the worker are one step.
        self._submitting = threading.Lock()
        self._worker: ThreadPoolExecutor | None = None
        overlay = EieOverlay(bitstream, dma=dma)
        self._engine = BoardEngine(overlay, timeout=timeout, clock=clock)
        before = _OPEN.get(overlay.device.tag)
        if before is not None:
            before.close()
        # From here on it can be closed by the next one, should nobody hold it after an interrupt.
        _OPEN[overlay.device.tag] = self
        try:
            self._engine.open()
            self._link = BoardLink(self._engine, buffer_bytes=buffer_bytes)
            check_clock(self._engine.clock_mhz, self.design)
        except BaseException:
            self._engine.close()
            raise

    @property
    def design(self) -> Design:
        """The design that the accelerator reports; its board is ``"none"``."""
        return self._link.design

    @property
    def saturation(self) -> Saturation | None:
        """What 16 bits could not hold in the last run, by layer; None before it, or if it failed.

        The accelerator counts it, and tells with the outputs. Where several threads run batches,
        the last is anybody's.
        """
        return self._saturation

    def load(self, network: Network) -> None:
        """Take `network` in place of the one before, and load what fits of it.

        Raises
        ------
        DoesNotFitError
            If the network needs more than the design has, even in passes; says by how much. The
            network before stays loaded.
        DeviceError
            If the accelerator fails or refuses; no network is loaded then.
        """
        if not isinstance(network, Network):
            raise InputError(f"network must be a Network, not {type(network).__name__}")
        with self._turns.take():
            plan = plan_passes(network, self.design)
            for each in plan.passes:
                self._link.check_transfers(each.packed)
            self._plan = None
            if self._sequences is not None:
                self._sequences.lose("another network was loaded")
                self._sequences = None
            self._link.load(plan.passes[0].packed)
            self._plan = plan
            if network.recurrent:
                self._sequences = BoardSequences(self._link, plan.passes[0].packed)

    @overload
    def run(
        self,
        inputs: Codes,
        *,
        outputs: Outputs | None = ...,
        keep_state: bool = ...,
        state: States | None = ...,
    ) -> Codes: ...
    @overload
    def run(
        self,
        inputs: Reals,
        *,
        outputs: Outputs | None = ...,
        keep_state: bool = ...,
        state: States | None = ...,
    ) -> npt.NDArray[np.float32]: ...
    @overload
    def run(
        self,
        inputs: Sequence[Codes | Reals],
        *,
        outputs: Outputs | None = ...,
        keep_state: bool = ...,
        state: States | None = ...,
    ) -> Any: ...
    def run(
        self,
        inputs: Any,
        *,
        outputs: Outputs | None = None,
        keep_state: bool = False,
        state: States | None = None,
    ) -> Any:
        """Take a batch of vectors through the network, or sequences through a recurrent one.

        :meth:`run_layers` takes vectors through some of its layers.

        Parameters
        ----------
        inputs
            Shape (batch, inputs), or with the network's ``input_shape``: real numbers (float16,
            float32, float64), which are quantised with the network's input format and saturate
            beyond it, with a warning; or int16, which are taken for fixed-point codes as they are.
            For a recurrent network sequences: (batch, steps, inputs), a list of (steps, inputs), or
            a single one of them.
        outputs
            Of sequences: ``"all"`` steps or the ``"last"``; what the model gives if None.
        keep_state
            Whether sequences go on where those of the last call ended, in the same order.
        state
            Where sequences begin, in place of zero, as torch has it: h_0 of GRUs, or (h_0, c_0),
            each of shape (recurrent layers, sequences, units).

        Returns
        -------
        ndarray, shape (batch, outputs)
            int16 codes for codes, float32 for real numbers; in the order of the inputs. Of all
            steps (batch, steps, outputs), or a list of (steps, outputs) for a list.

        Raises
        ------
        InputError
            If the inputs have another shape or type, or are not finite; nothing was sent.
        DeviceError
            If no network is loaded, the accelerator fails or refuses, or the state is lost.
        """
        with self._turns.take():
            return self._run(inputs, outputs=outputs, keep_state=keep_state, state=state)

    def run_layers(self, codes: Codes, first: int, last: int) -> Codes:
        """Take vectors through some layers of the network, which stays resident.

        Parameters
        ----------
        codes
            int16, shape (batch, inputs of the first of them): fixed-point codes in its format.
        first, last
            Indices of the layers with which it begins and ends. Layers behind a held vector cannot
            begin, nor layers whose sums the next one adds to end it.

        Returns
        -------
        ndarray of int16, shape (batch, results of the last of them)

        Raises
        ------
        InputError
            If no run may begin or end there, or the codes have another shape or type.
        DeviceError
            If no network is loaded, it runs in passes, or the accelerator fails or refuses.
        """
        with self._turns.take():
            plan = self._loaded()
            if len(plan.passes) != 1:
                raise DeviceError(
                    f"the network runs in {len(plan.passes)} passes, and layers by themselves are "
                    "for one that is resident as a whole: take a larger design"
                )
            packed = plan.passes[0].packed.between(first, last)
            outputs = self._link.run(packed, packed.check_codes(codes))
            assert outputs is not None  # nothing stops it
            return outputs

    def run_async(
        self,
        inputs: Any,
        *,
        outputs: Outputs | None = None,
        keep_state: bool = False,
        state: States | None = None,
    ) -> asyncio.Future[Any]:
        """Take a batch through the network while the event loop goes on.

        The call takes its turn at once, so several that are awaited later keep their order. The
        work is done in a thread. Cancelling is safe at any time: a batch that has not begun is
        left out; one that has begun ends after the packet under way, and the accelerator is
        ready for the next call.

        Parameters
        ----------
        inputs, outputs, keep_state, state
            As for :meth:`run`; inputs are to be left unchanged until the result is there.

        Returns
        -------
        asyncio.Future
            To be awaited: gives what :meth:`run` returns, or raises what it raises.

        Raises
        ------
        InputError
            If there is no running event loop.
        """
        stop = threading.Event()

        def call() -> Any:
            return self._run(
                inputs, stop.is_set, outputs=outputs, keep_state=keep_state, state=state
            )

        return self._submit(call, stop)

    def _submit(
        self, call: Callable[[], Any], stop: threading.Event | None = None
    ) -> asyncio.Future[Any]:
        """Let the worker make a call in its turn; cancelling it sets `stop`."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as error:
            raise InputError("run_async must be called in an event loop: use run() here") from error
        self._engine.require_open()
        with self._submitting:
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, thread_name_prefix="eie")
            turn = self._turns.take()

            def job() -> Any:
                with turn:
                    return call()

            submitted = self._worker.submit(job)
            turn.hand_over()
        # One that is cancelled before it begins leaves the queue as well.
        submitted.add_done_callback(lambda _: turn.leave())
        return awaitable(submitted, stop or threading.Event(), loop)

    def verify(self) -> int:
        """Run the network's golden inputs and compare every output with ``==``.

        A recurrent network takes them twice: each by itself, and as the steps of one sequence.

        Returns
        -------
        int
            Number of vectors compared.

        Raises
        ------
        InputError
            If the network has no golden vectors.
        DeviceError
            If an output differs; says how many do, and the first.
        """
        with self._turns.take():
            network = self._loaded().network
            expected = network.golden_outputs
            if not len(expected):
                raise InputError("the network has no golden vectors to verify with")
            golden = network.check_inputs(network.golden_inputs)
            outputs = self._run_codes(self._loaded(), golden)
            if self._sequences is not None:
                self._sequences.verify(golden)
        compare_golden(outputs, expected)
        return len(expected)

    def counters(self) -> Counters:
        """Read what the kernel counted during the last packet of vectors.

        Of a batch that took several packets, or several passes, that is the last one.
        """
        with self._turns.take():
            return self._link.counters()

    def info(self) -> DeviceInfo:
        """Bitstream, design, registers and passes."""
        with self._turns.take():
            passes = len(self._plan.passes) if self._plan is not None else 0
            return DeviceInfo(
                bitfile=self._engine.bitfile,
                design=self.design,
                registers=self._link.registers,
                clock_mhz=self._engine.clock_mhz,
                passes=passes,
            )

    def close(self) -> None:
        """Wait for the calls made before, stop the DMA, free buffers and device.

        Again does nothing.
        """
        with self._turns.take():
            self._engine.close()
        with self._submitting:
            if self._worker is not None:
                self._worker.shutdown(wait=False)
                self._worker = None

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _loaded(self) -> Plan:
        if self._plan is None:
            raise DeviceError("no network is loaded: call load(network) first")
        return self._plan

    def _run(
        self,
        inputs: Any,
        stopped: Callable[[], bool] = lambda: False,
        *,
        outputs: Outputs | None,
        keep_state: bool,
        state: States | None,
    ) -> Any:
        plan = self._loaded()
        network = plan.network
        if self._sequences is not None:
            return self._run_sequences(self._sequences, inputs, stopped, outputs, keep_state, state)
        if outputs is not None or keep_state or state is not None:
            raise InputError(
                "outputs, keep_state and state must be left out: the network has no recurrent layer"
            )
        taken = input_codes(network, inputs)
        found = self._run_codes(plan, taken.codes, stopped, saturated_inputs=taken.saturated)
        assert self._saturation is not None
        self._saturation.warn(network)
        return taken.answer(network, found)

    def _run_codes(
        self,
        plan: Plan,
        codes: Codes,
        stopped: Callable[[], bool] = lambda: False,
        *,
        saturated_inputs: int = 0,
    ) -> Codes:
        self._saturation = None
        saturated: list[tuple[int, ...]] = []

        def run_pass(packed: PackedNetwork, values: Codes) -> Codes:
            outputs = self._link.run(packed, values, stopped)
            if outputs is None:
                raise StoppedError
            saturated.append(self._link.saturated)
            return outputs

        outputs = plan.run(codes, run_pass)
        self._saturation = Saturation.of_run(
            plan.network, len(codes), saturated_inputs, plan.by_layer(saturated)
        )
        return outputs
