"""What happens to a case that hangs, grows or dies, and to a campaign that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from fuzz.campaign import CHUNK, Campaign
from fuzz.failures import Failures
from fuzz.progress import Progress
from fuzz.section import section
from fuzz.verdict import Case, Fault, Usage

# xdist has threads; what is forked here uses none of their locks.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

CASES = {"ones": CHUNK + 40, "twos": 2 * CHUNK}


class Plain:
    """Ends one way in two cases of three, and another way in the third; some cases do more."""

    suffix = ".txt"

    def __init__(self, special=None) -> None:
        self._special = special or {}

    def make(self, number: int) -> Case:
        return Case(b"%d" % number, f"case {number}")

    def judge(self, case: Case, number: int) -> str:
        if number in self._special:
            self._special[number]()
        return "accepted" if number % 3 else "refused: X"

    def reset(self) -> None: ...

    def usage(self) -> Usage:
        return Usage()

    def close(self) -> None: ...


@pytest.fixture
def campaign(tmp_path):
    """Make a campaign in a folder of its own; `special` is what some cases of "ones" do."""
    lines: list[str] = []

    def make(special=None, identity=1, limit=60.0):
        return Campaign(
            CASES,
            lambda: {"ones": Plain(special), "twos": Plain()},
            Progress(tmp_path / "progress.jsonl", {"identity": identity}),
            Failures(tmp_path / "failures", 1),
            limit=limit,
            jobs=2,
            say=lines.append,
        )

    make.lines = lines
    return make


def totals(chunks) -> Counter[str]:
    return sum(
        (Counter({f"{c.kind} {e}": n for e, n in c.counts.items()}) for c in chunks), Counter()
    )


def right() -> Counter[str]:
    """What comes of the cases when none goes wrong."""
    expected: Counter[str] = Counter()
    for kind, cases in CASES.items():
        for number in range(cases):
            expected[f"{kind} {'accepted' if number % 3 else 'refused: X'}"] += 1
    return expected


def test_every_case_is_run_once(campaign):
    chunks = campaign().run()
    assert totals(chunks) == right()
    assert sum(chunk.stop - chunk.start for chunk in chunks) == sum(CASES.values())


def test_a_campaign_that_was_stopped_ends_with_the_same_totals(campaign, tmp_path):
    whole = totals(campaign().run())
    file = tmp_path / "progress.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    # Killed while it wrote its third line.
    file.write_text("".join(lines[:2]) + lines[2][:30])
    again = campaign()
    assert len(again.chunks) == 1
    assert totals(again.run()) == whole == right()
    # And once more: there is nothing left to do.
    assert totals(campaign().run()) == whole
    assert [line for line in campaign.lines if "chunks are done" in line][-1].startswith("4 of 4")


def test_results_of_other_code_are_not_taken_over(campaign, tmp_path):
    campaign(identity=1).run()
    again = campaign(identity=2)
    assert not again.chunks
    assert json.loads((tmp_path / "progress.jsonl").read_text()) == {"identity": 2}


def wrong():
    raise Fault("wrong acceptance", "a thing", "detail")


def unexpected():
    raise KeyError("x")


def sleep():
    time.sleep(60)


def sleep_deaf():
    """As what stays in C does: no signal reaches Python."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)


def hog():
    assert b"x" * (300 << 20)


def hog_without_end():
    assert b"x" * (1 << 40)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        (wrong, "wrong acceptance: a thing"),
        (unexpected, "crash: KeyError"),
        (sleep, "hang: no end within the limit"),
        (sleep_deaf, "hang: no end within the limit, not even when asked"),
        (hog, "memory: accepted, with more than 256 MiB"),
        (hog_without_end, "memory: MemoryError"),
        (lambda: os._exit(3), "crash: the process ended with exit status 3"),
        (die, "crash: the process ended with exit status -9"),
    ],
)
def test_a_case_that_goes_wrong_is_named_and_the_others_go_on(campaign, tmp_path, what, fault):
    limit = 2.0 if what in (sleep, sleep_deaf) else 60.0
    chunks = campaign(special={7: what, 285: wrong}, limit=limit).run()
    counts = totals(chunks)
    found = [end for end in counts if "FAULT" in end]
    assert [end for end in found if end.startswith(f"ones FAULT {fault}")], found
    assert sum(counts.values()) == sum(CASES.values())
    assert totals(chunks)["twos accepted"] == right()["twos accepted"]
    kept = (tmp_path / "failures" / "ones-7.txt").read_text()
    assert "--seed 1 --case ones:7" in kept
    assert any("ones 7" in line for line in campaign.lines)


def test_what_went_wrong_is_wrong_again_after_resuming(campaign):
    special = {7: wrong, 9: die}
    counts = totals(campaign(special=special).run())
    assert totals(campaign(special=special).run()) == counts
    assert sum(count for end, count in counts.items() if "FAULT" in end) == 2


def page(chunks) -> str:
    replay = Failures(Path(), 1).replay
    return section(chunks, command="make fuzz", seed=1, limit=2.0, replay=replay)


def test_the_page_says_what_came_of_it(campaign):
    chunks = campaign(special={7: wrong}).run()
    text = section(
        chunks, command="make fuzz", seed=1, limit=2.0, replay=Failures(Path(), 1).replay
    )
    assert f"{sum(CASES.values())} mutated inputs (seed 1" in text
    assert "**1 case went wrong.**" in text
    assert "| ones | wrong acceptance: a thing | 1 |" in text
    assert f"| twos | {2 * CHUNK} | {len(range(0, 2 * CHUNK, 3))} |" in text
    good = [chunk for chunk in chunks if chunk.kind == "twos"]
    text = page(good)
    assert "**No case went wrong.**" in text


def test_the_program_runs_one_case_again(tmp_path):
    program = Path(__file__).parent
    command = [sys.executable, str(program), "--folder", str(tmp_path), "--case"]
    done = subprocess.run(
        [*command, "designs:1"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "designs-1.toml").is_file()
    assert "refused: DesignError" in done.stdout or "accepted and right" in done.stdout
