"""Parts of each process of the kernel, a file a process, named as it and its header.

Each lists what the C++ in ``templates/kernel`` says: operators with the widths of its types, read
from the text as no schedule exists. Whoever changes a header finds the line to change here.

Counted once is what a LUT does in one: a multiplexer or a mask in front of an adder is in the
adder's LUTs, holding a register is its clock enable, and clearing it its reset.
"""

from eie.hls.model.area.processes.add_crc import add_crc
from eie.hls.model.area.processes.broadcast import broadcast
from eie.hls.model.area.processes.cell import cell
from eie.hls.model.area.processes.collect import collect
from eie.hls.model.area.processes.column_fetch import column_fetch
from eie.hls.model.area.processes.control_activations import control_activations
from eie.hls.model.area.processes.detect_nonzero import detect_nonzero
from eie.hls.model.area.processes.gather import gather
from eie.hls.model.area.processes.join_abreast import join_abreast
from eie.hls.model.area.processes.merge import merge
from eie.hls.model.area.processes.multiply_accumulate import multiply_accumulate
from eie.hls.model.area.processes.receive import receive
from eie.hls.model.area.processes.send import send
from eie.hls.model.area.processes.take_crc import take_crc

__all__ = [
    "add_crc",
    "broadcast",
    "cell",
    "collect",
    "column_fetch",
    "control_activations",
    "detect_nonzero",
    "gather",
    "join_abreast",
    "merge",
    "multiply_accumulate",
    "receive",
    "send",
    "take_crc",
]
