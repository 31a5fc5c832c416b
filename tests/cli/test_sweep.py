"""``eie compress --sweep``: which density keeps what."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="compressing reads torch models")

from eie.host.flow.sweep import sweep_densities  # noqa: E402
from eie.host.network import Network  # noqa: E402

SWEEP = "compress model.pt2 --calibration c.npy"


@pytest.fixture
def model(folder):
    """A model whose classes need its larger weights alone."""
    torch.manual_seed(0)
    layers = torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 4)
    module = torch.nn.Sequential(*layers).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(1, 20),)), "model.pt2")
    inputs = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    np.save("c.npy", inputs)
    np.save("l.npy", module(torch.from_numpy(inputs)).argmax(1).numpy())


@pytest.mark.usefixtures("model")
def test_the_smallest_that_loses_little_is_marked_and_written(eie):
    ended = eie(f"{SWEEP} --labels l.npy --sweep 0.9,1.0,0.05 --out best.npz --budget 20")
    assert ended.status == 0
    rows = re.findall(r"^(->|  ) +([\d.]+) +[\d.]+ % +([\d.]+) % .*us$", ended.out, re.M)
    assert [float(row[1]) for row in rows] == [0.05, 0.9, 1.0]
    (marked,) = [row for row in rows if row[0] == "->"]
    smaller = [row for row in rows if float(row[1]) < float(marked[1])]
    assert float(marked[2]) >= 80
    assert all(float(row[2]) < 80 for row in smaller)
    weights = sum(layer.nonzeros for layer in Network.load("best.npz").layers)
    assert weights / (20 * 30 + 30 * 4) == pytest.approx(float(marked[1]), abs=0.02)


@pytest.mark.usefixtures("model")
def test_without_labels_the_error_decides(eie):
    ended = eie(f"{SWEEP} --sweep 0.1,1.0 --budget 0.000001")
    assert ended.status == 0
    assert "median error" in ended.out
    assert "no density keeps the error of the median vector within 1e-06 points" in ended.out


@pytest.mark.usefixtures("model")
def test_what_latencies_are_of_is_the_design_that_was_chosen():
    found = sweep_densities(Path("model.pt2"), np.load("c.npy"), densities=(0.1, 1.0))
    assert "are those on a design of 64 PEs, with" in found.as_text()
    few, many = (replace(point, pes=pes) for point, pes in zip(found.points, (8, 16), strict=True))
    board = replace(found, points=(few, many), board="pynq-z2")
    assert "are those on designs of 8 to 16 PEs for pynq-z2, each" in board.as_text()


@pytest.mark.usefixtures("model")
def test_compress_says_size_and_accuracy(eie):
    ended = eie(f"{SWEEP} --labels l.npy --density 1.0 --out n.npz")
    size = Path("n.npz").stat().st_size
    assert re.search(
        rf"^size: {size:,} bytes in the file, [\d.]+ times \w+ than 3,\d+ of float32;",
        ended.out,
        re.M,
    )
    assert re.search(
        r"on the calibration: accuracy [\d.]+ % \(\d+ of 50\), of the model", ended.out
    )


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("compress model.pt2 --sweep", "--sweep must be given with --calibration"),
        (f"{SWEEP} --sweep x", "--sweep must be densities such as 0.05,0.1,0.2, not 'x'"),
        (f"{SWEEP} --sweep 0.1,2", "density must be above 0 and at most 1, not 2.0"),
        (f"{SWEEP} --sweep --density 0.1", "must not be given with --density"),
        (f"{SWEEP} --sweep --board x", "board must be one of"),
        (f"{SWEEP} --sweep 0.1 --budget -1", "budget must be 0 or more points, not -1.0"),
        (f"{SWEEP} --out n.npz --budget 1", "--budget must be given with --sweep"),
        ("compress model.pt2 --out n.npz --labels l.npy", "--labels must be given with --calibr"),
        (f"{SWEEP} --out n.npz --labels x.npy", "labels in x.npy must be one for each of 50"),
    ],
)
def test_a_sweep_that_is_none(command, message, refused):
    assert message in refused(command)
