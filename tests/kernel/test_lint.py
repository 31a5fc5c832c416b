"""What a tool with a strict eye must find right in the generated C++, without running it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest
from cpp_reader import (
    all_loops,
    functions,
    loops,
    without_comments,
)

import eie.hls.model.compiled
from eie.hls.model.area import estimate
from eie.hls.model.area.memories import OF_STREAM
from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design
from eie.hls.spec.registers import PORTS
from eie.hls.tools.gxx import ap_types_folder
from eie.host.project.generate import render

HERE = Path(__file__).parent


DESIGNS = (
    Design(pes=1, board="pynq-z2"),
    Design(pes=8, index_bits=5, rows_per_pe=512, biases_per_pe=512, abreast=2, board="pynq-z1"),
    Design(pes=64, memory="uram", cell_units=2, held_activations=512, spare_luts=1, board="zcu104"),
    Design(pes=256, abreast=4),
)


@pytest.fixture(scope="module", params=DESIGNS, ids=lambda design: f"{design.pes}pe")
def design(request) -> Design:
    return request.param


@pytest.fixture(scope="module")
def rendered(design) -> dict[str, str]:
    return render(design)


@pytest.fixture(scope="module")
def kernel(rendered) -> dict[str, str]:
    """The files that are synthesised, the blocks' own tops among them, by path."""
    return {
        path: text for path, text in rendered.items() if path.startswith(("kernel/", "blocks/"))
    }


# Loops ------------------------------------------------------------------------------------------


#: Loops that only choose which other loop comes next.
OUTER = {"packet", "run"}


def test_loops_are_pipelined_or_unrolled(kernel) -> None:
    found = all_loops(kernel)
    assert sum(loop.pipelined for loop in found) > 20
    for loop in found:
        assert loop.pipelined or loop.unrolled or loop.label in OUTER, loop


def test_loops_that_end_with_each_layer_flush(kernel) -> None:
    """Should a compiler make one of them and the loop around, no layer's end stays within."""
    for loop in all_loops(kernel):
        if loop.pipelined:
            assert loop.flushing == (loop.label in {"tokens", "layer"}), loop


def test_pipelined_loops_are_flat(kernel) -> None:
    """A loop nest drains its pipeline for every round of the outer loop."""
    for loop in all_loops(kernel):
        if loop.pipelined:
            assert all(inner.unrolled for inner in loops(loop.body)), loop


def test_every_pipelined_iteration_ends_its_cycle_once(kernel) -> None:
    """send_beat() ends the cycle itself. Neither may be within a condition."""
    for loop in all_loops(kernel):
        if not loop.pipelined:
            continue
        (end,) = re.finditer(r"\b(?:end_cycle|send_beat)\(", loop.body)
        before = loop.body[: end.start()]
        assert before.count("{") == before.count("}"), loop
        assert re.search(r"(?:[;{}]|II = 1)\s*$", before), loop
        assert not re.search(r"\b(?:continue|break|return)\b", loop.body), loop


def test_the_loop_over_entries_touches_each_memory_in_one_place(kernel) -> None:
    """A memory has a port to read and one to write."""
    body = {f.name: f.body for f in functions(kernel["kernel/multiply_accumulate.h"])}[
        "multiply_run"
    ]
    (loop,) = [loop.body for loop in loops(body) if loop.pipelined]
    for memory in ("entries", "codebooks", "biases", "layer_table"):
        assert len(re.findall(rf"\b{memory}\[", loop)) == 1
    for bank in ("sums_0", "sums_1"):
        assert len(re.findall(rf"= {bank}\[", loop)) == 1
        assert len(re.findall(rf"\) {bank}\[\w+\] =", loop)) == 1
        assert loop.count(f"{bank}[") == 2


