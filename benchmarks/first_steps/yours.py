"""What both begin with: a trained model, inputs and their classes."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

FOLDER = Path("build/first-steps")

model = nn.Sequential(
    nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
)
model.load_state_dict(torch.load(FOLDER / "model.pt"))
x = np.load(FOLDER / "x.npy")
y = np.load(FOLDER / "y.npy")
