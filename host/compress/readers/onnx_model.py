"""An ONNX or QONNX file, of single vectors or of sequences."""

from __future__ import annotations

from pathlib import Path

from eie.host.compress.model_graph import Graph
from eie.host.compress.readers.onnx_file import OnnxFile
from eie.host.compress.readers.onnx_reader import OnnxReader
from eie.host.compress.readers.onnx_sequences import SequenceReader

__all__ = ["read_onnx"]


def read_onnx(path: Path) -> Graph:
    """Read an ONNX or QONNX file.

    Parameters
    ----------
    path
        The file; external data beside it.

    Raises
    ------
    ModelError
        If it is no ONNX model, of operators that are not known, or has not one input and one
        output. What its nodes do is judged when the graph is folded.
    ImportError
        If onnx is not installed.
    """
    file = OnnxFile(path)
    if any(node.op_type in ("LSTM", "GRU") for node in file.model.graph.node):
        return SequenceReader(file, path).graph()
    return OnnxReader(file, path).graph()
