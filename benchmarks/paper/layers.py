"""The nine layers of the paper's evaluation, with its figures (tables III and IV)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

#: The paper's array: PEs, activations a queue holds, bits of a zero count, clock.
PES, QUEUE_DEPTH, INDEX_BITS, CLOCK_MHZ = 64, 8, 4, 800
#: The paper's claims over its CPU (dense, one vector), as geometric means over the layers: the
#: CPU's time over EIE's, and its energy.
PAPER_SPEEDUP, PAPER_ENERGY_SAVING = 189, 24_207
#: Accuracy that the paper gives AlexNet (top 5) by precision.
ALEXNET = {"float32, dense": "80.3 %", "16-bit fixed point": "79.8 %", "8-bit fixed point": "53 %"}


@dataclass(frozen=True)
class PaperLayer:
    """A layer's size and densities, and what the paper measured on it; times in microseconds."""

    name: str
    inputs: int
    outputs: int
    #: Share of the weights that are not zero, 0 to 1; the paper gives whole percent.
    weight_density: float
    #: Share of the activations that are not zero, 0 to 1.
    activation_density: float
    #: EIE, 64 PEs at 800 MHz: the work over the peak rate, and by the cycle-accurate simulator.
    theoretical_us: float
    actual_us: float
    #: Core i7-5930k (MKL), one vector.
    cpu_dense_us: float
    cpu_sparse_us: float
    #: Titan X (cuBLAS, cuSPARSE), one vector.
    gpu_dense_us: float
    gpu_sparse_us: float
    #: Tegra K1, one vector.
    mobile_gpu_dense_us: float

    def shrunk(self, divisor: int) -> PaperLayer:
        """Divide inputs and outputs, for a quick run; the paper's times stay."""
        return dataclasses.replace(
            self, inputs=max(1, self.inputs // divisor), outputs=max(1, self.outputs // divisor)
        )


LAYERS = tuple(
    PaperLayer(*row)
    for row in (
        # name, inputs, outputs, weights, activations, EIE x 2, CPU x 2, GPU x 2, mobile GPU
        ("Alex-6", 9216, 4096, 0.09, 0.351, 28.1, 30.3, 7516.2, 3066.5, 541.5, 134.8, 12437.2),
        ("Alex-7", 4096, 4096, 0.09, 0.353, 11.7, 12.2, 6187.1, 1282.1, 243.0, 65.8, 5765.0),
        ("Alex-8", 4096, 1000, 0.25, 0.375, 8.9, 9.9, 1134.9, 890.5, 80.5, 54.6, 2252.1),
        ("VGG-6", 25088, 4096, 0.04, 0.183, 28.1, 34.4, 35022.8, 3774.3, 1467.8, 167.0, 35427.0),
        ("VGG-7", 4096, 4096, 0.04, 0.375, 7.9, 8.7, 5372.8, 545.1, 243.0, 39.8, 5544.3),
        ("VGG-8", 4096, 1000, 0.23, 0.411, 7.3, 8.4, 774.2, 777.3, 80.5, 48.0, 2243.1),
        ("NT-We", 4096, 600, 0.10, 1.0, 5.2, 8.0, 605.0, 261.2, 65.0, 17.7, 1316.0),
        ("NT-Wd", 600, 8791, 0.11, 1.0, 13.0, 13.9, 1361.4, 437.4, 90.1, 41.1, 2565.5),
        ("NT-LSTM", 1201, 2400, 0.10, 1.0, 6.5, 7.5, 470.5, 260.0, 51.9, 18.5, 956.9),
    )
)
