"""Long work says on standard error what it does; results alone are on standard output."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest

from eie.hls.boundary.progress import Progress, listening, tell
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.cli import progress
from eie.host.run.batch import emulate
from eie.host.search.fit import fit


class Stream(io.StringIO):
    """Says when something was written."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal
        self.written = threading.Event()

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


@pytest.fixture
def shown(monkeypatch):
    """Switch progress on, without silence at first."""
    monkeypatch.setenv("EIE_PROGRESS", "on")
    monkeypatch.setattr(progress, "_SILENCE", 0.001)

    def on(terminal: bool) -> Stream:
        stream = Stream(terminal)
        monkeypatch.setattr("sys.stderr", stream)
        return stream

    return on


def test_a_log_gets_plain_lines(shown):
    stream = shown(terminal=False)
    with progress.showing("fitting"):
        tell("dealing rows", 1, 3, "layers")
        stream.written.wait(10)
        stream.written.clear()
        stream.written.wait(10)
    lines = stream.getvalue().splitlines()
    assert lines[-1] == "eie: fitting: dealing rows: 1 of 3 layers (0 s)"


def test_a_terminal_gets_one_line_that_goes_away(shown):
    stream = shown(terminal=True)
    with progress.showing("fitting"):
        stream.written.wait(10)
    text = stream.getvalue()
    assert "fitting (0 s)" in text
    assert "\n" not in text
    assert text.endswith("\r\x1b[K")


def test_it_can_be_turned_off(shown, monkeypatch):
    stream = shown(terminal=False)
    monkeypatch.setenv("EIE_PROGRESS", "off")
    before = threading.active_count()
    with progress.showing("fitting"):
        assert threading.active_count() == before
    assert stream.getvalue() == ""


def test_it_ends_with_what_it_shows(shown):
    shown(terminal=False)
    with pytest.raises(ValueError, match="bad"), progress.showing("fitting"):
        raise ValueError("bad")
    assert not [each for each in threading.enumerate() if each.name == "progress"]


def test_the_library_tells_and_does_not_print(random_network, capsys):
    network = random_network(20, 30, 10)
    told: list[Progress] = []
    with listening(told.append):
        design = fit(network).design
        emulate(network, design, np.ones((3, 20), np.int16))
    texts = [str(each) for each in told]
    assert f"dealing rows to {design.pes} PEs: 1 of 2 layers" in texts
    assert "counting cycles: 0 of 3 vectors" in texts
    assert all(each.done < each.total for each in told if each.total)
    count = len(told)
    emulate(network, design, np.ones((3, 20), np.int16))  # nobody listens any more
    assert len(told) == count
    assert capsys.readouterr() == ("", "")
    assert Emulator(Design(pes=1)).registers
