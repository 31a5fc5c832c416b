"""run.py: what it finds, and that it looks before it runs anything of the package."""

from __future__ import annotations

import ast
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.deploy import board_check, far_side, run
from eie.host.deploy.board_check import package_checks, run_checks
from eie.host.deploy.layout import PackageFacts
from eie.host.network import Network

pytest.importorskip("pynq", reason="run.py runs the real pynq package")

from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard

DESIGN = Design(pes=4, entries_per_pe=8192, board="pynq-z2")


def run_py(folder: Path, *arguments: str, environment: dict[str, str] | None = None):
    """Run a package's run.py; from another folder, since it must not matter."""
    return subprocess.run(
        [sys.executable, folder / "run.py", *arguments],
        cwd="/",
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_sound_package_passes(project_package, unpacked, tmp_path):
    folder = unpacked(project_package)
    before = set(folder.rglob("*"))
    # Nothing is installed: pip would say so.
    (tmp_path / "pip.py").write_text("raise SystemExit('pip was called')")
    ended = run_py(folder, "--emulated", environment={"PYTHONPATH": str(tmp_path)})
    assert ended.returncode == 0, ended.stderr
    report = (folder / "report.txt").read_text()
    assert report.startswith("eie selftest\n")
    assert "ok      test vectors: 60 outputs of 6 golden vectors are right" in report
    assert "accuracy: 3 of 6 classes right, 50.00 %" in report
    assert re.search(r"throughput: \d+ vectors a second in batches of 6", report)
    counted, predicted = re.search(r"(\d+) cycles counted, (\d+) predicted", report).groups()
    assert counted == predicted
    assert report.endswith("All checks passed.\n")
    # What was printed on the way is the report; it names no machine, and no file is left.
    assert ended.stdout.startswith(report.removesuffix("All checks passed.\n"))
    assert str(folder) not in report
    assert set(folder.rglob("*")) - before == {folder / "report.txt"}


def test_what_is_run_comes_from_the_wheel(project_package, repacked, unpacked):
    # The wheel is not importable, while eie is installed here.
    folder = unpacked(project_package)
    (wheel,) = (folder / "wheel").iterdir()
    changed = {f"wheel/{wheel.name}": _empty_zip()}
    shutil.rmtree(folder.parent)
    ended = run_py(unpacked(repacked(project_package, changed)), "--emulated")
    assert ended.returncode == 2
    assert "another eie comes first" in ended.stderr
    assert "Traceback" not in ended.stderr


def _empty_zip() -> bytes:
    from eie.host.deploy.zip_file import zip_bytes

    return zip_bytes({})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("alter network.npz", "network.npz is not the file that was packed"),
        ("alter vectors/outputs.npy", "vectors/outputs.npy is not the file that was packed"),
        ("alter package.json", "package.json is not the file that was packed"),
        ("alter run.py", "run.py is not the file that was packed"),
        ("remove vectors/inputs.npy", "vectors/inputs.npy is missing"),
        ("remove SHA256SUMS", "cannot read SHA256SUMS"),
        ("empty SHA256SUMS", "must name one wheel, not 0"),
    ],
)
def test_a_package_that_is_not_whole_is_refused(project_package, unpacked, change, message):
    folder = unpacked(project_package)
    how, name = change.split()
    file = folder / name
    if how == "remove":
        file.unlink()
    else:
        file.write_bytes(b"" if how == "empty" else file.read_bytes() + b"\n")
    ended = run_py(folder, "--emulated")
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (folder / "report.txt").exists()


def test_an_altered_wheel_is_not_even_opened(project_package, unpacked, monkeypatch):
    folder = unpacked(project_package)
    (wheel,) = (folder / "wheel").iterdir()
    wheel.write_bytes(b"PK")
    with pytest.raises(run.PackageError, match=f"wheel/{re.escape(wheel.name)} is not the file"):
        run.verify(folder)


def test_everything_that_is_wrong_is_named_at_once(project_package, unpacked):
    folder = unpacked(project_package)
    (folder / "network.npz").unlink()
    (folder / "README.md").write_text("")
    with pytest.raises(run.PackageError) as error:
        run.verify(folder)
    assert "network.npz is missing" in str(error.value)
    assert "README.md is not the file" in str(error.value)


def test_an_output_that_differs_fails(
    project_package, repacked, unpacked, network, monkeypatch, capsys
):

    outputs = network.golden_outputs.copy()
    outputs[1, 4] ^= 1
    stream = io.BytesIO()
    np.save(stream, outputs)
    changed = repacked(project_package, {"vectors/outputs.npy": stream.getvalue()})
    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    folder = unpacked(changed)
    assert run_checks(folder, emulated=True, report=folder / "report.txt") == 1
    report = (folder / "report.txt").read_text()
    assert capsys.readouterr().out.startswith(report.rpartition("SOMETHING")[0])
    assert (
        f"FAILED  test vectors: 1 of 60 outputs are wrong; the first is output 4 of vector 1: "
        f"{network.golden_outputs[1, 4]} instead of {outputs[1, 4]}" in report
    )
    assert "SOMETHING FAILED" in report


