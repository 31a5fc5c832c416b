"""What a report says: cycles that add up, loads, sizes, and what is left out."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import DoesNotFitError, InputError
from eie.hls.spec.design import Design
from eie.hls.tools.manifest import Manifest
from eie.host.flow.evaluation import Evaluation
from eie.host.network.loss_record import METADATA_KEY
from eie.host.packing.packer import pack
from eie.host.packing.tiling import plan_passes
from eie.host.report import EngineAgreement, make_report
from eie.host.report.charts import column, labelled_pes
from eie.host.report.formats import (
    accuracy,
    average,
    data_size,
    duration,
    limit,
    name,
    number,
    percent,
    ratio,
    short_names,
)
from eie.host.report.given_values import accuracy_of, losses_of
from eie.host.run.batch import emulate
from eie.host.search.fit import fit


def cycles_of(report):
    return [run for run in (report.facts.single, report.facts.batch) if run is not None]


def test_cycles_add_up(report):
    for run in cycles_of(report):
        assert run.opening + run.layers + run.load == run.total
        assert sum(each.cycles for each in run.by_layer) * run.vectors == pytest.approx(run.layers)
        assert run.opening > 0


def test_a_batch_shares_cycles_between_its_vectors(full):
    batch = full.facts.batch
    assert batch.total / batch.vectors < full.facts.single.total


def test_no_vector_is_faster_than_its_bounds(report):
    for run in cycles_of(report):
        paths = ("ideal", "broadcast")
        sums = [sum(getattr(layer, path) for layer in run.by_layer) for path in paths]
        assert run.vectors * max(sums) <= run.total
        for layer in run.by_layer:
            bounds = {
                "PEs": layer.ideal,
                "broadcast": layer.broadcast,
                "input": layer.input,
                "output": layer.output,
            }
            assert layer.bound == max(bounds.values()) == bounds[layer.bound_by]
            # In a batch the cycles of a layer are its share of a run in which layers overlap.
            assert layer.bound <= layer.cycles or run.vectors > 1


def test_latency_and_throughput_are_those_of_the_runs(random_network, roomy):
    network, design = random_network(40, 60, 10, golden=5), roomy(4, clock_mhz=150)
    run = emulate(network, design, network.golden_inputs)
    single = emulate(network, design, network.golden_inputs[:1])
    facts = make_report(network=network, design=design, run=run, single=single.report).facts
    assert facts.single.us_per_vector == single.report.total_cycles / 150
    assert facts.batch.us_per_vector == run.report.total_cycles / 150 / 5
    assert facts.batch.vectors_per_second == pytest.approx(1e6 / facts.batch.us_per_vector)
    assert facts.activity.busy == tuple(run.counters.busy)
    # What each PE was seen to do: nothing more than the run is long.
    assert all(
        busy + starved <= facts.activity.cycles
        for busy, starved in zip(facts.activity.busy, facts.activity.starved, strict=True)
    )


def test_a_run_of_one_vector_is_its_latency(random_network, roomy):
    network, design = random_network(20, 10, golden=1), roomy(4)
    facts = make_report(
        network=network, design=design, run=emulate(network, design, network.golden_inputs)
    ).facts
    assert facts.batch is None
    assert facts.single is not None
    assert set(facts.missing) >= {"batch"}
    assert "single" not in facts.missing


def test_loads_are_those_of_the_packed_network(random_network, roomy):
    network, design = random_network(60, 90, 10), roomy(8)
    packed = pack(network, design)
    facts = make_report(network=network, design=design).facts
    for load, part in zip(facts.load, packed.layers, strict=True):
        assert load.entries == tuple(np.diff(part.encoded.pe_starts))
        entries = np.diff(part.encoded.pe_starts)
        assert (load.lightest, load.heaviest) == (entries.min(), entries.max())
        assert load.mean == entries.sum() / 8
        assert load.padding == part.encoded.padding
    assert facts.size.loaded_bytes == len(packed.sections) * 8
    assert facts.size.float32_bytes == 4 * (60 * 90 + 90 + 90 * 10 + 10)
    assert facts.size.ratio == facts.size.float32_bytes / facts.size.loaded_bytes


def test_passes_are_loaded_once_a_run_and_counted(in_passes):
    facts = in_passes.facts
    assert facts.passes > 2
    assert facts.single.load == facts.batch.load > 0
    assert facts.limit.startswith(("Loading the weights", "Layer"))
    assert "passes" in in_passes.as_html()
    # The weights of all passes, wherever they lie.
    assert sum(load.mean for load in facts.load) * 4 >= sum(x.weights_kept for x in facts.layers)


def test_a_layer_in_shares_takes_its_inputs_with_each(in_passes, random_network, roomy):
    network = random_network(50, 200, 30, density=0.3)
    design = roomy(4, entries_per_pe=512, rows_per_pe=64, biases_per_pe=64)
    shares = len(plan_passes(network, design).stages[0])
    assert shares > 1
    first = in_passes.facts.single.by_layer[0]
    assert first.broadcast == shares * first.activations
    assert first.input == shares * -(-50 // 4)


def test_resources_are_laid_beside_the_board(full, bare):
    by_name = {each.name: each for each in full.facts.resources}
    assert by_name["LUT"].low < by_name["LUT"].high
    assert not by_name["LUT"].exact
    # Three a PE, three products of 32 bits in four slices each, and lanes by stride.
    expected = 3 * full.facts.design["pes"] + 13
    assert by_name["DSP slice"].low == by_name["DSP slice"].high == expected
    assert by_name["LUT"].available == 53_200
    assert "UltraRAM" not in by_name  # the board has none
    assert all(each.available is None for each in bare.facts.resources)


def test_the_parts_of_the_area_are_those_of_the_estimate(full):
    luts = [each.lut for each in full.facts.area]
    assert luts == sorted(luts, reverse=True)
    by_name = {each.name: each for each in full.facts.area}
    pes = full.facts.design["pes"]
    assert by_name["multiply_accumulate"].copies == pes
    assert by_name["multiply_accumulate"].dsp == 3 * pes
    assert "axi_dma_0" in by_name


def test_a_design_beyond_its_board_is_told_so(random_network):
    network = random_network(20, 10)
    design = Design(pes=128, board="pynq-z2", rows_per_pe=64)
    facts = make_report(network=network, design=design).facts
    assert "PYNQ-Z2" in facts.warnings[0]
    assert "LUT" in facts.warnings[0]
    assert "eie fit NET.npz --board pynq-z2 --out DESIGN.toml" in facts.next_steps[0].commands


def test_steps_end_on_the_board_unless_the_design_is_for_none(full, bare, random_network):
    def commands(facts):
        return [command.split()[1] for step in facts.next_steps for command in step.commands]

    on_the_way = ["generate", "build", "reports", "package", "deploy", "selftest", "run"]
    assert commands(full.facts) == on_the_way
    assert commands(bare.facts) == ["fit", "emulate", "generate", "simulate"]
    network = random_network(20, 10)
    beyond = Design(pes=128, board="pynq-z2", rows_per_pe=64)
    facts = make_report(network=network, design=beyond).facts
    assert not set(commands(facts)) & {"build", "package", "deploy"}
    assert "for its 128 PEs, and holds" in facts.limit


def test_what_was_cut_off_is_told_of_by_its_place(random_network, roomy):
    network, design = random_network(20, 10, golden=3), roomy(4)
    run = emulate(network, design, network.golden_inputs).report
    cut = replace(run.layers[0], saturated=1200)
    run = replace(run, saturated_inputs=1, layers=(cut, *run.layers[1:]))
    (warning,) = make_report(network=network, design=design, run=run).facts.warnings
    assert warning.startswith("In the run 1 input value and 1,200 output values did not fit")


def test_an_engine_that_differs_comes_first(random_network, roomy):
    network = random_network(20, 10)
    agreement = [EngineAgreement("board", 3, 30, 28), EngineAgreement("generated C++", 3, 30, 30)]
    report = make_report(network=network, design=roomy(4), agreement=agreement)
    assert report.facts.warnings == (
        "board: 2 of 30 outputs differ from those of the numpy emulator: please report this as a "
        "bug of eie.",
    )
    assert 'class="unequal"' in report.as_html()


def test_a_network_that_does_not_fit_is_refused(random_network, roomy):
    with pytest.raises(DoesNotFitError):
        make_report(network=random_network(20, 30), design=roomy(4, accumulator_bits=24))


def test_what_belongs_to_others_is_refused_at_once(random_network, roomy):
    network, design = random_network(20, 10, golden=3), roomy(4)
    other = emulate(random_network(20, 12, golden=3), roomy(8), network.golden_inputs)
    paper = emulate(network, design, network.golden_inputs, paper=True)
    with pytest.raises(InputError) as refused:
        make_report(
            network=network,
            design=design,
            run=other,
            single=paper,
            agreement=[EngineAgreement("board", 1, 10, 11)],
            files={"NET": "x.npz"},
        )
    text = str(refused.value)
    for part in (
        "run must be a run on the report's design",
        "run must be a run of the report's network",
        "single must be of the generated kernel, not of the machine 'paper'",
        "single must be a run of one vector, not 3",
        "agreement of 'board' must have 0 to 10 equal outputs, not 11",
        "files must name NET.npz",
    ):
        assert part in text


def test_commands_name_the_files_that_are_known(random_network):
    network = random_network(20, 10)
    files = {"NET.npz": "my nets/net.npz", "PROJECT": "out/project"}
    facts = make_report(network=network, design=fit(network, "pynq-z2").design, files=files).facts
    commands = [command for step in facts.next_steps for command in step.commands]
    assert "eie simulate out/project 'my nets/net.npz' --inputs X.npy --outputs Y.npy" in commands
    assert "eie build out/project" in commands


def test_commands_are_of_the_command_line(full, bare):
    from eie.host.cli.main import _parser

    parser = _parser()
    commands = {
        command
        for report in (full, bare)
        for step in report.facts.next_steps
        for command in step.commands
        if "--labels" not in command  # on its way into the command line
    }
    assert commands
    for command in commands:
        parser.parse_args(command.split()[1:])


def test_a_built_design_says_by_what(random_network):
    network = random_network(20, 10)
    design = fit(network, "pynq-z2").design
    build = Manifest(
        design=design, part="xc7z020clg400-1", board_part="none", tool="Vivado 2024.1",
        date=datetime.date(2026, 1, 2).isoformat(), clock_hz=100_000_000, wns_ns=0.25, whs_ns=0.1,
        files={},
    )  # fmt: skip
    report = make_report(network=network, design=design, build=build)
    assert report.facts.synthesis.built
    assert report.facts.synthesis.slack_ns == 0.25
    assert "Never synthesised" not in report.as_html()
    assert "Vivado 2024.1" in report.as_html()
    with pytest.raises(InputError, match="built from another"):
        make_report(network=network, design=design.replace(clock_mhz=90), build=build)


def test_the_json_is_plain_and_finite(report):
    values = report.as_json()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["format"] == 1


def test_losses_come_from_the_record(full):
    losses = full.facts.losses
    assert (losses.median, losses.worst, losses.rms) == (0.03, 0.2, 0.04)
    assert [stage.stage for stage in losses.stages] == ["pruning", "saturation"]
    assert [layer.name for layer in losses.layers] == ["layer0"]  # the other lost nothing
    assert METADATA_KEY not in full.facts.origin


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", "[]", '{"vectors": 1e999}'])
def test_a_broken_record_is_no_record(text, random_network):
    assert losses_of(replace(random_network(4, 3), metadata={METADATA_KEY: text})) is None


def test_an_evaluation_counts_vectors_of_which_a_report_gives_counts_and_shares():
    accuracy = accuracy_of(Evaluation(vectors=200, classes=10, correct=190, same_class=100))
    assert (accuracy.correct, accuracy.accuracy) == (190, 0.95)
    assert (accuracy.same_class_vectors, accuracy.same_class) == (100, 0.5)
    assert (accuracy.float_correct, accuracy.float_accuracy) == (None, None)


def test_what_the_pes_did_comes_with_a_result_and_not_with_its_report(random_network, roomy):
    network, design = random_network(20, 10, golden=3), roomy(4)
    run = emulate(network, design, network.golden_inputs)
    did = make_report(network=network, design=design, run=run).facts.activity
    assert (did.busy, did.full) == (tuple(run.counters.busy), tuple(run.counters.full))
    apart = make_report(network=network, design=design, run=run.report).facts
    assert apart.activity is None
    assert "activity" in apart.missing


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(1234567), "1,234,567"),
        (number(0.01234), "0.0123"),
        (number(-5), "−5"),
        (number(0.0), "0"),
        (percent(0.98765), "98.8 %"),
        (percent(0.05), "5 %"),
        (percent(0.00012), "0.012 %"),
        (percent(0), "0 %"),
        (percent(2.5e-16), "< 0.001 %"),
        (percent(51.967), "5,197 %"),
        (limit(-31.9990234375), "−32"),
        (accuracy(0.98333), "98.33 %"),
        (average(99.96), "100.0"),
        (average(1234.5), "1,234"),
        (duration(0.5), "0.500 µs"),
        (duration(3636.64), "3.64 ms"),
        (duration(2.5e6), "2.50 s"),
        (data_size(999), "999 bytes"),
        (data_size(21_450), "21.4 kB"),
        (ratio(16.04), "16× smaller"),
        (ratio(0.5), "2× larger"),
        (name("a\x1bb"), "a\\x1bb"),
    ],
)
def test_values_are_written_for_people(written, expected):
    assert written == expected


def test_long_names_say_first_where_they_differ():
    names = [f"encoder.blocks.{n}.feed_forward.projection" for n in range(12)]
    assert list(short_names(names).values())[11].startswith("…11.feed")
    assert short_names(["a.b.fc1", "a.b.fc2"]) == {"a.b.fc1": "a.b.fc1", "a.b.fc2": "a.b.fc2"}


def test_pes_are_labelled_where_there_is_room():
    assert labelled_pes(1) == (0,)
    assert labelled_pes(8) == tuple(range(8))
    assert labelled_pes(256) == tuple(range(0, 256, 32))
    for pes in (1, 16, 64, 256):
        columns = [column(number, pes) for number in range(pes)]
        assert columns[0].start >= 0
        assert columns[-1].start + columns[-1].width <= 1 + 1e-12
        assert all(a.start + a.width <= b.start + 1e-12 for a, b in pairwise(columns))


@given(st.lists(st.text("ab.\u202e", max_size=40), unique=True), st.integers(12, 40))
def test_short_names_are_short_and_differ(names, longest):
    short = short_names(names, longest)
    assert list(short) == names
    assert len(set(short.values())) == len(names)
    assert all(len(text) <= longest for text in short.values())
