import numpy as np
import pytest

from eie.host.compress import DenseLayer, Formats, SharedWeights, quantize_layer

FORMATS = Formats(input_frac=8, weight_frac=4, output_frac=8)


def _quantize(codes, centroids, *, keep_codes=False, bias=0.0):
    codes = np.array(codes, np.uint8)
    layer = DenseLayer(
        "fc", np.zeros(codes.shape), np.full(len(codes), bias), relu=True, normalized=False
    )
    shared = SharedWeights(codes, np.array(centroids, np.float64))
    return quantize_layer(layer, shared, FORMATS, keep_codes=keep_codes)


def test_codebook_and_bias_are_rounded():
    layer = _quantize([[1, 0, 2], [3, 3, 1]], [-1.0, 0.53, 2.0], bias=0.1)
    assert layer.codebook.tolist() == [0, -16, 8, 32, *[0] * 12]
    assert layer.dense_weights().tolist() == [[-16, 0, 8], [32, 32, -16]]
    assert layer.bias.tolist() == [round(0.1 * 2**12)] * 2
    assert layer.relu


def test_weights_that_become_equal_share_a_code():
    layer = _quantize([[1, 2, 3]], [0.5, 0.501, 1.0])
    assert layer.dense_codes().tolist() == [[1, 1, 2]]
    assert layer.codebook.tolist() == [0, 8, 16, *[0] * 13]


@pytest.mark.parametrize("centroid", [0.02, -0.02, 1 / 32])
def test_weights_that_become_zero_are_dropped(centroid):
    centroids = sorted([centroid, 1.0])
    layer = _quantize([[1, 2, 1]], centroids)
    assert layer.nonzeros == 1
    assert layer.dense_weights().tolist() == [[0, 16, 0]]
    assert layer.codebook.tolist() == [0, 16, *[0] * 14]


def test_kept_codes_stay_in_both_cases():
    layer = _quantize([[1, 2, 3, 4]], [0.02, 0.5, 0.501, 1.0], keep_codes=True)
    assert layer.dense_codes().tolist() == [[1, 2, 3, 4]]
    assert layer.codebook.tolist() == [0, 0, 8, 8, 16, *[0] * 11]


def test_a_layer_without_weights():
    layer = _quantize([[0, 0], [0, 0]], [])
    assert layer.nonzeros == 0
    assert layer.codebook.tolist() == [0] * 16
