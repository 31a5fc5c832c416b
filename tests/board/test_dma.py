"""The DMA driver against scripted registers: the order of its writes, and its deadlines."""

import pytest

from eie.hls.boundary.errors import DeviceTimeoutError
from eie.host.board.dma import LENGTH, MM2S, S2MM, Dma, DmaStatus

COMPLETE = DmaStatus.IDLE | DmaStatus.IOC_IRQ


class Scripted:
    """Registers whose status is complete from the given read of each channel on."""

    def __init__(self, complete_at):
        self.writes = []
        self.complete_at = complete_at
        self.reads = {MM2S: 0, S2MM: 0}

    def read(self, offset):
        channel = S2MM if offset >= S2MM.base else MM2S
        if offset == S2MM.base + LENGTH:
            return 24
        # IDLE is set all the time, as from a transfer before.
        self.reads[channel] += 1
        done = self.reads[channel] >= self.complete_at[channel]
        return int(COMPLETE if done else DmaStatus.IDLE)

    def write(self, offset, data):
        self.writes.append((offset, data))


def exchange(registers, times, timeout=10.0):
    dma = Dma(registers, clock=iter(times).__next__)
    dma.start(0x1_2345_6000, 16, 0x2_0000_8000, 32, timeout)
    return dma.finish()


def test_the_answers_channel_is_started_before_the_requests():
    registers = Scripted({MM2S: 1, S2MM: 1})
    assert exchange(registers, [0, 0]) == 24
    assert registers.writes == [
        (0x34, 0x5000),
        (0x48, 0x0000_8000),
        (0x4C, 2),
        (0x58, 32),
        (0x04, 0x5000),
        (0x18, 0x2345_6000),
        (0x1C, 1),
        (0x28, 16),
    ]


@pytest.mark.parametrize("slow", [MM2S, S2MM])
def test_it_waits_for_both_directions(slow):
    registers = Scripted({MM2S: 1, S2MM: 1} | {slow: 3})
    assert exchange(registers, range(10)) == 24
    assert registers.reads[slow] == 3


def test_what_completes_during_the_last_look_counts():
    assert exchange(Scripted({MM2S: 1, S2MM: 1}), [0, 1000]) == 24


def test_the_deadline_is_kept():
    registers = Scripted({MM2S: 1, S2MM: 100})
    with pytest.raises(DeviceTimeoutError, match=r"within 5 s \(MM2S DMASR 0x00001002, S2MM DMAS"):
        exchange(registers, range(100), timeout=5.0)
    assert registers.reads[S2MM] == 5


def test_a_short_wait_never_sleeps_and_a_long_one_gives_the_processor_away():
    """Time passes a microsecond a look, and as long as a sleep asks for."""
    now, sleeps = [0.0], []

    def clock():
        now[0] += 1e-6
        return now[0]

    def sleep(seconds):
        sleeps.append((now[0], seconds))
        now[0] += seconds

    answers = Scripted({MM2S: 1, S2MM: 900})
    dma = Dma(answers, clock=clock, sleep=sleep)
    dma.start(0, 16, 0, 32, 10.0)
    dma.finish()
    assert sleeps == []

    answers = Scripted({MM2S: 1, S2MM: 2_000})
    dma = Dma(answers, clock=clock, sleep=sleep)
    dma.start(0, 16, 0, 32, 10.0)
    begin = now[0]
    dma.finish()
    waited = now[0] - begin
    # Two thousand looks of a microsecond each are spread over two seconds.
    assert 1.0 < waited < 10.0
    assert all(seconds <= (at - begin) / 20 + 1e-9 for at, seconds in sleeps)
    assert max(seconds for _, seconds in sleeps) == 2e-3
    assert sum(seconds for _, seconds in sleeps) > 0.99 * waited
