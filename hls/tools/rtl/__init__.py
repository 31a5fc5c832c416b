"""RTL before the board: what Vitis HLS wrote, simulated against the model, packet by packet.

Everything in the Verilog of a kernel that C simulation cannot show (start FIFOs, stalls, feedback,
loops outlined, what comes up in registers) would otherwise be seen on a board first.
:mod:`~eie.hls.tools.rtl.check` does the whole; the others are its parts:

- :mod:`~eie.hls.tools.rtl.sources`: which files a synthesis left, and their ports;
- :mod:`~eie.hls.tools.rtl.structure`: what the text says of starts, FIFOs, registers;
- :mod:`~eie.hls.tools.rtl.exchanges`: packets to play, the answers they must get, and in what time;
- :mod:`~eie.hls.tools.rtl.simulator` and :mod:`~eie.hls.tools.rtl.bench`: Verilator, and the bench
  that cocotb runs in it; it records and judges nothing;
- :mod:`~eie.hls.tools.rtl.judge`: what was recorded against what must be;
- :mod:`~eie.hls.tools.rtl.verdict`: what is kept of all that, for the manifest of a build.
"""