def test_without_a_bitstream_it_says_what_to_do(project_package, unpacked):
    ended = run_py(unpacked(project_package))
    assert ended.returncode == 2
    assert "this package has no bitstream yet" in ended.stderr
    assert "eie build project" in ended.stderr
    assert "--emulated" in ended.stderr


def test_without_a_board_it_says_so(built_package, unpacked):
    ended = run_py(unpacked(built_package))
    assert ended.returncode == 2
    assert re.search("pynq finds no device|belongs to root", ended.stderr)
    assert "Traceback" not in ended.stderr


def test_a_built_package_runs_on_an_emulated_board_too(built_package, unpacked, monkeypatch):
    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    folder = unpacked(built_package)
    assert run_checks(folder, emulated=True, report=folder / "report.txt") == 0


def test_a_report_that_cannot_be_written_is_told_first(project_package, unpacked):
    ended = run_py(unpacked(project_package), "--emulated", "--out", "/missing/report.txt")
    assert ended.returncode == 2
    assert "there is no folder /missing" in ended.stderr
    assert ended.stdout == ""


def test_files_that_lie_beside_it_are_not_imported(project_package, unpacked):
    folder = unpacked(project_package)
    for name in ("numpy.py", "hashlib.py"):
        (folder / name).write_text("raise SystemExit('the wrong one')")
    ended = run_py(folder, "--emulated")
    assert ended.returncode == 0, ended.stderr


def test_only_the_wheel_is_installed_when_asked(project_package, unpacked, tmp_path):
    folder = unpacked(project_package)
    (tmp_path / "fake" / "pip").mkdir(parents=True)
    record = tmp_path / "arguments"
    (tmp_path / "fake" / "pip" / "__main__.py").write_text(
        f"import sys; open({str(record)!r}, 'w').write('\\n'.join(sys.argv[1:]))"
    )
    (tmp_path / "fake" / "pip" / "__init__.py").touch()
    # Should the real pip run after all, it installs nothing here.
    target = tmp_path / "target"
    environment = {"PYTHONPATH": str(tmp_path / "fake"), "PIP_TARGET": str(target)}
    assert run_py(folder, "--emulated", "--install", environment=environment).returncode == 0
    (wheel,) = (folder / "wheel").iterdir()
    assert not target.exists()
    arguments = record.read_text().split("\n")
    assert arguments[0] == "install"
    assert {"--no-deps", "--no-index"} < set(arguments)
    assert [each for each in arguments[1:] if not each.startswith("-")] == [str(wheel)]


def test_a_pip_that_fails_is_told(project_package, unpacked, tmp_path):
    (tmp_path / "pip.py").write_text("raise SystemExit(3)")
    ended = run_py(
        unpacked(project_package),
        "--install",
        environment={"PYTHONPATH": str(tmp_path), "PIP_TARGET": str(tmp_path / "target")},
    )
    assert ended.returncode == 2
    assert "pip could not install" in ended.stderr


@pytest.mark.parametrize("module", [run, far_side])
def test_old_pythons_can_read_it(module):
    ast.parse(Path(module.__file__).read_text(), feature_version=(3, 6))


