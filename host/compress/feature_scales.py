"""Features of different scale, each with a power of two of its own.

One fraction length for all inputs leaves nothing of a feature of 0.001 beside one of 100,000.
Scaling feature j by ``2 ** e[j]`` and column j of the layers that take it by ``2 ** -e[j]`` changes
no output, exactly. The host does the one when it quantises (``Network.feature_fracs``); the other
happens here, before pruning and sharing, so that these see what the data makes of a weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.host.compress.dense_layer import DenseModel, giver_of
from eie.host.compress.formats import largest_frac
from eie.host.compress.ranges import HEADROOM, Range, robust_range
from eie.host.network import INPUT

__all__ = ["FeatureScales", "feature_scales", "typical_codes"]

#: A feature whose ordinary values take fewer codes than this, with one format for all features, is
#: worth a scale of its own: they would be rounded by up to a percent and more.
_FEW_CODES = 32.0

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureScales:
    """A power of two for each feature."""

    #: int64, shape (features,): feature j is multiplied by ``2 ** exponents[j]``.
    exponents: npt.NDArray[np.int64]
    #: Range of every scaled feature, headroom included.
    inputs: Range

    def scale_inputs(self, inputs: Reals) -> Reals:
        """Scale inputs of shape (n, features)."""
        scaled: Reals = np.ldexp(inputs, self.exponents)
        return scaled

    def scale_model(self, model: DenseModel) -> DenseModel:
        """Give the model that takes scaled inputs: the same outputs, exactly."""
        layers = tuple(
            replace(layer, weights=np.ldexp(layer.weights.astype(np.float64), -self.exponents))
            if giver_of(model.layers, index) == INPUT
            else layer
            for index, layer in enumerate(model.layers)
        )
        return replace(model, layers=layers)

    def fracs(self, input_frac: int) -> npt.NDArray[np.int64]:
        """Fraction bits of each feature, where scaled inputs have `input_frac`."""
        return self.exponents + input_frac


def feature_scales(calibration: Reals) -> FeatureScales | None:
    """Choose scales by calibration data of shape (n, features); None if one format suits them all.

    Each feature gets the range that it needs by itself, outliers left out
    (:func:`eie.host.compress.ranges.robust_range`). One that is always 0 is not scaled.
    """
    low, high = robust_range(calibration)
    frac = largest_frac(HEADROOM * low, HEADROOM * high, name="model: inputs")
    typical = typical_codes(calibration, frac)
    cut = calibration.min() < low or calibration.max() > high
    if not cut and not np.any((typical > 0) & (typical < _FEW_CODES)):
        return None
    fracs = np.full(calibration.shape[1], frac, np.int64)
    for feature in np.flatnonzero(typical):
        low, high = robust_range(calibration[:, [feature]])
        fracs[feature] = largest_frac(
            HEADROOM * low, HEADROOM * high, name=f"model: feature {feature}"
        )
    # Scaled features are left in the middle of them, with room for all of the range.
    middle = int(np.median(fracs))
    limits = float(np.ldexp(CODE_MIN, -middle)), float(np.ldexp(CODE_MAX, -middle))
    return FeatureScales(fracs - middle, limits)


def typical_codes(calibration: Reals, frac: int) -> Reals:
    """Mean magnitude of each feature where it is not 0, in codes, none above the largest code.

    Returns
    -------
    ndarray of float64, shape (features,)
        0 for a feature that is always 0.
    """
    codes = np.minimum(np.abs(calibration), np.ldexp(CODE_MAX, -frac))
    counts = np.count_nonzero(codes, axis=0)
    typical: Reals = np.ldexp(codes.sum(axis=0) / np.maximum(counts, 1), frac)
    return typical
