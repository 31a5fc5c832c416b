"""Which axis of a tensor is the batch, which the steps: in programs with a recurrent layer.

Modules differ in the order of axes, and turn them in between (``batch_first``, ``transpose``). A
vector is a step here, so whatever only turns axes is no operation, and what takes the last step
is one. Axes are followed from the input, whose first two have no name until a recurrent layer says
which of them it steps along.
"""

from __future__ import annotations

from typing import Any

from torch import fx

from eie.hls.boundary.errors import ModelError
from eie.host.compress.graph_constants import describe, operation
from eie.host.compress.model_graph import LastStep

__all__ = ["RECURRENT", "Refused", "SequenceAxes"]

#: Recurrent operations that are read.
RECURRENT = ("aten.lstm.input", "aten.gru.input")
#: The two leading axes of the input, the features, the layers of a state, and one of size 1.
_FIRST, _SECOND, _FEATURES, _LAYERS, _ONE, _BOTH = "first", "second", "features", "layers", "1", "*"
#: A slice to the end has this bound, or one beyond.
_END = (1 << 62) - 1


class Refused(Exception):
    """A node that is none of the operations of a graph; says why."""


class SequenceAxes:
    """Follows the axes of data through a program.

    Parameters
    ----------
    source
        The program's input, of three axes.
    """

    def __init__(self, source: fx.Node) -> None:
        self._axes: dict[fx.Node, tuple[str, ...]] = {source: (_FIRST, _SECOND, _FEATURES)}
        #: The axis that recurrent layers step along, once there was one.
        self._time = ""
        #: Order of steps and batch where they became one axis.
        self._together: list[str] = []

    def is_vector(self, data: fx.Node, place: int = -1) -> bool:
        """Whether an axis of `data` holds the features; the last one by default."""
        axes = self._axes.get(data, ())
        return bool(axes) and axes[place] == _FEATURES

    def recurrent(self, node: fx.Node, data: fx.Node, *, batch_first: bool) -> None:
        """Note that `node` steps along an axis of `data`.

        Raises
        ------
        Refused
            If that is not the axis of the layer before, or not one of the input's.
        """
        axes = self._axes.get(data, ())
        time = axes[1 if batch_first else 0] if len(axes) == 3 else ""
        batch = axes[0 if batch_first else 1] if len(axes) == 3 else ""
        if (
            not self.is_vector(data)
            or {time, batch} != {_FIRST, _SECOND}
            or self._time not in ("", time)
        ):
            raise Refused(
                f"{describe(node)} must take a sequence of vectors for each element of the batch, "
                f"not axes ({', '.join(axes) or 'unknown'}), and step along the same axis as the "
                "recurrent layers before it"
            )
        self._time = time
        self._axes[node] = axes

    def result(self, node: fx.Node, data: fx.Node) -> LastStep | None:
        """Take a result of a recurrent layer: all steps, or the state after the last one."""
        place = node.args[1]
        if place == 0:
            self._axes[node] = self._axes[data]
            return None
        if place == 1:
            batch = next(each for each in self._axes[data] if each in (_FIRST, _SECOND)
                         and each != self._time)  # fmt: skip
            self._axes[node] = (_LAYERS, batch, _FEATURES)
            return LastStep()
        raise Refused(
            f"{describe(node)} is the cell's state c, which stays on the accelerator: use the "
            "layer's outputs"
        )

    def keep(self, node: fx.Node, data: fx.Node) -> None:
        """Note that `node` leaves the axes as they are."""
        if data in self._axes:
            self._axes[node] = self._axes[data]

    def check_output(self, output: fx.Node) -> None:
        """Refuse a model whose result is not a vector for each step, or for the last one.

        Raises
        ------
        ModelError
        """
        axes, sizes = self._axes.get(output, ()), _sizes(output)
        if not self.is_vector(output) or any(
            axis == _LAYERS and size != 1 for axis, size in zip(axes, sizes, strict=True)
        ):
            raise ModelError(
                f"model's output {output.name!r} must be a vector for each step, or for the last "
                f"one, not axes ({', '.join(axes)}): of h_n take the last layer's, h_n[-1]"
            )

    def turn(self, node: fx.Node, data: fx.Node, arguments: dict[str, Any]) -> LastStep | None:
        """Read a node that turns, takes away or selects along axes.

        Raises
        ------
        Refused
            If it does something else.
        """
        axes = list(self._axes.get(data, ()))
        name = operation(node)
        if not axes:
            raise Refused(f"{describe(node)} takes what cannot be followed")
        found: list[str] | None = None
        taken = False
        if name == "aten.transpose.int":
            one, other = arguments["dim0"], arguments["dim1"]
            found = axes
            found[one], found[other] = found[other], found[one]
        elif name == "aten.permute.default":
            found = [axes[place] for place in arguments["dims"]]
        elif name in ("aten.squeeze.dim", "aten.squeeze.dims"):
            dims = arguments["dim"]
            gone = {
                each % len(axes) for each in (dims if isinstance(dims, (list, tuple)) else [dims])
            }
            sizes = _sizes(data)
            if all(axes[each] in (_ONE, _LAYERS) and sizes[each] == 1 for each in gone):
                found = [each for place, each in enumerate(axes) if place not in gone]
        elif name in ("aten.select.int", "aten.slice.Tensor"):
            found, taken = self._selected(name, axes, arguments, _sizes(data))
        elif name in ("aten.view.default", "aten.reshape.default", "aten._unsafe_view.default"):
            found = self._reshaped(axes, _sizes(data), _sizes(node))
        if found is None:
            raise Refused(
                f"{describe(node)} must keep steps and batch apart, and the features of a step "
                "together; what can be taken of a sequence is all steps, or the last one "
                "(out[:, -1], or h_n[-1])"
            )
        self._axes[node] = tuple(found)
        return LastStep() if taken else None

    def _selected(
        self, name: str, axes: list[str], arguments: dict[str, Any], sizes: list[Any]
    ) -> tuple[list[str] | None, bool]:
        """Give the axes after a selection, and whether it is that of the last step."""
        place = arguments["dim"] % len(axes)
        axis, size = axes[place], sizes[place]
        rest = axes[:place] + axes[place + 1 :]
        if name == "aten.select.int":
            last = arguments["index"] in (-1, size - 1 if isinstance(size, int) else None)
            if axis == _ONE:
                return rest, False
            if last and axis == _LAYERS:
                return rest, False
            return (rest, True) if last and axis == self._time else (None, False)
        start, end = arguments.get("start"), arguments.get("end")
        whole_end = end is None or str(end) == str(size) or (isinstance(end, int) and (
            end >= _END or (isinstance(size, int) and end >= size)))  # fmt: skip
        if arguments.get("step", 1) != 1 or not whole_end:
            return None, False
        if start in (None, 0):
            return axes, False
        if axis == self._time and start in (-1, size - 1 if isinstance(size, int) else None):
            return [*axes[:place], _ONE, *axes[place + 1 :]], True
        return None, False

    def _reshaped(self, axes: list[str], before: list[Any], after: list[Any]) -> list[str] | None:
        """Axes after steps and batch became one axis, or two again; the features stay last."""
        if str(before) == str(after):
            return axes
        kept = [place for place, each in enumerate(axes) if each != _ONE]
        if str([before[place] for place in kept]) == str(after):
            return [axes[place] for place in kept]
        if axes[-1] != _FEATURES or str(before[-1]) != str(after[-1]):
            return None
        if axes[:2] in ([_FIRST, _SECOND], [_SECOND, _FIRST]) and len(after) == 2:
            self._together = axes[:2]
            return [_BOTH, _FEATURES]
        if axes[0] == _BOTH and len(after) == 3:
            # That the sizes are those from before is what torch has checked, and what a model
            # means: other ones would mix sequences.
            return [*self._together, _FEATURES]
        return None


def _sizes(node: fx.Node) -> list[Any]:
    return list(getattr(node.meta.get("val"), "shape", ()))
