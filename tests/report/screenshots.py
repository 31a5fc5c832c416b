"""Rewrite docs/images/report-light.png and -dark.png: the demo's report in a real browser.

Run as ``python tests/report/screenshots.py [FOLDER]``, after a change of the page;
some minutes. The report itself is left in FOLDER.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from chromium import find_chromium, running

from eie.hls.boundary.partials import temporary_folder
from eie.host.network.input_codes import quantize_inputs
from eie.host.report import EngineAgreement, Report, make_report
from eie.host.run.batch import emulate
from eie.host.search.fit import fit

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
#: CSS pixels of the window.
WIDTH, HEIGHT = 1180, 1720
sys.path.insert(0, str(ROOT / "examples"))

import demo  # noqa: E402  # it is no package


@dataclass(frozen=True)
class Evaluated:
    """What the demo found out about its digits."""

    vectors: int
    classes: int
    #: Shares of the vectors.
    float_accuracy: float
    accuracy: float


def demo_report(folder: Path) -> Report:
    """Take the demo's digits all the way, and report it."""
    outcome = demo.run(folder, print)
    network, labels = outcome.digits.network, outcome.digits.labels
    codes = quantize_inputs(network, outcome.digits.inputs)
    reference, *others = outcome.outputs.items()
    right = float(np.mean(reference[1].argmax(axis=1) == labels))
    return make_report(
        network=network,
        design=outcome.design,
        fit=fit(network, demo.BOARD),
        run=outcome.emulated,
        single=emulate(network, outcome.design, codes[:1]),
        evaluation=Evaluated(len(labels), 10, outcome.digits.accuracies.float32, right),
        agreement=[
            EngineAgreement(
                engine,
                len(outputs),
                outputs.size,
                int(np.count_nonzero(outputs == reference[1])),
                reference[0],
            )
            for engine, outputs in others
        ],
        title="Handwritten digits on PYNQ-Z2",
    )


def main() -> int:
    """Rewrite the pictures."""
    program = find_chromium()
    if program is None:
        print("screenshots need Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    with temporary_folder() as folder:
        target = Path(sys.argv[1]) if len(sys.argv) > 1 else folder
        report = demo_report(folder)
        page = target / "report.html"
        report.save(page)
        with running(program, folder) as browser:
            for scheme in ("light", "dark"):
                browser.show(page, WIDTH, HEIGHT, dark=scheme == "dark")
                browser.screenshot(IMAGES / f"report-{scheme}.png", whole=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
