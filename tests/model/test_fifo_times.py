"""The recurrences of streams against a simulation that goes through every cycle."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.fifo_times import Stream, StreamArray

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)
#: Cycles that a process works on each element.
WORK = st.lists(st.integers(1, 6), min_size=1, max_size=25)


def simulate(depth: int, producer: list[int], consumer: list[int]) -> tuple[list[int], list[int]]:
    """Cycles of each write and read, going through the cycles one by one.

    What is written in a cycle is there from the next one on; so is the place that a read frees.
    """
    writes: list[int] = []
    reads: list[int] = []
    may_write = may_read = cycle = 0
    while len(reads) < len(consumer):
        held = len(writes) - len(reads)  # as registered at the end of the last cycle
        written = held < depth and len(writes) < len(producer) and cycle >= may_write
        read = held > 0 and cycle >= may_read
        if written:
            may_write = cycle + producer[len(writes)]
            writes.append(cycle)
        if read:
            may_read = cycle + consumer[len(reads)]
            reads.append(cycle)
        cycle += 1
    return writes, reads


@SETTINGS
@given(st.integers(1, 5), WORK, st.randoms(use_true_random=False))
def test_a_stream_between_two_processes(depth, producer, random):
    consumer = [random.randint(1, 6) for _ in producer]
    stream = Stream(depth)
    writes, reads, may_write, may_read = [], [], 0, 0
    for make, take in zip(producer, consumer, strict=True):
        writes.append(stream.write(may_write))
        may_write = writes[-1] + make
        reads.append(stream.read(may_read))
        may_read = reads[-1] + take
    assert (writes, reads) == simulate(depth, producer, consumer)


@SETTINGS
@given(st.integers(1, 5), st.integers(1, 4), WORK, st.integers(0, 1000))
def test_an_array_of_streams_is_as_many_single_ones(depth, count, producer, seed):
    random = np.random.default_rng(seed)
    consumer = random.integers(1, 6, (len(producer), count))
    used = random.random((len(producer), count)) < 0.7
    array = StreamArray(count, depth)
    singles = [Stream(depth) for _ in range(count)]
    may_write, may_read = np.zeros((2, count), np.int64)
    for element, make in enumerate(producer):
        where = np.flatnonzero(used[element])
        written = array.write(may_write[where], where)
        assert written.tolist() == [singles[i].write(int(may_write[i])) for i in where]
        may_write[where] = written + make
        read = array.read(may_read[where], where)
        assert read.tolist() == [singles[i].read(int(may_read[i])) for i in where]
        may_read[where] = read + consumer[element, where]
