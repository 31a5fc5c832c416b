"""``--density``: one number, or numbers by layer."""

import pytest

from eie.hls.boundary.errors import InputError
from eie.host.cli.density_option import densities


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (["0.1"], 0.1),
        (["fc1=0.3"], {"fc1": 0.3}),
        (["fc1=0.3,fc2.0=1"], {"fc1": 0.3, "fc2.0": 1.0}),
        (["fc1=0.3", "a=b=0.1, fc2=0.5"], {"fc1": 0.3, "a=b": 0.1, "fc2": 0.5}),
    ],
)
def test_what_is_read(texts, value):
    assert densities(texts) == value


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["much"], "--density: must be a number, or LAYER=number, not 'much'"),
        ([""], "not ''"),
        (["fc1="], "not 'fc1='"),
        (["fc1=0.1", "fc1=0.2"], "must name layer 'fc1' once"),
        (["0.1", "0.2"], "must be one number for all layers"),
        (["0.1,fc1=0.2"], "not '0.1' beside others"),
    ],
)
def test_what_is_refused(texts, message):
    with pytest.raises(InputError, match=message):
        densities(texts)
