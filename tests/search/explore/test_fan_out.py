"""Workers of this machine that die, and callers that do not wait for the end.

What workers call must be importable there, which a test is not: they call ``eval``.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from contextlib import closing

import pytest

from eie.hls.boundary.errors import ToolError
from eie.host.search.explore.fan_out import fan_out

KILL = "__import__('os').kill(__import__('os').getpid(), 9)"


def test_a_worker_that_dies_is_replaced_and_nothing_is_lost_or_done_twice(tmp_path):
    once = f"__import__('pathlib').Path({str(tmp_path / 'died')!r})"
    text = f"{KILL} if x == 3 and not {once}.exists() and not {once}.touch() else x * x"
    done = [(item["x"], result) for item, result in fan_out(eval, text, items(8), workers=1)]
    assert sorted(done) == [(x, x * x) for x in range(8)]
    assert (tmp_path / "died").exists()
    assert not multiprocessing.active_children()


def test_an_item_that_kills_every_worker_ends_in_a_message():
    notices: list[str] = []
    with pytest.raises(ToolError, match=r"4 times in a row without a result: is there memory"):
        list(fan_out(eval, KILL, items(1), workers=1, on_notice=notices.append))
    assert len(notices) == 3
    assert not multiprocessing.active_children()


def test_who_stops_in_the_middle_leaves_no_process_behind():
    with closing(fan_out(eval, "x", items(100), workers=2)) as done:
        next(done)
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()


def test_an_interrupt_ends_the_wait_and_all_processes():
    """Nothing is ever done here but to wait for the interrupt, which comes as a terminal's does."""
    main = threading.main_thread().ident
    assert main is not None
    work = fan_out(eval, "__import__('time').sleep(600) if x else x", items(2), workers=1)
    with pytest.raises(KeyboardInterrupt), closing(work):
        next(work)
        threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT)).start()
        next(work)
    assert not multiprocessing.active_children()


def test_what_a_worker_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        list(fan_out(eval, "1 // x", items(1), workers=1))


def items(count: int) -> list[dict[str, int]]:
    return [{"x": x} for x in range(count)]
