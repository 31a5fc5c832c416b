"""The record of what compression lost is read as it was written, or refused."""

import dataclasses
import json

import pytest

from eie.hls.boundary.errors import NetworkFileError
from eie.host.network.loss_record import (
    METADATA_KEY,
    CutValue,
    ErrorFigures,
    LayerLoss,
    LossRecord,
    StageLoss,
)

LAYER = LayerLoss("fc", 640, 639, 639, 0, 1e4, 2, 31, 7)
RECORD = LossRecord(
    vectors=100,
    error=ErrorFigures(0.02, 0.01, 1.0, 17),
    stages=(StageLoss("pruning", 0.0, 0.0), StageLoss("sharing", 0.01, 0.02)),
    layers=(LAYER,),
    inputs_saturated=1,
    largest_cut=(CutValue(17, 3, -1e6),),
    features_zeroed=(2,),
    features_coarse=(2, 4),
)
UNCALIBRATED = LossRecord(0, None, (), (LAYER,), 0, (), (), ())


@pytest.mark.parametrize("record", [RECORD, UNCALIBRATED])
def test_a_record_survives_a_network_file(record, random_network, tmp_path):
    network = random_network(4, 3)
    assert type(record).of(network) is None
    recorded = dataclasses.replace(network, metadata={METADATA_KEY: record.as_text()})
    recorded.save(tmp_path / "net.npz")
    assert LossRecord.of(type(network).load(tmp_path / "net.npz")) == record


def test_the_main_stage_is_the_one_that_lost_most():
    assert RECORD.main_stage == RECORD.stages[1]
    assert UNCALIBRATED.main_stage is None


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: [],
        lambda fields: None,
        lambda fields: {},
        lambda fields: fields | {"more": 1},
        lambda fields: fields | {"vectors": "100"},
        lambda fields: fields | {"vectors": -1},
        lambda fields: fields | {"vectors": True},
        lambda fields: fields | {"vectors": None},
        lambda fields: fields | {"layers": 3},
        lambda fields: fields | {"layers": [3]},
        lambda fields: fields | {"features_zeroed": ["x"]},
        lambda fields: fields | {"error": fields["error"] | {"median": float("nan")}},
        lambda fields: fields | {"error": fields["error"] | {"median": [1.0]}},
        lambda fields: fields | {"stages": [{"stage": 3, "median": 0, "worst": 0}]},
    ],
)
def test_what_is_no_record_is_refused(change):
    text = json.dumps(change(json.loads(RECORD.as_text())))
    with pytest.raises(NetworkFileError, match="must be the record that compress writes"):
        LossRecord.from_text(text)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1e999", "\x00"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(NetworkFileError, match="must be the record that compress writes"):
        LossRecord.from_text(text)
