"""What is said of a node that does not become a layer."""

from __future__ import annotations

from eie.host.compress.model_graph import Join, Node, Unsupported

__all__ = ["refusal"]


def refusal(node: Node, joining: tuple[str, str], rest: str) -> str:
    """Say why a node is not supported, and what would make it work.

    Parameters
    ----------
    node
        The node. One that its reader has refused says itself why.
    joining
        Of a join: what it does to the values that it takes, and why that is not supported.
    rest
        Of any other node.
    """
    if isinstance(node.operation, Unsupported):
        return node.operation.problem
    if isinstance(node.operation, Join):
        does, why = joining
        return f"{node.where} {does} {', '.join(map(repr, node.inputs))}: {why}"
    return f"{node.where} {rest}"
