"""What results rest on is told apart, so that a file of results never mixes two models."""

from __future__ import annotations

import json
import subprocess
import sys

from eie.host.search.explore.identity import MODELS

#: Modules that an evaluation imports and that no result depends on.
NO_MODELS = {
    "eie.hls.compiler.cxx",  # how the model's C++ becomes a library, which changes no number
    "eie.hls.compiler.processes",
    "eie.hls.compiler.program_store",
    "eie.hls.compiler.shared_library",
    "eie.hls.boundary.installation",  # advice
    "eie.hls.boundary.progress",
    "eie.host.network.file",
    "eie.host.network.head_record",  # of the part of a model that is not here
    "eie.host.network.layer_checks",  # of what comes in
    "eie.host.packing.run_tags",  # of runs
    "eie.host.network.input_shape",  # of models, which designs do not see
    "eie.host.network.loss_record",
    "eie.host.network.summary",  # of what a user sees
    "eie.host.network.table",
    "eie.hls.boundary.tables",  # of what is printed
    "eie.hls.spec.parameter",  # documentation, and ranges that the design's text has
    "eie.hls.boundary.archives",  # of files
    "eie.hls.boundary.file_kinds",
    "eie.hls.boundary.npy",
    "eie.hls.boundary.numerals",
    "eie.hls.boundary.real_arrays",
    "eie.hls.model.load_sections",  # of load packets, of which a point makes none
    "eie.hls.spec.design_toml",  # reads designs, of which a grid makes its own
    "eie.hls.boundary.text",  # of messages
    "eie.host.search.explore.exploration",  # collects results
    "eie.host.search.explore.fan_out",  # carries them
    "eie.host.search.explore.grid",  # a point's key says its values
    "eie.host.search.explore.identity",
    "eie.host.search.explore.job",
    "eie.host.search.explore.pareto",  # chooses among results
    "eie.host.search.explore.pick",
    "eie.host.search.candidate",  # of fit
    "eie.host.search.reasons",
    "eie.host.search.explore.plot",
    "eie.host.search.explore.store",
    "eie.hls.spec.block_design",  # names of cells
    "eie.hls.spec.processing_system",
    "eie.hls.boundary.errors",
    "eie.hls.boundary.voice",  # of messages
    "eie.hls.boundary.warning",
    "eie.host.network.sizes",  # bytes in words
    "eie.hls.boundary.partials",
    "eie.hls.boundary.atomic",
}


def test_the_version_covers_every_module_that_evaluation_imports():
    code = (
        "import json, sys; import eie.host.search.explore.evaluation; "
        "print(json.dumps([name for name, module in sys.modules.items() "
        "if name.startswith('eie.') and not hasattr(module, '__path__')]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set(json.loads(ran.stdout)) == set(MODELS) | NO_MODELS
