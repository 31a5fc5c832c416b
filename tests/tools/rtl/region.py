"""Verilog of a dataflow region in the shape that Vitis HLS gives it: processes, FIFOs, starts.

Written for the tests after the shape of public outputs (see eie/hls/tools/rtl/structure.py): ports
without types in the header, an instance NAME_U0 of each process, an instance NAME_U of each FIFO,
start FIFOs, and assignments in alphabetical order. Nothing of it computes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design
from eie.hls.tools.rtl.sources import PORTS
from eie.hls.tools.rtl.structure import depth_of


@dataclass
class Region:
    """A region of a design, and what is odd about it."""

    design: Design
    #: Depth of FIFOs other than declared, by the stream's name.
    depths: dict[str, int] = field(default_factory=dict)
    #: What starts a process, by the process, where it is not the region or the first writer.
    starts: dict[str, str] = field(default_factory=dict)
    #: Kind of FIFO by the stream's name: S for a shift register, A for a memory.
    kinds: dict[str, str] = field(default_factory=dict)
    #: More text at the end of the top module.
    more: str = ""

    def files(self) -> dict[str, str]:
        """The text of each file of a synthesis."""
        wiring = wire(self.design)
        instances: dict[str, str] = {}
        for each in wiring.processes:
            instances[str(each.arguments)] = _instance(each.function, instances.values())
        writer: dict[str, str] = {}
        for each in wiring.processes:
            writer |= dict.fromkeys(each.writes, instances[str(each.arguments)])
        lines, assigns, modules = [], [], {}
        for each in wiring.processes:
            name = instances[str(each.arguments)]
            module = f"eie_{name.removesuffix('_U0')}"
            modules[module] = _process(module)
            lines += [
                f"{module} {name}(",
                *(f"    .{port}({_to(port, name)})," for port in ("ap_clk", "ap_start", "ap_done")),
                f"    .ap_ready({name}_ap_ready)",
                ");",
            ]
            first = next((writer[stream] for stream in each.reads if stream in writer), None)
            start = self.starts.get(name, "")
            if not start and first is not None:
                fifo = f"start_for_{name}"
                start = f"{fifo}_empty_n"
                lines += _fifo(f"eie_{fifo}", fifo, f"{first}_start_write", f"{name}_ap_ready")
            assigns.append(f"assign {name}_ap_start = {start or 'ap_start'};")
        for stream in wiring.streams:
            depth = self.depths.get(stream.name, depth_of(stream, self.design))
            module = f"eie_fifo_w64_d{depth}_{self.kinds.get(stream.name, 'S')}"
            modules[module] = _fifo_module(module, depth)
            for index in range(stream.count or 1):
                # The first of an array has no number.
                name = f"{stream.name}_{index}" if index else stream.name
                lines += _fifo(module, name, f"{name}_write", f"{name}_read")
        header = ",\n".join(f"        {port}" for port in PORTS)
        ports = [f"input   {port};" for port in PORTS if not port.endswith("TDATA")]
        ports += [f"input  [63:0] {port};" for port in PORTS if port.endswith("TDATA")]
        up = ["// power-on initialization", "initial begin", "#0 ap_CS_fsm = 3'd1;", "end"]
        head = ["`timescale 1 ns / 1 ps", "", "module eie (", header, ");", *ports]
        text = "\n".join([*head, *up, *lines, *sorted(assigns), self.more, "endmodule //eie"])
        return {"eie.v": text} | {f"{name}.v": body for name, body in modules.items()}


def _instance(function: str, taken: Iterable[str]) -> str:
    """``merge_4<1>`` is called merge_4_1_U0, and when it comes again merge_4_1_1_U0."""
    name = "_".join(re.findall(r"\w+", function))
    names = (f"{name}{number}_U0" for number in ("", *(f"_{each}" for each in range(1, 256))))
    return next(each for each in names if each not in taken)


def _to(port: str, name: str) -> str:
    return port if port == "ap_clk" else f"{name}_{port}"


def _fifo(module: str, name: str, write: str, read: str) -> list[str]:
    return [
        f"{module} {name}_U(",
        "    .clk(ap_clk),",
        "    .if_read_ce(1'b1),",
        f"    .if_write({write}),",
        f"    .if_full_n({name}_full_n),",
        f"    .if_empty_n({name}_empty_n),",
        f"    .if_read({read})",
        ");",
    ]


def _process(name: str) -> str:
    return "\n".join(
        [
            f"module {name} (ap_clk, ap_start, ap_done, ap_ready);",
            "input ap_clk;",
            "initial begin",
            "#0 ap_CS_fsm = 4'd1;",
            "#0 packet_count = 32'd0;",
            "end",
            "endmodule",
        ]
    )


def _fifo_module(name: str, depth: int) -> str:
    return "\n".join(
        [
            f"module {name}",
            f"#(parameter DATA_WIDTH = 64, DEPTH = {depth})",
            "(input wire clk, output wire if_full_n);",
            "initial begin",
            "#0 full_n = 1'b1;",
            "end",
            "endmodule",
        ]
    )
