"""The operators that the kernel is made of, measured with yosys: ``make calibrate``.

Developers run it, not users: it writes ``hls/model/area/operators.json``, from which the estimate
of a design is summed.
"""
