"""The tops of blocks that carry what the others' tests do not: every field in its place."""

from __future__ import annotations

import subprocess

import numpy as np

from eie.hls.spec.packets import LAYER, STATUS, Kind, Status, parse_packet


def test_send_and_control_activations_as_tops_of_their_own(project_of, small, build, kinds) -> None:
    sources = ["block_tops.cpp", "blocks/send.cpp", "blocks/control_activations.cpp"]
    program = build(project_of(small), sources, ["-Iblocks"])
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    got: dict[str, list[list[int]]] = {}
    for line in done.stdout.splitlines():
        name, *fields = line.split()
        got.setdefault(name, []).append([int(field, 16) for field in fields])

    assert [last for _, last in got["packet"]] == [0] * (len(got["packet"]) - 1) + [1]
    answer = parse_packet(np.array([beat for beat, _ in got["packet"]], "<u8").tobytes())
    assert (answer.kind, answer.sequence) == (Kind.RUN | 0x80, 7)
    assert answer.payload[:-1].tolist() == [0x5678, 0x9ABC]
    assert STATUS.parse(answer.payload[-1:]) == {"status": Status.OK, "network_id": 0x1234}
    # Its header takes four cycles in all; how long it waits for the word is not of interest here.
    ((design_id, _, network_id, packets, errors, cycles),) = got["registers"]
    assert (design_id, network_id, packets, errors) == (small.id, 0x1234, 1, 0)
    assert cycles >= 5

    records = [kinds["Section"], *[kinds["Data"]] * 2 * LAYER.beats]
    assert [kind for kind, *_ in got["words"]] == [
        *(*records, kinds["RunBegin"], kinds["Word"], kinds["Word"], kinds["RunDone"]),
        kinds["PacketEnd"],
    ]
    activations = [fields[1:] for fields in got["words"] if fields[0] == kinds["Word"]]
    # Each word is its layer's last, with one lane that is not zero; pointers begin at 0 and 8.
    assert activations == [[1, 1, 0, 0, 0x4321, 0, 0, 0], [1, 1, 1, 8, 0x5678, 0, 0, 0]]
    # Four local rows of four PEs are one word, of which four rows are kept; 12 lanes hold none.
    assert got["commands"] == [
        # Whether they go out, come back, and end the vector; its tag; nothing for a cell unit.
        [kinds["Results"], 1, 1, 12, 0, *(0, 1, 0), *(0, 1, 1), *(0, 0, 0)],
        [kinds["Results"], 1, 1, 12, 1, *(1, 0, 1), *(0, 1, 1), *(0, 0, 0)],
        [kinds["RunEnd"], 2, 2, 0, 0, *(1, 0, 0), *(0, 0, 0), *(0, 0, 0)],
        [kinds["Stop"], 0, 0, 0, 0, *(1, 0, 0), *(0, 0, 0), *(0, 0, 0)],
    ]
