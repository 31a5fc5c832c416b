"""NT-LSTM as a recurrent layer: what its rows say of one another."""

from __future__ import annotations

from benchmarks.measure import recurrent


def test_sequences_in_lanes_come_near_the_bound(small_layers):
    rows = list(recurrent.run(small_layers))
    arrays = [row for row in rows if row["board"] == "no board"]
    assert len(arrays) == 24
    cycles = {(row["pes"], row["cell_units"], row["lanes"]): row["cycles"] for row in arrays}
    for (pes, cell_units, lanes), found in cycles.items():
        assert found <= cycles[pes, cell_units, 1]
        # Where nothing waits for the cell, as in lanes of so small a layer, it makes no difference.
        if lanes == 1:
            assert found <= cycles[pes, 1, 1]
    assert all(row["cycles"] >= row["met"] and row["heaviest"] >= 1 for row in rows)
    assert {row["board"] for row in rows} == {"no board", "KV260", "ZCU104", "RFSoC 4x2"}
