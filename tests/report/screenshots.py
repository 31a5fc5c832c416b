"""Rewrite docs/images/report-light.png and -dark.png: the demo's report in a real browser.

Run as ``python tests/report/screenshots.py [FOLDER]``, after a change of the page. The report
itself is left in FOLDER.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The folder of tests is no package of this environment: what speaks to a browser lies in it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from chromium.pipe import find_chromium, running

import eie
from eie.hls.boundary.partials import temporary_folder
from eie.host.flow.digits import digits_network, save_program, test_digits

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
#: CSS pixels of the window.
WIDTH, HEIGHT = 1180, 1510


def save_report(page: Path, folder: Path) -> None:
    """Take the demo's network all the way, with digits that it was not trained on."""
    save_program(digits_network(), folder / "model.pt2")
    x, y = test_digits()
    with eie.convert(
        folder / "model.pt2", board="pynq-z2", calibration=x, labels=y, keep_weights=True
    ) as acc:
        acc.compile()
        acc.report(page)


def main() -> int:
    """Rewrite the pictures."""
    program = find_chromium()
    if program is None:
        print("screenshots need Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    with temporary_folder() as folder:
        page = (Path(sys.argv[1]) if len(sys.argv) > 1 else folder) / "report.html"
        save_report(page, folder)
        with running(program, folder) as browser:
            for scheme in ("light", "dark"):
                browser.show(page, WIDTH, HEIGHT, dark=scheme == "dark")
                browser.screenshot(IMAGES / f"report-{scheme}.png", whole=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
