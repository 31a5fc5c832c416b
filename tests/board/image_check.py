"""Run by CI in an environment such as an image ships, after eie's wheel was installed into it.

The argument is a network file. Nothing here has pytest, nor anything else that an image has not.
"""

import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

# pynq says on every machine that is no board that it does not know it; Overlay warns again.
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
from pynqutils.setup_utils import ExtensionsManager  # noqa: E402

from eie.hls.model.emulator import Emulator  # noqa: E402
from eie.hls.spec.fixed_point import dequantize  # noqa: E402
from eie.host.board_emulator import EmulatedBoard  # noqa: E402
from eie.host.cli.main import main as eie  # noqa: E402
from eie.host.network import Network  # noqa: E402
from eie.host.search.fit import fit  # noqa: E402

ENTRY_POINTS = {"pynq.notebooks": "eie.notebooks", "pynq.overlays": "eie.bitstreams"}


def check(holds: bool, message: str) -> None:
    if not holds:
        sys.exit(f"image_check: {message}")


def main(network_file: str) -> None:
    check(find_spec("torch") is None, "torch is here")

    # What `pynq get-notebooks` and Overlay("eie.bit") look at, through pynq's own class.
    for group, module in ENTRY_POINTS.items():
        found = [entry.module_name for entry in ExtensionsManager(group).list]
        check(module in found, f"pynq finds {found} as {group}, without {module}")
        folder = Path(ExtensionsManager.extension_path(module))
        check(folder.is_dir(), f"{module} is at {folder}, which is no folder")

    # A bitstream is run with numpy and pynq alone: its design comes from its manifest.
    sys.modules["tomli"] = None  # type: ignore[assignment]  # an import of it fails
    network = Network.load(network_file)
    design = fit(network, "pynq-z2").design
    with (
        tempfile.TemporaryDirectory() as name,
        EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board,
    ):
        folder = Path(name)
        bitstream = ["--bitstream", str(board.bitfile)]
        check(eie(["selftest", *bitstream]) == 0, "`eie selftest --bitstream` failed")

        inputs, outputs = folder / "x.npy", folder / "y.npy"
        np.save(inputs, dequantize(network.golden_inputs, network.input_frac))
        files = ["--inputs", str(inputs), "--outputs", str(outputs)]
        check(eie(["run", network_file, *bitstream, *files]) == 0, "`eie run --bitstream` failed")
        expected = dequantize(network.golden_outputs, network.output_frac)
        check(np.array_equal(np.load(outputs), expected), "`eie run --bitstream` is wrong")

        # Only the file of a design needs a TOML reader, which Python 3.10 has not.
        if sys.version_info < (3, 11):
            design.save(folder / "design.toml")
            status = eie(["info", str(folder / "design.toml")])
            check(status == 2, f"without tomli `eie info design.toml` gave {status}, not 2")


if __name__ == "__main__":
    main(sys.argv[1])
