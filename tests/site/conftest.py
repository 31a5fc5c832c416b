"""The site's own programs lie in docs/, and are run from there."""

import sys
from pathlib import Path

import pytest
from chromium.fixture import browser  # noqa: F401

DOCS = Path(__file__).parents[2] / "docs"
sys.path[:0] = [str(DOCS / "make_site"), str(DOCS)]


@pytest.fixture(scope="session")
def site() -> Path:
    """The site as `make docs` has built it, which CI does before the tests."""
    built = DOCS.parent / "build" / "site"
    if not (built / "index.html").is_file():
        pytest.skip("there is no build/site: run `make docs`")
    return built
