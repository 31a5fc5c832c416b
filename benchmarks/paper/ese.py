"""What ESE, EIE's successor for LSTMs on an FPGA, says of itself.

Han et al., "ESE: Efficient Speech Recognition Engine with Sparse LSTM on FPGA", FPGA 2017
(https://arxiv.org/abs/1612.00694). All of it is from the abstract.
"""

from __future__ import annotations

#: Its FPGA, clock, and power in watts, which it measured.
DEVICE, CLOCK_MHZ, WATTS = "Xilinx XCKU060", 200, 41
#: 10^9 operations a second on weights that are there, and counted as if all were.
SPARSE_GOPS, DENSE_GOPS = 282, 2520
#: How much smaller pruning and quantisation each make its network.
PRUNED, QUANTISED = 10, 2
