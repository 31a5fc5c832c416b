"""Arrays of other libraries: the numbers they hold, exactly, or a refusal by name."""

from __future__ import annotations

import fractions
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse
import torch

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.spec.fixed_point import quantize
from eie.host.compress import compress

NUMBERS = np.array([[0.5, -1.25, 3.0], [0.0, 2.5, -0.75]])


class Offers:
    """What another library's array looks like."""

    def __init__(self, array: object) -> None:
        self.array = array

    def __array__(self, dtype: object = None, copy: object = None) -> object:
        return self.array


class Named(torch.Tensor):
    """A subclass of Tensor."""


def _matrix(values: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy would have nobody use it any more
        return np.asmatrix(values)


TAKEN = {
    "an array": NUMBERS,
    "Fortran order": np.asfortranarray(NUMBERS),
    "big-endian": NUMBERS.astype(">f8"),
    "big-endian single": NUMBERS.astype(">f4"),
    "half": NUMBERS.astype(np.float16),
    "strided": np.repeat(NUMBERS, 2, axis=1)[:, ::2],
    "read-only": np.broadcast_to(NUMBERS, NUMBERS.shape),
    "a matrix": _matrix(NUMBERS),
    "masked, but nothing is": np.ma.masked_array(NUMBERS, mask=False),
    "a list": NUMBERS.tolist(),
    "a tuple of lists": tuple(NUMBERS.tolist()),
    "a list of arrays": list(NUMBERS),
    "a list of tensors": [torch.tensor(row, requires_grad=True) for row in NUMBERS],
    "a list of numpy numbers": [[np.float32(value) for value in row] for row in NUMBERS],
    "a list of tensors of numbers": [[torch.tensor(value) for value in row] for row in NUMBERS],
    "a tensor": torch.tensor(NUMBERS),
    "a tensor with a gradient": torch.tensor(NUMBERS, requires_grad=True),
    "a parameter": torch.nn.Parameter(torch.tensor(NUMBERS)),
    "computed": torch.tensor(NUMBERS, requires_grad=True) * 1,
    "bfloat16": torch.tensor(NUMBERS, dtype=torch.bfloat16),
    "float8": torch.tensor(NUMBERS).to(torch.float8_e4m3fn),
    "half tensor": torch.tensor(NUMBERS, dtype=torch.float16),
    "transposed tensor": torch.tensor(NUMBERS.T.copy()).T,
    "negated view": torch.complex(torch.zeros(2, 3).double(), torch.tensor(-NUMBERS)).conj().imag,
    "a subclass of Tensor": torch.tensor(NUMBERS).as_subclass(Named),
    "another library's": Offers(NUMBERS),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("kind", TAKEN)
def test_numbers_are_taken_exactly(kind):
    taken = real_array(TAKEN[kind], "values")
    assert type(taken) is np.ndarray or kind == "a matrix"
    assert taken.dtype.isnative
    assert np.array_equal(np.asarray(taken, np.float64), NUMBERS)
    assert np.array_equal(quantize(TAKEN[kind], 4), quantize(NUMBERS, 4))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([1, 2], ">i2"), np.int16),
        (np.array([True, False]), np.bool_),
        ([True, False], np.bool_),
        ([1, 2], np.int64),
        (torch.tensor([1, 2], dtype=torch.uint8), np.uint8),
        (torch.tensor([True]), np.bool_),
        (3.5, np.float64),
        (np.float32(1), np.float32),
        ([], np.float64),
        (np.zeros((0, 4), np.float32), np.float32),
        ([[], []], np.float64),
        (torch.zeros(0, 3), np.float32),
    ],
)
def test_types_are_kept(values, dtype):
    assert real_array(values, "values").dtype == dtype


def test_arrays_are_not_copied():
    assert real_array(NUMBERS, "values") is NUMBERS
    tensor = torch.zeros(2, 3)
    assert np.shares_memory(real_array(tensor, "values"), tensor.numpy())


def nested(depth: int) -> list:
    values: list = [1.0]
    for _ in range(depth):
        values = [values]
    return values


