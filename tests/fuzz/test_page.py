"""Each program writes its own part of docs/explanation/reliability.md."""

from __future__ import annotations

import pytest
from reliability_page import PAGE, write_part


@pytest.fixture
def page(tmp_path):
    copy = tmp_path / "reliability.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def test_a_part_is_replaced_and_the_others_stay(page):
    before = page.read_text()
    write_part("bad input", "## Bad input\n\n\\1 of ours", page)
    after = page.read_text()
    assert "\\1 of ours" in after
    driver = before[: before.index("<!-- part bad input -->")]
    assert after.startswith(driver) and "## The driver" in driver
    write_part("driver", "## The driver\n\nours", page)
    assert "\\1 of ours" in page.read_text()
    assert page.read_text().count("<!-- end -->") == before.count("<!-- end -->")


def test_a_part_that_is_not_there_is_named(page):
    with pytest.raises(ValueError, match="one part 'x'"):
        write_part("x", "text", page)
