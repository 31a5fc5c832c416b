"""What results rest on is told apart, so that a file of results never mixes two models."""

from __future__ import annotations

import json
import subprocess
import sys

from eie.hls.explore.identity import MODELS

#: Modules that an evaluation imports and that no result depends on.
NO_MODELS = {
    "eie.hls.design_file",  # reads designs, of which a grid makes its own
    "eie.host.wording",  # of messages
    "eie.hls.explore.exploration",  # collects results
    "eie.hls.explore.fan_out",  # carries them
    "eie.hls.explore.grid",  # a point's key says its values
    "eie.hls.explore.identity",
    "eie.hls.explore.job",
    "eie.hls.explore.pareto",  # chooses among results
    "eie.hls.explore.plot",
    "eie.hls.explore.store",
    "eie.hls.registers",  # the driver's
    "eie.host.errors",
    "eie.host.packets",  # a point is evaluated without packets
    "eie.host.partials",
    "eie.host.whole_file",
}


def test_the_version_covers_every_module_that_evaluation_imports():
    code = (
        "import json, sys; import eie.hls.explore.evaluation; "
        "print(json.dumps([name for name in sys.modules if name.startswith('eie.')]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    packages = {"eie.hls", "eie.hls.explore", "eie.host"}
    assert set(json.loads(ran.stdout)) - packages == set(MODELS) | NO_MODELS