def test_an_old_python_is_told(project_package, unpacked, monkeypatch, capsys):
    folder = unpacked(project_package)
    monkeypatch.setattr(sys, "version_info", (3, 8, 10, "final", 0))
    monkeypatch.setattr(sys, "argv", [str(folder / "run.py"), "--emulated"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(folder / "run.py"), run_name="__main__")
    assert ended.value.code == 2
    assert "Python must be 3.10 or later" in capsys.readouterr().err


# What the checks find, in this process.


@pytest.fixture
def accelerator(monkeypatch):
    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    board = EmulatedBoard("pynq-z2", lambda: Emulator(DESIGN))
    with board, Accelerator(board.bitfile) as opened:
        yield opened


def checked(accelerator, folder, **changes):
    facts = PackageFacts.load(folder)
    network = Network.load(folder / "network.npz")
    found = package_checks(accelerator, folder, facts, network, **{"emulated": True, **changes})
    return {check.name: check for check in found}


def test_on_a_board_cycles_and_times_are_only_shown(project_package, unpacked, accelerator):
    found = checked(accelerator, unpacked(project_package), emulated=False)
    assert found["one vector"].passed is None
    assert found["throughput"].passed is None
    assert "emulator" not in found["throughput"].text
    assert found["test vectors"].passed is True


def test_another_accelerator_fails(project_package, unpacked, monkeypatch):
    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    other = DESIGN.replace(pes=8)
    board = EmulatedBoard("pynq-z2", lambda: Emulator(other))
    with board, Accelerator(board.bitfile) as opened:
        found = checked(opened, unpacked(project_package))
    assert found["accelerator"].passed is False
    assert "the bitstream is another one" in found["accelerator"].text
    assert found["test vectors"].passed is True


def test_an_error_of_the_device_fails_and_the_report_goes_on(
    project_package, unpacked, accelerator, monkeypatch
):
    def fail(self, inputs):
        from eie.hls.boundary.errors import DeviceTimeoutError

        raise DeviceTimeoutError("no answer")

    monkeypatch.setattr(Accelerator, "run", fail)
    found = checked(accelerator, unpacked(project_package))
    assert found["test vectors"].passed is False
    assert "DeviceTimeoutError: no answer" in found["test vectors"].text


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("inputs", np.zeros((6, 20), np.int32), "must be of int16, not int32"),
        ("outputs", np.zeros((5, 10), np.int16), "there must be 6 vectors of each kind"),
        ("labels", np.zeros(6, np.int16), "must be of int64"),
        ("labels", None, "cannot read labels.npy"),
    ],
)
def test_vectors_that_do_not_suit_fail(
    project_package, unpacked, accelerator, name, array, message
):
    folder = unpacked(project_package)
    (folder / "vectors" / f"{name}.npy").unlink()
    if array is not None:
        np.save(folder / "vectors" / f"{name}.npy", array)
    found = checked(accelerator, folder)
    assert found["test vectors"].passed is False
    assert message in found["test vectors"].text


def test_a_network_in_passes_is_checked(tmp_path, unpacked, random_network, monkeypatch):
    from eie.host.deploy.package import package
    from eie.host.run.batch import emulate

    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    small = Design(pes=4, entries_per_pe=1024, board="pynq-z2")
    drawn = random_network(100, 200, 10, golden=3)
    outputs = emulate(drawn, small, drawn.golden_inputs, report=False).outputs
    network = Network(drawn.layers, drawn.golden_inputs, outputs)
    folder = unpacked(package(tmp_path / "p.zip", network=network, design=small))
    board = EmulatedBoard("pynq-z2", lambda: Emulator(small))
    with board, Accelerator(board.bitfile) as opened:
        found = checked(opened, folder)
    assert re.search(r"\d+ passes", found["the network"].text)
    assert found["test vectors"].passed is True
    assert found["one vector"].passed is None


def test_every_step_of_sequences_is_compared(
    recurrent_package, repacked, unpacked, recurrent_network, monkeypatch
):
    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    folder = unpacked(recurrent_package)
    assert run_checks(folder, emulated=True, report=folder / "report.txt") == 0
    report = (folder / "report.txt").read_text()
    # The golden vectors as the steps of one sequence, and each by itself.
    assert "ok      test vectors: 24 outputs of 8 steps of 5 golden sequences are right" in report
    assert re.search(r"throughput: \d+ steps a second in calls of 5 sequences", report)
    assert re.search(r"ok      one sequence: (\d+) cycles counted for 4 steps, \1 pred", report)
    outputs = np.load(folder / "vectors" / "outputs.npy")
    outputs[6, 1] += 1
    np.save(folder / "vectors" / "outputs.npy", outputs)
    assert run_checks(folder, emulated=True, report=folder / "report.txt") == 1
    assert "output 1 of step 0 of sequence 3: " in (folder / "report.txt").read_text()
    np.save(folder / "vectors" / "lengths.npy", np.array([4, 1, 1, 1, 2]))
    assert run_checks(folder, emulated=True, report=folder / "report.txt") == 1
    assert "there must be 8 vectors of each kind" in (folder / "report.txt").read_text()


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("project_package", ["accuracy: 50.00 %", "an emulated board with 4 PEs"]),
        ("recurrent_package", ["cycles for 4 steps of one sequence"]),
    ],
)
def test_the_notebook_runs_from_top_to_bottom(name, printed, request, unpacked):
    nbformat = pytest.importorskip("nbformat", reason="images have no nbformat")
    from nbclient import NotebookClient

    folder = unpacked(request.getfixturevalue(name))
    notebook = nbformat.read(folder / "eie.ipynb", as_version=4)
    nbformat.validate(notebook)
    with warnings.catch_warnings():
        # Of the client itself, about its own event loop and sockets.
        warnings.simplefilter("ignore")
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    found = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    for each in ("all outputs right: True", *printed):
        assert each in found
