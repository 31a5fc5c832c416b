"""From a design to an FPGA project: designs, boards, the generator and its tools."""
