"""A project whose synthesis left the stand-in in place of RTL, and the faults that it can have.

Run as ``python tests/tools/rtl/standin.py FOLDER`` (`make rtl-check`) it makes such a project and
calls `eie rtl-check` on it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from eie.hls.spec.design import Design
from eie.hls.spec.packets import DESIGN
from eie.hls.tools.rtl.sources import rtl_folder
from eie.host.cli.main import main
from eie.host.project.generate import generate

HERE = Path(__file__).parent / "standin"
#: What the stand-in is: one PE, plain pointers, entries of 8 bits.
STANDIN = Design(
    pes=1,
    entries_per_pe=256,
    pointers_per_pe=64,
    rows_per_pe=48,
    biases_per_pe=64,
    layers=2,
    hidden_activations=64,
    queue_depth=2,
)
#: Contents of the memory that holds the design record, as Vitis HLS writes constants.
RECORD = "eie_send_kDesignRecord_ROM_2P_LUTRAM_1R.dat"
#: By the number that `+fault=` takes.
FAULTS = {
    "wrong_word": 1,
    "no_last": 2,
    "hang_answer": 3,
    "hang_request": 4,
    "few_cycles": 5,
    "early": 6,
    "extra_beat": 7,
    "wrong_keep": 8,
    "wrong_register": 9,
    "lost_beat": 10,
    "power_up": 11,
    "no_restart": 12,
    "no_crc": 13,
    "unasked": 14,
    "deaf": 15,
}


def write_record(folder: Path, design: Design) -> None:
    beats = DESIGN.build(**design.record()).tolist()
    text = "".join(f"{beat:016x}\n" for beat in beats)
    (folder / RECORD).write_text(text, encoding="utf-8")


def make_project(project: Path) -> Path:
    """Generate the project of :data:`STANDIN` and put the stand-in where a synthesis puts RTL."""
    generate(STANDIN, project)
    folder = rtl_folder(project)
    folder.mkdir(parents=True, exist_ok=True)
    for source in HERE.glob("*.v"):
        shutil.copyfile(source, folder / source.name)
    write_record(folder, STANDIN)
    return project


if __name__ == "__main__":
    print("a stand-in for the RTL of a design with one PE; nothing here came out of Vitis HLS")
    sys.exit(main(["rtl-check", str(make_project(Path(sys.argv[1])))]))
