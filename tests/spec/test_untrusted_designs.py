"""Design files of any text and bytes: a design, or a DesignError that says what is wrong."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import DesignError
from eie.hls.spec.design import Design

START = "format = 1\n[design]\npes = 4\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{START}queue_depth = {'9' * 5000}", "is not TOML: Exceeds the limit"),
        (f"{START}queue_depth = 0x{'f' * 5000}", "a value of type int that is too long to be"),
        (f"{START}speed = 0b{'1' * 50_000}", "'speed' is not a parameter"),
        ("format = true\n[design]\npes = 4", "format must be 1, not True"),
        ("format = 1.0\n[design]\npes = 4", "format must be 1, not 1.0"),
        ('format = "1"\n[design]\npes = 4', "format must be 1, not '1'"),
        (f"format = 0x{'f' * 5000}\n[design]\npes = 4", "format must be 1, not a value"),
        ("format = 1\ndesign = 4", "must have a [design] table"),
        ("format = 1\n[[design]]\npes = 4", "must have a [design] table"),
        (f"{START}queue_depth = 8.0", "queue_depth must be an integer from 2 to 256, not 8.0"),
        (f"{START}queue_depth = true", "not True"),
        (f"{START}queue_depth = '8'", "not '8'"),
        (f"{START}queue_depth = [8]", "not [8]"),
        (f"{START}queue_depth = 1979-05-27", "not datetime.date"),
        (f"{START}[design.queue_depth]\na = 1", "not {'a': 1}"),
        (f"{START}memory = {{a = 1}}", "memory must be 'bram' or 'uram', not {'a': 1}"),
        (f"{START}board = ['kv260']", "not ['kv260']"),
        (f"{START}pes = 4", "is not TOML: Cannot overwrite a value"),
        (f"{START}[design]\npes = 4", "is not TOML: Cannot declare"),
        (f"[other]\n{START}", "format must be 1, not None"),
        (f"{START}[other]\na = 1", "'other' must be in the [design] table"),
        (f"a = {'[' * 30_000}", "is not TOML"),
        (f"{START}{'a.' * 5000}b = 1", "is not a parameter"),
        (f"{START}memory = '{'a' * 60_000}'", "aaa..."),
        ("", "format must be 1, not None"),
        ("\0", "is not TOML"),
    ],
)
def test_text_that_is_no_design_is_refused(text, message, tmp_path):
    path = tmp_path / "design.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DesignError) as caught:
        Design.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfeformat = 1", "not a binary file of an unknown kind"),
        (START.encode() + b"# " + b"x" * (64 << 10), "at most 65536 bytes"),
        (START.encode() + b"# \xe9", "must be a design file"),
        (b"\x89HDF\r\n\x1a\n\xff", "not an HDF5 file"),
        (b"PK\x03\x04\xff", "not a zip archive"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content, message, tmp_path):
    path = tmp_path / "design.toml"
    path.write_bytes(content)
    with pytest.raises(DesignError) as caught:
        Design.load(path)
    assert message in str(caught.value)


def test_what_never_ends_is_refused(tmp_path):
    os.mkfifo(tmp_path / "design.toml")
    for path in (tmp_path / "design.toml", "/dev/zero"):
        with pytest.raises(DesignError, match="not a device, pipe or socket"):
            Design.load(path)


def test_a_value_without_a_text_is_refused_in_python():
    with pytest.raises(DesignError, match="pes must be an integer from 1 to 256, not a value"):
        Design(pes=10**5000)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_design_or_refused(content):
    try:
        Design.from_toml(content.decode("utf-8", errors="replace"))
    except DesignError:
        return


@given(st.sampled_from(sorted(Design(pes=1).parameters())), st.text(max_size=40))
def test_any_value_is_a_design_or_refused(name, text):
    try:
        design = Design.from_toml(f"format = 1\n[design]\npes = 4\n{name} = {text}")
    except DesignError:
        return
    assert Design.from_toml(design.to_toml()) == design