REFUSED = {
    "masked": (np.ma.masked_greater(NUMBERS, 1), "must have no masked values, not 2.*filled"),
    "a list of masked": ([np.ma.masked_greater(NUMBERS, 1)], r"values\[0\] must have no masked"),
    "scipy sparse": (scipy.sparse.csr_matrix(NUMBERS), "sparse one of scipy: give values.toarray"),
    "scipy sparse array": (scipy.sparse.coo_array(NUMBERS), "give values.toarray"),
    "sparse": (torch.tensor(NUMBERS).to_sparse(), "torch.sparse_coo: give values.to_dense"),
    "nested": (
        torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)], layout=torch.jagged),
        "to_padded_tensor",
    ),
    "meta": (torch.zeros(2, 2, device="meta"), "device 'meta' has not"),
    "complex tensor": (torch.zeros(2, 2, dtype=torch.complex64), "complex64, which is complex"),
    "complex": (NUMBERS.astype(complex), "dtype complex128.*features of their own"),
    "ragged": ([[1.0, 2.0], [3.0]], r"entry 0 has \(2,\), entry 1 has \(1,\)"),
    "ragged arrays": ([np.zeros(2), np.zeros(3)], "entries of one shape"),
    "objects": (np.array([1.0, None], object), "dtype object.*astype"),
    "a ragged object array": (np.array([[1], [1, 2]], object), "dtype object"),
    "strings": (np.array(["1.0"]), "dtype <U3, which is text"),
    "bytes": (np.array([b"1.0"]), "which is text"),
    "a string in a list": ([1.0, "2.0"], r"values\[1\] must be an array.*type str"),
    "None in a list": ([1.0, None], r"values\[1\].*NoneType"),
    "dates": (np.zeros(2, "M8[s]"), "which is dates"),
    "durations": (np.zeros(2, "m8[s]"), "which is durations"),
    "records": (np.zeros(2, [("a", "f4")]), "which is records"),
    "a huge integer": ([1, 2**70], "at most 64 bits"),
    "fractions": ([fractions.Fraction(1, 3)], "fractions.Fraction"),
    "a dictionary": ({"a": 1.0}, "type dict"),
    "a set": ({1.0}, "type set"),
    "a generator": ((value for value in [1.0]), "type generator"),
    "a string": ("1.0", "type str"),
    "nothing": (None, "NoneType"),
    "an offer of objects": (Offers(np.array([None])), "dtype object"),
    "an offer of nothing": (Offers(None), "gives none"),
    "deep lists": (nested(40), "at most 32 axes"),
    "deeper lists": (nested(100_000), "not lists in lists"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_lose_something_is_refused(kind):
    values, message = REFUSED[kind]
    with pytest.raises(InputError, match=f"(?s)^values.*{message}|^{message}"):
        real_array(values, "values")
    with pytest.raises(InputError):
        quantize(values, 4)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_quantised_tensors_are_refused():
    values = torch.quantize_per_tensor(torch.zeros(2, 2), 1.0, 0, torch.qint8)
    with pytest.raises(InputError, match=r"give values.dequantize\(\)"):
        real_array(values, "values")


class Column:
    """As pandas' Series is seen from here; pandas itself is not among the requirements."""

    def __init__(self, dtype: object, values: list[object]) -> None:
        self.dtypes, self.name, self.values = dtype, "size", values

    def to_numpy(self, dtype: object = object) -> np.ndarray:
        return np.array(self.values, dtype)


Column.__module__ = "pandas.core.series"


def test_tables_are_taken_or_their_columns_named():
    assert real_array(Column(np.dtype("f8"), [1.0, True]), "values").tolist() == [1.0, 1.0]
    with pytest.raises(InputError, match=r"not 'size' \(object\): leave them out"):
        real_array(Column(np.dtype("O"), ["a"]), "values")
    with pytest.raises(InputError, match=r"no missing values.*fillna"):
        real_array(Column(np.dtype("f8"), [1.0, object()]), "values")


def test_compress_takes_tensors_as_calibration():
    model = torch.nn.Linear(3, 2)
    samples = torch.tensor(NUMBERS, dtype=torch.float32)
    network = compress(model, calibration=samples.numpy(), density=1.0)
    assert compress(model, calibration=samples.requires_grad_(), density=1.0) == network
    assert compress(model, calibration=samples.to(torch.bfloat16), density=1.0) == network
    assert compress(model, calibration=samples.tolist(), density=1.0) == network
    with pytest.raises(InputError, match="calibration must have no masked values"):
        compress(model, calibration=np.ma.masked_equal(samples.detach().numpy(), 0.5))


def test_input_codes_are_converted_alike(random_network):
    network = random_network(4, 3)
    codes = np.arange(8, dtype=np.int16).reshape(2, 4)
    for given in (codes.astype(">i2"), torch.tensor(codes), np.asfortranarray(codes), list(codes)):
        assert np.array_equal(network.check_inputs(given), codes)
    with pytest.raises(InputError, match="masked"):
        network.check_inputs(np.ma.masked_equal(codes, 3))


def test_torch_is_not_imported_for_it():
    program = (
        "import sys\nfrom eie.hls.boundary.real_arrays import real_array\n"
        "real_array([[1.0]], 'values')\nassert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
