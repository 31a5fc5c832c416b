"""From a model to results: networks, packets, the packer, the emulator and the driver."""
