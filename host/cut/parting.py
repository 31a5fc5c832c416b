"""Reading a model in parts: the head that the accelerator takes, and the host's programs.

A model that the accelerator takes whole is read whole. Of another one the part with the most
multiply-adds goes onto the accelerator, as long as nothing with weights comes behind it; or the
part that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias, cast

from torch import fx, nn

from eie.hls.boundary.errors import InputError, ModelError, Problems
from eie.hls.boundary.text import listed
from eie.hls.boundary.voice import argument
from eie.hls.boundary.warning import warn
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.graph_constants import module_path, operation
from eie.host.compress.graph_reader import read_program
from eie.host.compress.model_graph import Graph, Linear, Node, Unsupported
from eie.host.compress.program import NamedProgram, load_program
from eie.host.compress.reader import is_of_torch, read_model, takes_input_shape
from eie.host.compress.state_dict import StateDict, with_state
from eie.host.cut.extraction import extract, holds_weights
from eie.host.cut.model_parts import HostParts, ModelParts, digest_of
from eie.host.cut.segments import Segment, best_segment, fold_segment, segments
from eie.host.network.head_record import HeadRecord

__all__ = ["Cut", "read_parts"]

#: Where a model is cut: by itself (None), not at all (False), or at the module that is the first
#: on the accelerator, or the first and the last.
Cut: TypeAlias = str | tuple[str, str] | bool | None


def read_parts(
    model: Any,
    *,
    input_shape: Sequence[int] | None = None,
    state_dict: StateDict | None = None,
    cut: Cut = None,
) -> ModelParts:
    """Read a model, in parts if the accelerator cannot take all of it.

    Parameters
    ----------
    model, input_shape, state_dict
        As for :func:`eie.host.compress.reader.read_model`. Only models of torch can be cut.
    cut
        The path of the first module on the accelerator, such as ``"classifier.0"``, or of the first
        and the last one; False for a model that must not be cut. None chooses.

    Returns
    -------
    ModelParts

    Raises
    ------
    ModelError
        If there is no part that the accelerator can take, or not the one asked for; names every
        place.
    InputError
        If an argument is not what it must be.

    Warns
    -----
    EieWarning
        Where the model was cut.
    """
    _check_cut(cut)
    refused: ModelError | None = None
    if cut in (None, False):
        try:
            whole = read_model(model, input_shape=input_shape, state_dict=state_dict)
            # A model of sequences goes on as it is: who takes one looks for it.
            return ModelParts(cast("DenseModel", whole))
        except ModelError as error:
            if cut is False or not is_of_torch(model):
                raise
            refused = error
    elif not is_of_torch(model):
        raise InputError(
            f"{argument('cut')} must be left out for a model that is none of torch: only a module "
            "or a torch.export program can run in part on the host"
        )
    if takes_input_shape(model) and input_shape is None and _convolves(model):
        raise InputError(
            f"input_shape must be given for {type(model).__name__}, which begins with convolutions "
            "on the host: the shape of one input, such as input_shape=(1, 28, 28); or calibration, "
            "which has it"
        )
    with nullcontext() if state_dict is None else with_state(model, state_dict):
        named = load_program(model, input_shape, any_batch=True)
        return _Parting(named, refused).parts(cut)


class _Parting:
    """Parts one program."""

    def __init__(self, named: NamedProgram, refused: ModelError | None) -> None:
        self._program = named.program
        self._graph: Graph = read_program(named)
        self._refused = refused
        #: What :meth:`_can_follow` found.
        self._followed: dict[int, bool] = {}
        self._nodes: dict[str, fx.Node] = {node.name: node for node in named.program.graph.nodes}
        signature = named.program.graph_signature
        self._source = self._nodes[str(signature.user_inputs[0])]
        self._output = self._nodes[str(signature.user_outputs[0])]

    def parts(self, cut: Cut) -> ModelParts:
        """Cut where it is asked for, or where the most is gained."""
        segment = self._chosen(cut) if isinstance(cut, (str, tuple)) else self._best()
        start, end = self._start(segment), self._end(segment)
        self._check_ends(start, end)
        dense = fold_segment(self._graph, segment, _sizes(start))
        # What only reshapes is no program.
        whole = self._graph.nodes[segment.start].inputs[0] == self._graph.input
        front = None if whole else extract(self._program, self._source, start)
        behind = None if end is self._output else extract(self._program, end, self._output)
        result = _sizes(end)
        record = HeadRecord(
            input_shape=_sizes(self._source),
            features=_sizes(start),
            positions=segment.positions,
            result=result,
            outputs=_sizes(self._output) or (1,),
            front="" if front is None else front.text,
            behind="" if behind is None else behind.text,
            digest=digest_of(front, behind),
        )
        host = HostParts(record, front, behind)
        if front is not None or behind is not None or segment.positions:
            warn(self._told(segment, host))
        return ModelParts(dense, host, segment.multiply_adds)

    # The part -----------------------------------------------------------------------------

    def _best(self) -> Segment:
        found = best_segment(self._graph, self._can_follow, self._taken)
        if found is None:
            raise self._none()
        return found

    def _none(self) -> ModelError:
        """Say why no part was found."""
        inside = [
            each
            for each in segments(self._graph)
            if each.multiply_adds and not self._can_follow(each.end)
        ]
        advice = (
            "nor can a part of it go onto the accelerator, with the rest on the host: that takes a "
            "Linear, or a convolution with a kernel of 1, behind which only operations without "
            "weights come"
        )
        if inside:
            names = dict.fromkeys(
                self._path(node)
                for each in inside
                for node in self._graph.nodes[each.start : each.end]
                if _is_product(node)
            )
            advice += f"; {argument('cut')} can name one in the middle: {listed(map(repr, names))}"
        refused = self._refused
        if refused is None or not refused.problems:
            return ModelError(f"{refused or 'model cannot be cut'}\n{advice}")
        problems = Problems("model", list(refused.problems))
        try:
            problems.raise_as(ModelError, advice)
        except ModelError as error:
            return error
        raise AssertionError("there is a problem")

    def _chosen(self, cut: str | tuple[str, str]) -> Segment:
        """Give the part that was asked for."""
        first, last = (cut, None) if isinstance(cut, str) else cut
        starts = self._within(first)
        if last is not None:
            end = max(self._within(last)) + 1
            found = [each for each in segments(self._graph) if each.end == end]
        else:
            found = list(segments(self._graph))
        found = [each for each in found if each.start == min(starts) and each.multiply_adds]
        found.sort(key=lambda each: each.end, reverse=True)
        problem = ""
        for each in found:
            try:
                fold_segment(self._graph, each, self._taken(self._graph.nodes[each.start]))
            except ModelError as error:
                problem = problem or str(error)
                continue
            return each
        where = f"{argument('cut')} must name modules that the accelerator can take, not {cut!r}"
        raise ModelError(f"{where}: {problem or self._why_not(min(starts))}")

    def _why_not(self, index: int) -> str:
        operation = self._graph.nodes[index].operation
        if isinstance(operation, Unsupported) and operation.pointwise is None:
            return operation.problem
        return "there is no Linear in it, or what is behind it needs more than its output"

    def _within(self, path: str) -> list[int]:
        """Indices of the nodes of a module, or of those within it."""
        found = [
            index
            for index, node in enumerate(self._graph.nodes)
            if (own := self._path(node)) == path or own.startswith(f"{path}.")
        ]
        if not found:
            names = dict.fromkeys(self._path(node) for node in self._graph.nodes)
            raise InputError(
                f"{argument('cut')} must name a module of the model that computes something, such "
                f"as {listed((repr(name) for name in names if name), 12)}, not {path!r}"
            )
        return found

    def _can_follow(self, end: int) -> bool:
        """Whether nothing with weights comes behind the nodes up to `end`."""
        if end == len(self._graph.nodes):
            return True
        if end not in self._followed:
            last = self._nodes[self._graph.nodes[end - 1].name]
            self._followed[end] = not holds_weights(self._program, last, self._output)
        return self._followed[end]

    # Its ends -----------------------------------------------------------------------------

    def _start(self, segment: Segment) -> fx.Node:
        """The value that a part takes, as its first node takes it: behind a Flatten."""
        return self._nodes[self._graph.nodes[segment.start].taken[0]]

    def _end(self, segment: Segment) -> fx.Node:
        """The value that a part gives, or what the model makes of it by reshaping it."""
        if segment.end == len(self._graph.nodes):
            return self._output
        node = self._nodes[self._graph.nodes[segment.end - 1].name]
        # Of an operation with several results, such as a BatchNorm, the first is the value.
        first = [each for each in node.users if operation(each) == "getitem"]
        return first[0] if first else node

    def _check_ends(self, start: fx.Node, end: fx.Node) -> None:
        """Refuse values whose sizes are not known, or whose first axis is not the batch."""
        problems = Problems("model")
        batch = str(self._source.meta["val"].shape[0])
        for node in dict.fromkeys((self._source, start, end, self._output)):
            shape = node.meta["val"].shape
            sizes = f"({', '.join(map(str, shape))})"
            problems.require(
                str(shape[0] if len(shape) else "") == batch,
                f"{node.name!r} must have the batch in front, as the inputs have, where the model "
                f"is cut, not shape {sizes}",
            )
            problems.require(
                all(isinstance(size, int) for size in shape[1:]),
                f"{node.name!r} must have fixed sizes but for the batch, not shape {sizes}: export "
                "the model with those of your inputs",
            )
        problems.raise_as(ModelError)

    def _taken(self, node: Node) -> tuple[int, ...]:
        return _sizes(self._nodes[node.taken[0]])

    # Words --------------------------------------------------------------------------------

    def _path(self, node: Node) -> str:
        return module_path(self._nodes[node.name])

    def _told(self, segment: Segment, host: HostParts) -> str:
        record = host.record
        products = [
            node for node in segment.nodes(self._graph) if isinstance(node.operation, Linear)
        ]
        names = listed(repr(node.operation.name) for node in products)  # type: ignore[union-attr]
        around = [
            f"{text} {where}"
            for text, where in ((record.front, "before it"), (record.behind, "behind it"))
            if text
        ]
        total = segment.multiply_adds + host.multiply_adds
        share = 100 * segment.multiply_adds / total
        at = f", {record.vectors} positions of an input as vectors" if record.positions else ""
        return (
            f"the model is cut: {names} on the accelerator{at} ({share:.1f} % of the {total:,} "
            f"multiply-adds of an input), and on the host, with torch, "
            f"{', '.join(around) or 'what puts values in order'}"
        )


def _check_cut(cut: Cut) -> None:
    names = isinstance(cut, tuple) and len(cut) == 2 and all(isinstance(x, str) for x in cut)
    if cut is not None and cut is not False and not names and not isinstance(cut, str):
        raise InputError(
            f"{argument('cut')} must be the path of a module, such as 'classifier.0', or those of "
            f"the first and the last one on the accelerator, or False, not {cut!r}"
        )


def _convolves(model: nn.Module) -> bool:
    """Whether a module holds convolutions, so that its Linear does not tell its input's shape."""
    return any("Conv" in type(part).__name__ for part in model.modules())


def _is_product(node: Node) -> bool:
    found = node.operation
    if isinstance(found, Unsupported):
        return found.pointwise is not None and isinstance(found.pointwise.operation, Linear)
    return isinstance(found, Linear)


def _sizes(node: fx.Node) -> tuple[int, ...]:
    value: Any = node.meta["val"]
    return tuple(value.shape[1:])