def test_no_memory_decides_about_the_next_iteration(kernel) -> None:
    """It answers a cycle after it is asked, one of LUTs too: the loop would take two.

    What a table of layers says goes into what is sent, or into addresses, which are needed later.
    """
    control = kernel["kernel/control_activations.h"]
    body = {f.name: f.body for f in functions(control)}["run_batch"]
    of_layer = set(re.findall(r"descriptor\.(\w+)", body))
    assert of_layer == {
        *("columns", "results", "local_rows", "pointer_word", "source", "hold"),
        *("function", "slope"),
    }
    for field in ("holds", "accumulates", "recurrent", "takes_held"):
        assert not re.search(rf"descriptor\.{field}\b", control)
    body = {f.name: f.body for f in functions(kernel["kernel/multiply_accumulate.h"])}[
        "multiply_run"
    ]
    uses = re.findall(r"^ *(.*\bof_next\b.*)$", body, re.M)
    assert [use for use in uses if not use.startswith("LayerOfPe")] == [
        "of_layer = of_next;",
        "of_next = layer_table[of];",
    ]


# Pragmas ----------------------------------------------------------------------------------------


PRAGMAS = {
    "AGGREGATE",
    "ARRAY_PARTITION",
    "BIND_OP",
    "BIND_STORAGE",
    "DATAFLOW",
    "DEPENDENCE",
    "INLINE",
    "INTERFACE",
    "PIPELINE",
    "RESET",
    "UNROLL",
}


def declared_type(name: str, text: str) -> str | None:
    """Type of a variable or parameter declared in `text`."""
    found = re.search(
        rf"\b([A-Za-z_][\w:]*(?:<[^;(){{}}]*>)?)&? \(?&?{name}\)?(?:\[[^\]]*\])*(?:\(\"|[;=,)]| =)",
        text,
    )
    return found[1] if found else None


def test_pragmas_are_known_and_name_what_is_declared(kernel) -> None:
    tables = "".join(kernel.get(f"kernel/{name}.h", "") for name in ("config", "cell_table"))
    constants = re.findall(r"^const(?:expr)? [\w<>+ ]+ (\w+)\[\]", tables, re.M)
    seen = 0
    for name, text in kernel.items():
        in_functions = 0
        for function in functions(text):
            for pragma in re.findall(r"#pragma HLS (.*)", function.body):
                in_functions += 1
                assert pragma.split()[0] in PRAGMAS, (name, pragma)
                # Arrays and scalars of their own: what a pragma does to a member of a struct, or to
                # a struct passed by reference, is documented in part.
                assert not re.search(r"variable = \w+\.", pragma), (name, pragma)
                found = re.search(r"variable = (\w+)", pragma)
                if found is None:
                    continue
                seen += 1
                of = declared_type(found[1], function.signature + function.body)
                assert of is not None or found[1] in constants, (name, function.name, pragma)
        assert in_functions == len(re.findall(r"^#pragma HLS", text, re.M)), name
    assert seen >= 20


def test_every_memory_is_bound_and_in_the_estimate(design, kernel) -> None:
    """Arrays that are kept from call to call, and the ROM: so the count of block RAMs is exact.

    Those that are partitioned into registers take none.
    """
    arrays, bound = set(), set()
    for function in (f for text in kernel.values() for f in functions(text)):
        bound |= set(re.findall(r"BIND_STORAGE variable = (\w+) type = r", function.body))
        in_registers = re.findall(r"ARRAY_PARTITION variable = (\w+) complete", function.body)
        statics = re.findall(r"^  static (\w+)(?:<.*?>)? (\w+)(\[|;)", function.body, re.M)
        arrays |= {
            name
            for of, name, end in statics
            if (end == "[" or re.search(rf"^typedef \w+ {of}\[", "".join(kernel.values()), re.M))
            and name not in in_registers
        }
    assert {"layers", "layer_table", "entries", "bank_0", "sums_0"} <= arrays
    assert bound == arrays | {"kDesignRecord"} | ({"kTanhTable"} if design.cell_units else set())
    # Queues are streams; accumulators have two banks in one line, plain pointers too.
    listed = sum(
        memory.count > 0 and memory.name not in OF_STREAM.values()
        for memory in estimate(design).memories
    )
    assert listed == len(bound) - 1 - (design.length_bits == 0)
    (layer,) = (each for each in estimate(design).memories if each.name == "layers")
    fields = re.search(r"struct LayerDescriptor \{(.*?)\};", kernel["kernel/layer_table.h"], re.S)
    held = max(1, (max(1, design.held_words) - 1).bit_length())
    of_cell = {"kFunctionBits": 3, "kSlopeBits": 16} if design.cell_units else {}
    bits = {"row_t": 17, "layer_rows_t": 25, "held_t": held, "kFunctionBits": 1, "kSlopeBits": 1}
    types = re.findall(r"^  (?:ap_uint<(\w+)>|(\w+)) \w+;", fields[1], re.M)
    assert len(types) == fields[1].count(";")
    widths = bits | of_cell
    assert layer.width == sum(
        int(name) if name.isdigit() else widths[name] for name in map("".join, types)
    )


