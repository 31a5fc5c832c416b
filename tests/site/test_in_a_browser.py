"""The built site in a real browser, from a disk: nothing fetched, search, a phone's width."""

from __future__ import annotations

import time

import pytest

#: Pages with what is widest: tables, figures, code.
PAGES = (
    "index.html", "tutorial/first-network.html", "tutorial/choosing-a-design.html",
    "tutorial/recurrent.html", "tutorial/examples.html", "how-to/retrain.html",
    "how-to/host-and-accelerator.html", "how-to/viewing.html", "reference/packets.html",
    "how-to/board-checklist.html", "reference/api/convert.html", "reference/commands.html",
    "reference/glossary.html", "explanation/paper-and-ours.html", "explanation/hardware.html",
    "explanation/architecture.html", "explanation/evaluation.html", "project/changelog.html",
)  # fmt: skip
#: Seconds that the index may take on a busy machine.
PATIENCE = 60
#: The dialog lies in a shadow tree of its own.
RESULTS = """(() => {
  for (const each of document.querySelectorAll("*")) {
    const root = each.shadowRoot;
    if (root?.querySelector("dialog[open] input:focus")) return root.textContent;
  }
  return null;
})()"""


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_their_window_and_fetch_nothing(site, browser, width):
    for page in PAGES:
        browser.show(site / page, width=width)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, page
        asked = [url for url in browser.requests() if not url.startswith(("file:", "data:"))]
        assert not asked, page
        assert not browser.complaints(), page


def test_search_works_from_a_disk(site, browser):
    browser.show(site / "explanation" / "numbers.html")
    browser.evaluate("document.querySelector('.md-search__button').click()")
    end = time.monotonic() + PATIENCE
    while browser.evaluate(RESULTS) is None:
        assert time.monotonic() < end, "the dialog did not open"
        time.sleep(0.1)
    browser.call("Input.insertText", text="saturated")
    while "results" not in browser.evaluate(RESULTS):
        assert time.monotonic() < end, "no results"
        time.sleep(0.1)
    assert "Packets and registers" in browser.evaluate(RESULTS)
    assert not browser.complaints()
