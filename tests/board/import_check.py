"""Run by CI in an environment such as a board has: numpy and pynq, no torch, no jinja2."""

import importlib
import sys

BOARD_SIDE = (
    "eie",
    "eie.host.flow",
    "eie.host.network",
    "eie.host.packing.packer",
    "eie.hls.model.emulator",
    "eie.host.protocol.client",
    "eie.host.board.driver",
    "eie.host.board_emulator",
    "eie.host.run.batch",
    "eie.host.cli.main",
)


def main() -> None:
    for name in BOARD_SIDE:
        importlib.import_module(name)
    loaded = {"torch", "jinja2", "hls4ml", "scipy", "sklearn"} & set(sys.modules)
    if loaded:
        sys.exit(f"the board side imports {', '.join(sorted(loaded))}")

    # Not only imported: a network goes through the driver on an emulated board.
    import numpy as np

    from eie.hls.model.emulator import Emulator
    from eie.hls.spec.design import Design
    from eie.host.board.driver import Accelerator
    from eie.host.board_emulator import EmulatedBoard
    from eie.host.network import Layer, Network

    random = np.random.default_rng(0)
    codes = (random.integers(1, 16, (10, 20)) * (random.random((10, 20)) < 0.3)).astype(np.uint8)
    codebook = np.arange(-8, 8, dtype=np.int16) * 100
    codebook[0] = 0
    layer = Layer.from_dense_codes("only", codes, codebook=codebook)
    inputs = random.integers(-999, 999, (3, 20)).astype(np.int16)
    sums = inputs.astype(np.int64) @ layer.dense_weights().astype(np.int64).T
    expected = np.clip(sums + (1 << 11) >> 12, -32768, 32767).astype(np.int16)
    network = Network((layer,), inputs, expected)
    design = Design(pes=4)
    with (
        EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board,
        Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(network)
        print(f"{accelerator.verify()} vectors right on Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