def test_pragma_of_a_name_that_is_not_declared_is_found(kernel) -> None:
    """The check above can fail."""
    (function,) = (
        f for f in functions(kernel["kernel/detect_nonzero.h"]) if f.name == "leading_lane"
    )
    assert declared_type("first", function.body) == "ap_uint<2>"
    assert declared_type("second", function.body) is None
    assert declared_type("memory", "void f(memory_t& memory, int a) {") == "memory_t"


def test_every_interface_is_a_port_of_the_top_function(kernel) -> None:
    (top,) = functions(kernel["kernel/eie.cpp"])
    ports = re.findall(r"& ?(\w+)", top.signature)
    assert ports == ["packets_in", "packets_out", *(port.name for port in PORTS)]
    named = re.findall(r"#pragma HLS INTERFACE (\w+) port = (\w+)(.*)", top.body)
    assert [(kind, port) for kind, port, _ in named] == [
        ("axis", "packets_in"),
        ("axis", "packets_out"),
        ("s_axilite", "return"),
        *(("s_axilite", port.name) for port in PORTS),
    ]
    offsets = re.findall(r"offset = (0x[0-9a-f]+)", top.body)
    assert [int(offset, 16) for offset in offsets] == [port.offset for port in PORTS]


def test_beats_of_axi_stream_stay_at_the_ports(kernel) -> None:
    """ap_axiu is not for streams inside (UG1399, AXI4-Stream Interfaces): parameters only."""
    streams = [
        found
        for text in kernel.values()
        for found in re.findall(r"hls::stream<axis_t[^&(;]*>.", without_comments(text))
    ]
    assert len(streams) > 5
    assert set(streams) == {"hls::stream<axis_t>&"}


# The dataflow region ----------------------------------------------------------------------------


def test_the_region_is_the_wiring_and_nothing_else(design, kernel) -> None:
    """Canonical form: declarations of streams, then calls, each to a function that returns void.

    That every stream has one reader and one writer in the wiring is tested in tests/spec.
    """
    wiring = wire(design)
    (top,) = functions(kernel["kernel/eie.cpp"])
    lines = [line.strip() for line in top.body.splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith(("#pragma", "EIE_REGION", "EIE_RUN"))]
    streams = [re.fullmatch(r"hls::stream<(.+), (\w+)> (\w+)(.*);", line) for line in code]
    assert [found.groups() for found in streams if found] == [
        (
            stream.element,
            stream.depth,
            stream.name,
            f'("{stream.name}")' if stream.count is None else f"[{stream.count}]",
        )
        for stream in wiring.streams
    ]
    calls = [re.fullmatch(r"EIE_PROCESS\(([\w<>, ]+)\((.*)\)\);", line) for line in code]
    assert [found.groups() for found in calls if found] == [
        (process.function, ", ".join(process.arguments)) for process in wiring.processes
    ]
    others = [
        line
        for line, stream, call in zip(code, streams, calls, strict=True)
        if not stream and not call
    ]
    assert others == [
        f"EIE_NAME_STREAMS({stream.name});" for stream in wiring.streams if stream.count is not None
    ]
    heads = {f.name: f.signature for text in kernel.values() for f in functions(text)}
    for process in wiring.processes:
        head = heads[process.function.partition("<")[0]]
        assert re.search(r"\bvoid \w+\($", head[: head.index("(") + 1]), head


