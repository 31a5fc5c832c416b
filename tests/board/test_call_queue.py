"""Turns: first come, first served, and nobody waits for who is gone."""

from __future__ import annotations

import threading

import pytest

from eie.hls.boundary.errors import DeviceError
from eie.host.board import call_queue
from eie.host.board.call_queue import Turn, Turns


@pytest.fixture
def queue(monkeypatch) -> Turns:
    monkeypatch.setattr(call_queue, "_LOOK_SECONDS", 0.01)
    return Turns()


def abandoned(queue: Turns) -> Turn:
    """A turn of a call that an interrupt ended before it could wait or leave."""
    return queue.take()


def kept(queue: Turns) -> Turn:
    """A turn that was handed to somebody else."""
    turn = queue.take()
    turn.hand_over()
    return turn


def test_they_come_in_the_order_in_which_they_were_taken(queue):
    order: list[int] = []
    held = [kept(queue) for _ in range(5)]

    def work(number: int) -> None:
        with held[number]:
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in reversed(range(5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert order == list(range(5))


def test_who_is_gone_is_passed_over(queue):
    gone = abandoned(queue)
    with queue.take():
        assert list(queue._queue) != [gone]
    abandoned(queue)
    abandoned(queue)
    reached = []
    thread = threading.Thread(target=lambda: reached.append(queue.take().wait()), daemon=True)
    thread.start()
    thread.join(10)
    assert reached == [None]


def test_a_turn_that_was_handed_over_is_waited_for(queue):
    first = kept(queue)
    reached = threading.Event()

    def work() -> None:
        with queue.take():
            reached.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert not reached.wait(0.1)
    first.leave()
    thread.join(10)
    assert reached.is_set()


def test_leaving_from_the_middle_leaves_the_others_in_order(queue):
    first, second, third = (kept(queue) for _ in range(3))
    second.leave()
    second.leave()
    first.leave()
    third.wait()
    assert list(queue._queue) == [third]


def test_a_turn_that_was_given_up_cannot_be_waited_for(queue):
    turn = abandoned(queue)
    with pytest.raises(DeviceError, match="given up before its turn came"):
        turn.wait()
    assert not queue._queue


def test_a_thread_cannot_wait_for_itself(queue):
    with queue.take(), pytest.raises(DeviceError, match="from within another call of the same"):
        queue.take()
    with queue.take():
        pass


def test_an_exception_gives_the_turn_up(queue):
    with pytest.raises(ZeroDivisionError), queue.take():
        raise ZeroDivisionError
    assert not queue._queue
