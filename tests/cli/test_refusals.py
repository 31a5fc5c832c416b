"""Bad input: status 2, one readable message, no traceback, every file as it was."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from eie.hls.spec.design import Design
from eie.host.network import Network

EMULATE = "emulate net.npz --inputs x.npy --outputs y.npy"
SIMULATE = "simulate project net.npz --inputs x.npy --outputs y.npy"
RUN = "run net.npz --emulated-board project --inputs x.npy --outputs y.npy"

NO_NETWORK = (
    "model.pt2 must be a network file (.npz), not a saved torch.export program: `eie compress "
    "MODEL.pt2 --out NET.npz` makes a network file of it"
)
NO_PROJECT = (
    "design.toml must be a project folder, as `eie generate` writes one, not a design file "
    "(DESIGN.toml): "
)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("emulate missing.npz --inputs x.npy --outputs y.npy", "no network file at missing.npz"),
        ("emulate net.npz --inputs missing.npy --outputs y.npy", "no file missing.npy"),
        (f"{EMULATE} --design missing.toml", "cannot read design missing.toml"),
        ("fit missing.npz --board kv260 --out d.toml", "no network file at missing.npz"),
        ("generate missing.toml --out new", "cannot read design missing.toml"),
        ("simulate missing net.npz --inputs x.npy --outputs y.npy", "cannot read design"),
        ("simulate project missing.npz --inputs x.npy --outputs y.npy", "no network file"),
        ("build missing", "cannot read design"),
        ("rtl-check missing", "cannot read design"),
        ("rtl-check project", "must be synthesised first, by `eie build PROJECT --hls-only`"),
        ("run missing.npz --emulated-board project --inputs x.npy --outputs y.npy", "no network"),
        ("run net.npz --emulated-board missing --inputs x.npy --outputs y.npy", "cannot read"),
        ("run net.npz --bitstream missing.bit --inputs x.npy --outputs y.npy", "missing.bit"),
        ("info missing.npz", "no network file at missing.npz"),
        ("info missing.toml", "cannot read design missing.toml"),
        ("info missing.bit", "no bitstream"),
    ],
)
def test_a_missing_file(command, message, refused):
    assert message in refused(command)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "emulate x.npy --inputs x.npy --outputs y.npy",
            "x.npy must be a network file (.npz), not a single array (.npy): --inputs takes it",
        ),
        ("emulate project --inputs x.npy --outputs y.npy", "(.npz), not a project folder"),
        (
            "emulate net.npz --inputs net.npz --outputs y.npy",
            "must be a .npy file of numbers, not a compressed",
        ),
        ("emulate net.npz --inputs design.toml --outputs y.npy", "must be a .npy file of numbers"),
        ("emulate net.npz --inputs project --outputs y.npy", "must be a .npy file of numbers"),
        (
            f"{EMULATE} --design net.npz",
            "net.npz must be a design file (DESIGN.toml), not a compressed network",
        ),
        (f"{EMULATE} --design project", "not a project folder; its design is project/design.toml"),
        (
            "selftest --emulated-design project",
            "project must be a design file (DESIGN.toml), not a",
        ),
        ("simulate design.toml net.npz --inputs x.npy --outputs y.npy", NO_PROJECT),
        ("build design.toml", NO_PROJECT),
        ("rtl-check design.toml", NO_PROJECT),
        (RUN.replace("project", "design.toml"), NO_PROJECT),
        (
            "generate net.npz --out new",
            "net.npz must be a design file (DESIGN.toml), not a compressed network",
        ),
        ("fit design.toml --board kv260 --out d.toml", "(.npz), not a design file (DESIGN.toml)"),
        ("fit model.pt2 --board kv260 --out d.toml", NO_NETWORK),
        (EMULATE.replace("net.npz", "model.pt2"), NO_NETWORK),
        ("info x.npy", "or a bitstream (.bit), not a single array (.npy)"),
        ("info project", "or a bitstream (.bit), not a project folder"),
    ],
)
def test_a_file_of_another_kind(command, message, refused):
    with zipfile.ZipFile("model.pt2", "w") as archive:
        archive.writestr("model/models/model.json", "{}")
    assert message in refused(command)


def save(values: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values), allow_pickle=True)
    return file.getvalue()


def with_value(value: float) -> np.ndarray:
    values = np.zeros((3, 20))
    values[1, 7] = value
    return values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (save(with_value(np.nan)), r"inputs in x.npy must be finite, not nan at index (1, 7)"),
        (save(with_value(np.inf)), "must be finite, not inf at index (1, 7)"),
        (save(with_value(-np.inf)), "must be finite, not -inf"),
        (save(np.zeros((3, 19))), "must have shape (batch, 20), not (3, 19)"),
        (save(np.zeros(20)), "must have shape (batch, 20), not (20,)"),
        (save(np.zeros((1, 1, 20))), "must have shape (batch, 20), not (1, 1, 20)"),
        (save(3.0), "must have shape (batch, 20), not ()"),
        (save(np.zeros((0, 20))), "must have at least one vector, not 0"),
        (save(np.zeros((3, 20), complex)), "must be real numbers, not dtype complex128"),
        (save(np.full((3, 20), "a")), "must be real numbers, not dtype <U1"),
        (save(np.full((3, 20), None)), "must be a .npy file of numbers"),
        (save(np.zeros((3, 20)))[:-1], "must be a .npy file of numbers"),
        (save(np.zeros((3, 20)))[:20], "must be a .npy file of numbers"),
        (save(np.zeros((3, 20))).replace(b"<f8", b"<q9"), "must be a .npy file of numbers"),
        (save(np.zeros((3, 20))).replace(b"(3, 20),", b"(9**99,)"), "must be a .npy file"),
        (b"", "x.npy must be a .npy file of numbers, not an empty file"),
        (b"1, 2, 3\n", "not a text file: numbers as text are read by numpy.loadtxt"),
        (b"PK\x03\x04 no archive", "must be a .npy file of numbers"),
    ],
)
def test_inputs_that_are_none(content, message, refused):
    Path("x.npy").write_bytes(content)
    for command in (EMULATE, SIMULATE, RUN):
        assert message in refused(command)


def test_inputs_beyond_the_format_saturate_and_are_counted(eie):
    np.save("x.npy", with_value(1e308))
    ended = eie(EMULATE)
    assert ended.status == 0
    (line,) = ended.err.splitlines()
    assert line.startswith("eie: 1 of 60 input values were saturated: 1 feature (7); ")
    assert "the network's inputs go from -128 to 127.996" in line


@pytest.mark.parametrize(
    "command",
    [
        EMULATE.replace("y.npy", "x.npy"),
        EMULATE.replace("y.npy", "net.npz"),
        EMULATE + " --report y.npy",
        "fit net.npz --board pynq-z2 --out net.npz",
        "compress net.npz --out net.npz",
    ],
)
def test_what_is_read_is_never_overwritten(command, refused):
    assert "must not be the same file as" in refused(command)


@pytest.mark.parametrize("name", ["PYNQ-Z2", "pynq z2", "Pynq_Z2"])
def test_boards_go_by_any_spelling(name, eie):
    assert eie("fit", "net.npz", "--board", name, "--out", "other.toml").status == 0


@pytest.mark.parametrize("target", ["missing/y.npy", "project", "x.npy/y.npy", ".", "n" * 300])
def test_outputs_that_cannot_be_written(target, refused):
    assert "cannot write " in refused(EMULATE.replace("y.npy", target))


@pytest.mark.parametrize("target", ["missing/r.json", "project", "."])
def test_a_report_that_cannot_be_written_is_said_first(target, eie, folder):
    ended = eie(f"{EMULATE} --report {target}")
    assert ended.status == 2
    assert ended.err.startswith("eie: cannot write ")
    names = {path.name for path in folder.iterdir()}
    assert names == {"design.toml", "net.npz", "project", "x.npy"}


@pytest.mark.parametrize("target", ["missing/d.toml", "project", "x.npy/d.toml", "."])
def test_a_design_that_cannot_be_written(target, refused):
    assert "cannot write" in refused(f"fit net.npz --board pynq-z1 --out {target}")


def test_an_unknown_board(refused):
    message = refused("fit net.npz --board pynq-z9 --out d.toml")
    assert "board must be one of pynq-z1, " in message
    assert "not 'pynq-z9'" in message


def test_a_network_too_large_for_the_board(refused, random_network):
    random_network(1000, 1000, density=0.5).save("large.npz")
    before = Path("large.npz").read_bytes()
    message = refused("fit large.npz --board pynq-z1 --out d.toml")
    assert "no design for PYNQ-Z1 holds this network" in message
    assert "BRAM36: needs " in message
    assert message.endswith("run it in passes (--passes), prune it further, or take a larger board")
    assert Path("large.npz").read_bytes() == before


def test_a_network_too_large_for_the_design(refused):
    Design(pes=2, entries_per_pe=8).save("design.toml")
    message = refused(f"{EMULATE} --design design.toml")
    assert "the network does not fit the design (2 PEs): " in message
    assert "too many); raise entries_per_pe" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--design design.toml --pes 4", "--design must not be given with pes"),
        ("--design design.toml --pes 4 --queue-depth 4", "pes, queue_depth"),
        ("--pes 3", "power of two"),
        ("--pes 512", "pes must be an integer from 1 to 256, not 512"),
        ("--pes 3 --queue-depth 1 --index-bits 9", "3 problems"),
        ("--pes 0", "pes must be"),
        ("--pes -4", "pes must be"),
        ("--rows-per-pe 1 --pes 1", "rows_per_pe: needs 32, may use 1 of 1"),
        ("--pes four", "argument --pes: invalid integer value: 'four'"),
        ("--pes 4.0", "argument --pes: invalid integer value: '4.0'"),
        ("--pes", "argument --pes: expected one argument"),
        ("--memory sram", "argument --memory: invalid choice: 'sram'"),
        ("--speed 3", "unrecognized arguments: --speed 3"),
    ],
)
def test_options_that_make_no_design(options, message, refused):
    assert message in refused(f"{EMULATE} {options}")


@pytest.mark.parametrize(
    "text", ["pes = ", "format = 1\n[design]\npes = '4'", "format = 1\n[design]\nboard = []"]
)
def test_a_design_that_is_none(text, refused):
    Path("design.toml").write_text(text)
    for command in (
        f"{EMULATE} --design design.toml",
        "generate design.toml --out new",
        "info design.toml",
    ):
        assert "design.toml" in refused(command)


@pytest.mark.parametrize("command", [SIMULATE, RUN, "build project"])
def test_a_project_whose_design_is_none(command, refused):
    Path("project/design.toml").write_text("format = 2")
    assert "format must be 1, not 2" in refused(command)


def test_a_folder_of_something_else_is_not_overwritten(refused):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("irreplaceable")
    message = refused("generate design.toml --out mine")
    assert "project folder mine must be empty or an eie project" in message
    assert Path("mine/thesis.txt").read_text() == "irreplaceable"


def test_a_file_is_not_overwritten_by_a_project(refused):
    assert "must be a folder, not a file" in refused("generate design.toml --out x.npy")
    refused("generate design.toml --out x.npy/project")


def test_a_folder_that_is_no_project_is_not_simulated(refused):
    Path("empty").mkdir()
    Design(pes=1).save("empty/design.toml")
    command = SIMULATE.replace("project", "empty")
    assert "must be a generated project" in refused(command)


@pytest.mark.parametrize(("name", "value"), [("CXX", "no-such-compiler"), ("PATH", "")])
def test_a_missing_compiler(name, value, refused, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv(name, value)
    message = refused(SIMULATE)
    assert "simulating needs a C++ compiler: install g++" in message


def test_a_compiler_that_fails(refused, monkeypatch):
    failing = Path("failing")
    failing.write_text("#!/bin/sh\necho no such luck\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("CXX", str(failing.resolve()))
    message = refused(SIMULATE)
    assert "could not compile" in message
    assert "no such luck" in message


def test_missing_headers(refused, monkeypatch):
    monkeypatch.setenv("EIE_AP_TYPES", str(Path.cwd()))
    assert "there is no ap_int.h in" in refused(SIMULATE)


def test_missing_vendor_tools(refused, monkeypatch):
    monkeypatch.setenv("PATH", "")
    message = refused("build project")
    assert "Vitis HLS" in message
    assert "PATH" in message


@pytest.mark.parametrize(
    "command",
    [
        "",
        "fly",
        "emulate",
        "emulate net.npz",
        "emulate net.npz --inputs x.npy",
        "emulate net.npz other.npz --inputs x.npy --outputs y.npy",
        "fit net.npz --out d.toml",
        "fit net.npz --board kv260",
        "generate design.toml",
        "compress model.pt2",
        "compress model.pt2 --out n.npz --density much",
        "simulate project --inputs x.npy --outputs y.npy",
        "run net.npz --inputs x.npy --outputs y.npy",
        "run net.npz --bitstream f.bit --emulated-board project --inputs x.npy --outputs y.npy",
        "info",
        "info net.npz design.toml",
    ],
)
def test_commands_that_are_none(command, refused):
    refused(command)


def test_a_damaged_network(refused):
    whole = Path("net.npz").read_bytes()
    for length in (10, 100, len(whole) // 2, len(whole) - 1):
        Path("net.npz").write_bytes(whole[:length])
        for command in (EMULATE, "info net.npz", "fit net.npz --board kv260 --out d.toml"):
            assert "net.npz is damaged or not a network file" in refused(command)


def test_a_missing_extra_is_named(refused, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("eie.host.compress")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("torch", "jinja2"):
        monkeypatch.setitem(sys.modules, name, None)
    # eie is not published: what is advised works in a clone, or with a wheel.
    for command, extra in (
        ("compress model.pt2 --out n.npz", "compress"),
        ("generate design.toml --out new", "hls"),
    ):
        assert f"in a clone of eie, pip install '.[{extra}]'" in refused(command)


def test_an_interrupt_is_no_traceback(eie, monkeypatch):
    def interrupted(*_: object) -> Network:
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "load", interrupted)
    ended = eie(EMULATE)
    assert (ended.status, ended.err) == (130, "eie: interrupted\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(refused, folder):
    (folder / "locked").mkdir(mode=0o500)
    assert "cannot write" in refused(EMULATE.replace("y.npy", "locked/y.npy"))
