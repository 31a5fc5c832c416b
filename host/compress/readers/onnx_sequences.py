"""ONNX graphs with LSTM or GRU nodes: sequences, whose axes are followed through the graph.

A vector is a step. What only turns axes is no operation, and what takes the last step is one; so
the readers of single nodes (:mod:`eie.host.compress.readers.onnx_step`) see vectors as always.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.text import shown
from eie.host.compress.model_graph import (
    Graph,
    LastStep,
    Node,
    Operation,
    Recurrent,
    RecurrentWeights,
    Unsupported,
)
from eie.host.compress.readers.onnx_reader import OnnxReader, leading_to
from eie.host.compress.readers.onnx_shapes import Refused
from eie.host.compress.readers.onnx_step import Step
from eie.host.compress.readers.onnx_values import Constant, Data, Value

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["SequenceReader"]

#: The two leading axes of the input, the features, one of size 1, and the layers of states.
_FIRST, _SECOND, _FEATURES, _ONE, _LAYERS = "first", "second", "features", "1", "layers"
#: Blocks of rows in torch's order: ONNX has i, o, f, c of an LSTM and z, r, h of a GRU.
_ORDER = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
_TURNS = ("Transpose", "Squeeze", "Reshape", "Gather", "Slice")
_WHAT = "what can be taken of a sequence is all steps, or the last one"


class SequenceReader(OnnxReader):
    """Reads one file whose input is a sequence of vectors."""

    def graph(self) -> Graph:
        """Give all nodes that lead from the input to the output."""
        self.check_versions()
        name, features, output = self._sequence_ends()
        self.values[name] = Data(name, (features,))
        self._axes: dict[str, tuple[str, ...]] = {name: (_FIRST, _SECOND, _FEATURES)}
        self._time = ""
        needed = self.needed(output)
        nodes: list[Node] = []
        for number, onnx_node in enumerate(self.onnx.node):
            if number in needed:
                nodes += self._nodes(onnx_node, f"{number + 1} of {len(self.onnx.node)}")
        found = self.values.get(output)
        if not isinstance(found, Data):
            raise ModelError(f"{self.path}: output {shown(output)} must depend on the input")
        read = leading_to(found.source, nodes)
        return Graph(self.path.name, (features,), name, read, sequences=True)

    def _sequence_ends(self) -> tuple[str, int, str]:
        """Name of the input, the features of its steps, and name of the output."""
        inputs, outputs = self.names_of_ends()
        given = next(each for each in self.onnx.input if each.name == inputs[0])
        sizes = given.type.tensor_type.shape.dim
        features = sizes[-1].dim_value if len(sizes) == 3 else 0
        if len(outputs) > 1:
            # A layer of torch alone gives its states as well.
            makers = {each: node for node in self.onnx.node for each in node.output}
            kinds = [makers[each].op_type for each in outputs if each in makers]
            if not set(kinds) <= {"LSTM", "GRU", *_TURNS}:
                raise ModelError(
                    f"{self.path} must have one output, not {', '.join(map(shown, outputs))}"
                )
        if features < 1:
            raise ModelError(
                f"{self.path}: input {shown(inputs[0])} must have shape (batch, steps, features), "
                "in whatever order, with features of a fixed size"
            )
        return inputs[0], features, outputs[0]

    def _nodes(self, node: NodeProto, place: str) -> list[Node]:
        """Read one node."""
        where = self.where(node, place)
        inputs = [self.value(name) for name in node.input]
        data = next((each for each in inputs if isinstance(each, Data)), None)
        name = node.output[0] if node.output else ""
        if node.op_type == "Shape":
            self.values[name] = "takes sizes of the input, which are not known"
            return []
        if data is None:
            # Constants, and texts of what is none.
            read = self.node(node, place)
            return [] if read is None else [read]
        source = node.input[inputs.index(data)]
        try:
            if node.op_type in ("LSTM", "GRU"):
                return self._recurrent(node, inputs, data, source, where)
            unknown = next((each for each in inputs if isinstance(each, str)), None)
            if unknown is not None:
                raise Refused(unknown)
            values = [each for each in inputs if not isinstance(each, str)]
            if node.op_type == "Concat" and self._states_together(node, inputs):
                return []
            axes = self._axes.get(source, ())
            operation: Operation | None
            if node.op_type in _TURNS:
                found, last = self._turned(node, values, axes)
                operation, shape = (LastStep() if last else None), data.shape
            else:
                self._require_features_last(node, axes)
                found = axes
                operation, shape = Step(node, values, self.attributes(node), self.layer_name).read(
                    data
                )
        except (Refused, InputError) as error:
            operation, shape, found = Unsupported(f"{where} {error}"), None, ()
        for output in node.output:
            self.values[output] = Data(data.source if operation is None else name, shape)
            self._axes[output] = tuple(found)
        sources = tuple(each.source for each in inputs if isinstance(each, Data))
        return [] if operation is None else [Node(name, operation, sources, where)]

    def _states_together(self, node: NodeProto, inputs: list[Any]) -> bool:
        """Take the states of several layers one behind the other, of which the last may be used."""
        axes = [self._axes.get(name, ()) for name in node.input]
        last = inputs[-1]
        if (
            self.attributes(node).get("axis") != 0
            or not isinstance(last, Data)
            or any(len(each) != 3 or each[0] != _ONE for each in axes)
        ):
            return False
        self.values[node.output[0]] = last
        self._axes[node.output[0]] = (_LAYERS, *axes[-1][1:])
        return True

    def _require_features_last(self, node: NodeProto, axes: Sequence[str]) -> None:
        place = 1 if node.op_type == "BatchNormalization" else -1
        if axes and axes[place] != _FEATURES:
            raise Refused(f"must have the features of a step in its axis {place}")

    def _turned(
        self, node: NodeProto, values: list[Value | None], axes: tuple[str, ...]
    ) -> tuple[Sequence[str], bool]:
        """Axes after a node that turns or selects, and whether it takes the last step."""
        attributes, kind = self.attributes(node), node.op_type
        if not axes:  # behind a node that is refused already
            return axes, False
        if kind == "Transpose":
            return [axes[place] for place in attributes["perm"]], False
        numbers = [
            [int(each) for each in value.array.ravel()] if isinstance(value, Constant) else None
            for value in values[1:]
        ]
        first = numbers[0] if numbers else attributes.get("axes")
        if kind == "Squeeze" and first is not None:
            gone = {each % len(axes) for each in first}
            if all(axes[each] == _ONE for each in gone):
                return [each for place, each in enumerate(axes) if place not in gone], False
        if kind == "Reshape":
            kept = [each for each in axes if each != _ONE]
            wanted = values[1]
            length = len(first) if first is not None else len(getattr(wanted, "values", ()))
            if length == len(kept) and kept[-1] == _FEATURES:
                return kept, False
        if kind == "Gather" and first == [-1]:
            place = attributes.get("axis", 0) % len(axes)
            rest = [each for at, each in enumerate(axes) if at != place]
            if axes[place] in (self._time, _ONE, _LAYERS):
                return rest, axes[place] == self._time
        if kind == "Gather" and first == [0]:
            place = attributes.get("axis", 0) % len(axes)
            if axes[place] == _ONE:
                return [each for at, each in enumerate(axes) if at != place], False
        if kind == "Slice" and len(numbers) > 2 and numbers[0] == [-1] and numbers[2] is not None:
            place = numbers[2][0] % len(axes)
            if axes[place] == self._time and (numbers[1] or [0])[0] >= 1 << 30:
                return [_ONE if at == place else each for at, each in enumerate(axes)], True
        raise Refused(f"must keep steps, batch and features apart; {_WHAT}")

    def _recurrent(
        self, node: NodeProto, inputs: list[Any], data: Data, source: str, where: str
    ) -> list[Node]:
        """Read an LSTM or a GRU, with both of its results."""
        kind: Literal["LSTM", "GRU"] = "LSTM" if node.op_type == "LSTM" else "GRU"
        attributes = self.attributes(node)
        batch_first = bool(attributes.get("layout", 0))
        axes = self._axes.get(source, ())
        time = axes[1 if batch_first else 0] if len(axes) == 3 else ""
        batch = axes[0 if batch_first else 1] if len(axes) == 3 else ""
        if {time, batch} != {_FIRST, _SECOND} or self._time not in ("", time):
            raise Refused("must step along the same axis as the recurrent layers before it")
        self._require_plain(node, kind, attributes)
        self._time = time
        weights = self._weights(node, kind, inputs)
        all_steps = (batch, time, _ONE) if batch_first else (time, _ONE, batch)
        states = (batch, _ONE) if batch_first else (_ONE, batch)
        names = [*node.output, "", "", ""][:3]
        shape = (weights.state_weights.shape[1],)
        whole = names[0] or f"{names[1]} of all steps"
        self.values[whole], self._axes[whole] = Data(whole, shape), (*all_steps, _FEATURES)
        found = [Node(whole, Recurrent(kind, (weights,)), (data.source,), where)]
        if names[1]:
            self.values[names[1]] = Data(names[1], shape)
            self._axes[names[1]] = (*states, _FEATURES)
            found.append(Node(names[1], LastStep(), (whole,), where))
        if names[2]:
            self.values[names[2]] = "takes the cell's state, which stays on the accelerator"
        return found

    def _require_plain(self, node: NodeProto, kind: str, attributes: dict[str, Any]) -> None:
        """Refuse what is near a plain layer, and is computed in another way."""
        direction = attributes.get("direction", b"forward")
        if direction not in (b"forward", "forward"):
            raise Refused("must step forward alone: bidirectional layers are not supported")
        names = next(
            ([text.decode() for text in each.strings] for each in node.attribute
             if each.name == "activations"), _ACTIVATIONS[kind],
        )  # fmt: skip
        if names != _ACTIVATIONS[kind] or "clip" in attributes or attributes.get("input_forget"):
            raise Refused("must have sigmoid and tanh, without clip and input_forget")
        if kind == "GRU" and not attributes.get("linear_before_reset", 0):
            raise Refused(
                "has linear_before_reset = 0, which resets the state before its product: not "
                "supported; torch and Keras (reset_after) have it the other way"
            )
        given = [*node.input, *[""] * 8]
        if given[4] or given[7]:
            raise Refused("must have neither sequence_lens nor peepholes")
        for name in given[5:7]:
            if name and not self._is_zero(name):
                raise Refused(f"must start from a state of zero, not from {shown(name)}")

    def _is_zero(self, name: str) -> bool:
        """Whether a value is zero, whatever its shape."""
        known = self.value(name)
        if isinstance(known, Constant):
            return not known.array.any()
        maker = next((node for node in self.onnx.node if name in node.output), None)
        if maker is None or maker.op_type == "Shape":
            return False
        if maker.op_type == "ConstantOfShape":
            filled = self.attributes(maker).get("value")
            return filled is None or not np.any(filled)
        keeps = ("Expand", "Unsqueeze", "Squeeze", "Identity", "Cast", "Reshape", "Slice", "Tile")
        return maker.op_type in keeps and self._is_zero(maker.input[0])

    def _weights(self, node: NodeProto, kind: str, inputs: list[Any]) -> RecurrentWeights:
        order = _ORDER[kind]
        blocks = len(order)
        given = [*inputs, None][1:4]
        if not all(isinstance(each, Constant) for each in given[:2]):
            raise Refused("must have constant weights")
        matrices = [each.array for each in given[:2]]
        if any(each.ndim != 3 or len(each) != 1 or each.dtype.kind != "f" for each in matrices):
            raise Refused("must have weights of real numbers for one direction")
        rows = matrices[0].shape[1]
        if rows % blocks or any(each.shape[1] != rows for each in matrices):
            raise Refused(f"must have {blocks} gates of as many rows each")

        def ordered(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
            parts = np.split(array, blocks)
            return np.ascontiguousarray(np.concatenate([parts[place] for place in order]))

        biases = [np.zeros(rows), np.zeros(rows)]
        if isinstance(given[2], Constant):
            both = given[2].array.astype(np.float64).ravel()
            if both.size != 2 * rows:
                raise Refused(f"must have {2 * rows} biases, not {both.size}")
            biases = [ordered(each) for each in np.split(both, 2)]
        name = self.layer_name(node, given[0])
        return RecurrentWeights(
            f"{name}.weight_ih_l0",
            f"{name}.weight_hh_l0",
            ordered(matrices[0][0]),
            ordered(matrices[1][0]),
            *biases,
        )
