"""Taking a part out of an exported program, as a program of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from eie.hls.boundary.errors import ModelError, Problems
from eie.host.compress.graph_constants import describe, operation
from eie.host.compress.graph_nodes import arguments_of
from eie.host.compress.program import export_any_batch, without_torch_warnings
from eie.host.compress.quantize_marker import QUANTIZE
from eie.host.cut.host_part import HostPart

__all__ = ["extract", "holds_weights", "nodes_between"]

_SIZE = "aten.sym_size.int"
_DROPOUTS = frozenset({"aten.dropout.default", "aten.native_dropout.default"})


def nodes_between(program: ExportedProgram, start: fx.Node, end: fx.Node) -> list[fx.Node]:
    """Give what is needed to compute `end` from `start`, in order, without `start`."""
    needed, waiting = {end}, [end]
    while waiting:
        node = waiting.pop()
        if _is_batch(node):
            continue  # of whatever is at hand
        before = [each for each in node.all_input_nodes if each not in needed and each is not start]
        needed.update(before)
        waiting += before
    needed.discard(start)
    return [node for node in program.graph.nodes if node in needed]


def holds_weights(program: ExportedProgram, start: fx.Node, end: fx.Node) -> bool:
    """Whether parameters or buffers are needed to compute `end` from `start`."""
    return any(node.op == "placeholder" for node in nodes_between(program, start, end))


def extract(program: ExportedProgram, start: fx.Node, end: fx.Node) -> HostPart:
    """Make a program that computes `end` from `start`.

    Parameters
    ----------
    program
        Functional, of the whole model.
    start, end
        Values of it; all that `end` needs depends on `start` alone.

    Raises
    ------
    ModelError
        If a node of it is random or computes statistics of the batch, naming each; or torch cannot
        export it.
    """
    nodes = nodes_between(program, start, end)
    _check(nodes)
    root, graph = nn.Module(), fx.Graph()
    given = graph.placeholder("features")
    copies: dict[fx.Node, Any] = {start: given}
    held = _held(program)
    for number, node in enumerate(nodes):
        if node.op == "placeholder":
            if node.name not in held:
                raise ModelError(f"model must have one input, not {node.name!r} beside it")
            value = held[node.name].detach().cpu().clone()
            name = f"held_{number}_{node.name}"
            root.register_buffer(name, value)
            copies[node] = graph.get_attr(name)
        elif _is_batch(node):
            copies[node] = graph.call_function(torch.ops.aten.sym_size.int, (given, 0))
        elif operation(node) == QUANTIZE:
            copies[node] = _quantized(graph, *fx.node.map_arg(node.args, copies.__getitem__))
        elif _is_dropout(node):
            copies[node] = copies[node.all_input_nodes[0]]
        else:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[end])
    graph.eliminate_dead_code()
    module = fx.GraphModule(root, graph)
    value = start.meta["val"]
    fixed = isinstance(value.shape[0], int)
    sizes = [size if isinstance(size, int) else 2 for size in value.shape]
    example = torch.zeros(*sizes, dtype=value.dtype)
    try:
        with without_torch_warnings():
            made = (
                torch.export.export(module, (example,))
                if fixed
                else export_any_batch(module, example)
            )
    except Exception as error:  # torch raises whatever it meets
        raise ModelError(
            f"torch cannot export the part of the model from node {start.name!r} to node "
            f"{end.name!r}: {str(error).splitlines()[0]}"
        ) from error
    return HostPart(made)


def _check(nodes: list[fx.Node]) -> None:
    problems = Problems("model")
    for node in nodes:
        name = operation(node)
        if name in _DROPOUTS or not isinstance(node.target, torch._ops.OpOverload):
            continue
        given = arguments_of(node)
        drops = given.get("train", True) and given.get("dropout_p", given.get("dropout", 1.0)) != 0
        problems.require(
            torch.Tag.nondeterministic_seeded not in node.target.tags or not drops,
            f"{describe(node)} is random, and cannot be a part on the host: export the model in "
            "evaluation mode",
        )
        problems.require(
            "batch_norm" not in name or not (given.get("training") or "no_stats" in name),
            f"{describe(node)} must use its running statistics, not those of the batch: call "
            "model.eval() before torch.export.export",
        )
    problems.raise_as(ModelError)


def _held(program: ExportedProgram) -> dict[str, torch.Tensor]:
    """Parameters, buffers and constants by the name of their placeholder."""
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    tensors = {**program.constants, **program.state_dict}
    return {place: tensors[name] for place, name in names.items()}


def _is_batch(node: fx.Node) -> bool:
    return operation(node) == _SIZE and bool(node.args[1] == 0)


def _is_dropout(node: fx.Node) -> bool:
    """Whether a node is a dropout, or the values among its results."""
    if operation(node) == "getitem":
        return _is_dropout(node.all_input_nodes[0])
    return operation(node) in _DROPOUTS


def _quantized(graph: fx.Graph, values: Any, step: Any, low: Any, high: Any) -> Any:
    """The marker of a quantiser in operations of torch, so that any torch reads it."""
    aten = torch.ops.aten
    steps = graph.call_function(
        aten.round.default, (graph.call_function(aten.div.Tensor, (values, step)),)
    )
    kept = graph.call_function(aten.clamp.default, (steps, low, high))
    return graph.call_function(aten.mul.Tensor, (kept, step))