# Text -------------------------------------------------------------------------------------------


#: Constants that no design changes, where they are used.
FIXED = {
    "kernel/crc32.h": {"kCrcStart", "kCrcResidue", "kCrcPolynomial"},
    "kernel/fixed_point.h": {"kFinestShift", "kSliceBits"},
    "kernel/send.h": {"kCyclesBeforeBody"},
    "kernel/numbers.h": {"kWordCountBits", "kKindBits"},
}


def test_numbers_are_chosen_in_config_and_packet_format_alone(kernel) -> None:
    for name, text in kernel.items():
        if name in ("kernel/config.h", "kernel/packet_format.h", "kernel/cell_table.h"):
            continue
        code = without_comments(text)
        constants = set(re.findall(r"\bconstexpr [\w: ]+? (k\w+) = -?\d", code))
        assert constants == FIXED.get(name, set()), name
        # Enumerations count up; lists of zeros clear. No other list of numbers, so no weights.
        for values in re.findall(r"=?\s*\{([-\d\s,.xa-fu]+)\}", code):
            assert set(re.findall(r"\d+", values)) <= {"0"}, (name, values)


def test_no_file_knows_this_machine(rendered) -> None:
    for path, text in rendered.items():
        assert not re.search(r"(?<![\w.$}\])])/(?:home|root|tmp|work|usr|opt|mnt|Users)\b", text), (
            path
        )
        assert str(Path.home()) not in text
        assert text.isascii(), path
        assert text.endswith("\n"), path
        assert not re.search(r"[ \t]$", text, re.M), path


def test_layout_is_that_of_clang_format(rendered, tmp_path: Path) -> None:
    tool = shutil.which("clang-format") or shutil.which(
        "clang-format", path=str(Path(sys.executable).parent)
    )
    if tool is None:
        pytest.skip("clang-format is not installed")
    style = files("eie.templates").joinpath(".clang-format").read_text(encoding="utf-8")
    (tmp_path / ".clang-format").write_text(style)
    paths = []
    for name, text in rendered.items():
        if name.endswith((".h", ".cpp")):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            paths.append(path)
    of_model = Path(eie.hls.model.compiled.__path__[0])
    for source in (file for folder in (HERE, of_model) for file in folder.iterdir()):
        if source.suffix in (".h", ".cpp"):
            paths.append(Path(shutil.copy(source, tmp_path)))
    done = subprocess.run(
        [tool, "--dry-run", "--Werror", *map(str, paths)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# The compiler -----------------------------------------------------------------------------------


WARNINGS = (
    *("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"),
    # g++ does not know HLS pragmas; labels name loops in the tool's reports.
    *("-Wno-unknown-pragmas", "-Wno-unused-label"),
)


def test_no_warnings(project_of, small) -> None:
    """The vendor's headers are system headers: their warnings are not ours.

    Checked without optimising: the flow analysis behind -Wuninitialized, which needs it, sees
    through our code into theirs, where bits are used before they are set.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    project = project_of(small)
    sources = ["kernel/eie.cpp", "testbench/testbench.cpp"]
    sources += sorted(str(path.relative_to(project)) for path in project.glob("blocks/*.cpp"))
    includes = ["-Isimulation", "-Ikernel", "-Iblocks", "-isystem", str(ap_types_folder())]

    def check(source: str) -> str:
        command = [compiler, "-std=c++14", "-fsyntax-only", *WARNINGS, *includes, source]
        return subprocess.run(command, cwd=project, capture_output=True, text=True).stderr

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(check, sources)) == [""] * len(sources)
