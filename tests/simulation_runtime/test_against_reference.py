"""Random networks: the runtime and a plain model of its semantics agree in every cycle."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st


@st.composite
def networks(draw: st.DrawFn, reference: Any) -> Any:
    """Networks of up to five processes, most of which run to their end."""
    processes = draw(st.integers(1, 5))
    scripts: list[list[str]] = [[] for _ in range(processes)]
    streams = []
    repetitions = draw(st.integers(1, 6))
    for i in range(draw(st.integers(1, 6))):
        external = draw(st.integers(0, 3)) == 0
        stalling = draw(st.integers(0, 2)) == 0
        elements = draw(st.integers(1, 2))
        # An external stream has one end in the test bench: its reader finds elements in it.
        prefilled = external and draw(st.booleans())
        denominator = draw(st.integers(2, 5)) if stalling else 0
        streams.append(
            reference.StreamSetup(
                depth=draw(st.integers(1, 4)),
                external=external,
                seed=draw(st.integers(0, 1000)),
                numerator=draw(st.integers(1, denominator - 1)) if stalling else 0,
                denominator=denominator,
                prefill=elements * repetitions if prefilled else 0,
            )
        )
        reader = draw(st.integers(0, processes - 1))
        writer = draw(st.integers(0, processes - 1))
        reads = draw(st.sampled_from("rrrrrrddn"))
        writes = draw(st.sampled_from("wwwwwwm"))
        if not external or prefilled:
            scripts[reader] += [f"{reads}{i}"] * elements
            scripts[reader] += [f"e{i}"] * draw(st.integers(0, 1))
        if not prefilled:
            scripts[writer] += [f"{writes}{i}"] * elements
            scripts[writer] += [f"f{i}"] * draw(st.integers(0, 1))
    setups = []
    for script in scripts:
        operations = draw(st.permutations(script))
        hasty = draw(st.integers(0, 9)) == 0
        spaced: list[str] = []
        since_end: set[str] = set()
        for operation in operations:
            port = ("r" if operation[0] in "rdne" else "w") + operation[1:]
            if draw(st.booleans()) or (port in since_end and not hasty):
                spaced.append(".")
                since_end.clear()
            spaced.append(operation)
            since_end.add(port)
        setups.append(reference.ProcessSetup(repetitions, (*spaced, ".")))
    return reference.Network(draw(st.integers(0, 4)), tuple(streams), tuple(setups))


def results(output: str) -> list[dict[str, str]]:
    """Records of each run in the output of network.cpp."""
    runs: list[dict[str, str]] = [{}]
    for record in output.split("\0")[:-1]:
        key, value = record.split("=", 1)
        if key == "end":
            runs.append({})
        else:
            runs[-1][key] = value
    return runs[:-1]


def check(network: Any, reference: Any, run: Callable[[str], str]) -> Any:
    """Compare all spawn orders tried with the reference, and return its outcome."""
    expected = reference.Simulator(network).run()
    order = list(range(len(network.processes)))
    shuffled = random.Random(0).sample(order, len(order))
    for result in results(run(network.describe([order, order[::-1], shuffled]))):
        if expected.errors:
            message = "\n".join(sorted(result["error"].split("\n")))
            assert message in expected.errors
        else:
            assert result.get("ok") == str(expected.cycles), result
        if any("twice" in message for message in expected.errors):
            continue  # the other processes may or may not have had their turn in that cycle
        assert [result[f"log p{i}"] for i in order] == expected.logs
        for i, stats in enumerate(expected.stats):
            assert result[f"stats s{i}"] == " ".join(map(str, stats))
    return expected


def test_random_networks_match_in_every_cycle(
    compile_program: Any, run_program: Any, reference: Any
) -> None:
    program = compile_program("network.cpp")
    endings = {"well": 0, "deadlock": 0, "leftover": 0, "twice": 0}

    def run(description: str) -> str:
        done = run_program(program, stdin=description)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(networks(reference))
    def compare(network: Any) -> None:
        errors = " ".join(check(network, reference, run).errors)
        words = {"deadlocked in": "deadlock", "elements left": "leftover", "twice": "twice"}
        ending = next((name for word, name in words.items() if word in errors), "well")
        endings[ending] += 1

    compare()
    # The comparison means little if the networks all end in the same way.
    assert min(endings.values()) >= 5, endings


def test_long_networks_match_under_the_sanitizers(
    compile_program: Any, run_program: Any, reference: Any
) -> None:
    program = compile_program("network.cpp", "sanitized")

    def run(description: str) -> str:
        done = run_program(program, stdin=description)
        assert done.returncode == 0, done.stderr
        return done.stdout

    stream, process = reference.StreamSetup, reference.ProcessSetup
    ring = reference.Network(
        10,
        (
            stream(external=True, seed=5, numerator=1, denominator=3, prefill=200),
            stream(depth=1),
            stream(depth=4),
            stream(depth=3),
            stream(external=True, seed=6, numerator=1, denominator=2),
        ),
        (
            process(100, ("r0", "w1", ".", "r3", ".", "d0", ".")),
            process(100, ("r1", ".", "w2", ".")),
            process(100, ("d2", "w3", ".", "w4", ".")),
        ),
    )
    assert check(ring, reference, run).cycles is not None
    starved = reference.Network(
        10, ring.streams, (*ring.processes[:2], process(99, ring.processes[2].script))
    )
    assert "deadlocked" in " ".join(check(starved, reference, run).errors)
