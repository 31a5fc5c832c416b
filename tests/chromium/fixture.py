"""The browser of the tests that look at pages; a conftest imports it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chromium.pipe import Browser, find_chromium, running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    with running(program, tmp_path_factory.mktemp("browser")) as started:
        yield started
