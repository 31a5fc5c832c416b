"""Pages in a real Chromium: nothing complains, nothing is fetched, nothing sticks out."""

from __future__ import annotations

import base64

import pytest
from chromium.page_checks import CUT_OFF, faint

pytestmark = pytest.mark.xdist_group("chromium")

#: What plots are read by: all but the scale, what a bar could reach at most, and areas whose edges
#: are marks themselves.
MARKS = "svg rect:not(.track, .uncertain, .hatch-ground, .starved), svg line:not(.grid), svg circle"
FAINT = faint(marks=MARKS)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_whole_at_every_width(width, dark, report, browser, tmp_path):
    page = tmp_path / "report.html"
    report.save(page)
    browser.show(page, width, dark=dark)
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(CUT_OFF) == []
    assert browser.evaluate(FAINT) == []


def test_a_desktop_shows_tables_whole(full, browser, tmp_path):
    full.save(tmp_path / "report.html")
    browser.show(tmp_path / "report.html", 1280)
    widths = "[...document.querySelectorAll('.table')].map(e => [e.scrollWidth, e.clientWidth])"
    assert all(needed <= has for needed, has in browser.evaluate(widths))


def test_light_and_dark_differ(full, browser, tmp_path):
    full.save(tmp_path / "report.html")
    grounds = []
    for dark in (False, True):
        browser.show(tmp_path / "report.html", dark=dark)
        grounds.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(17, 22, 28)"]


def test_a_page_reads_the_same_without_scripts(full, browser, tmp_path):
    page = tmp_path / "report.html"
    full.save(page)
    texts = []
    for scripts in (True, False):
        browser.show(page, scripts=scripts)
        # The protocol's own calls run whether or not the page's scripts may.
        texts.append(browser.evaluate("document.body.innerText"))
    assert texts[0] == texts[1]
    assert "What limits it." in texts[0]
    assert browser.evaluate("document.scripts.length") == 0


def test_hostile_names_stay_text(hostile, browser, tmp_path):
    page = tmp_path / "report.html"
    hostile.save(page)
    browser.show(page)
    active = "document.querySelectorAll('script, img, [onload], [onerror]').length"
    assert browser.evaluate(active) == 0
    # The name of the layer that takes most of the cycles.
    text = browser.evaluate("document.body.innerText")
    assert "</style></title>&lt;b onload='x'>{{ 7*7 }}" in text
    assert browser.complaints() == []


def test_every_plot_has_a_size_and_a_name(report, browser, tmp_path):
    page = tmp_path / "report.html"
    report.save(page)
    browser.show(page, 390)
    plots = browser.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].map(e => [e.getBoundingClientRect().width,"
        " e.querySelector('title').textContent.trim().length])"
    )
    assert plots
    assert all(width > 200 and name > 0 for width, name in plots)


def test_the_page_is_read_out_in_order(full, browser, tmp_path):
    """What a screen reader is told: headings, and a name for each picture and table."""
    page = tmp_path / "report.html"
    full.save(page)
    browser.show(page)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    seen = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    headings = [name for role, name in seen if role == "heading"]
    assert headings == [
        "60-100-40-10 on PYNQ-Z2", "Network", "Accuracy", "Cycles", "Load of the PEs", "Resources",
        "Which engines agree", "Next steps", "Details",
    ]  # fmt: skip
    assert all(name for role, name in seen if role in ("image", "region", "navigation"))


def test_it_prints_in_ink_on_white_whatever_the_screen_is(full, browser, tmp_path):
    """In a window as wide as A4 between its margins."""
    full.save(tmp_path / "report.html")
    browser.show(tmp_path / "report.html", 688, dark=True, media="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert browser.evaluate(CUT_OFF) == []
    # What is folded away on a screen is on paper, and nothing scrolls there.
    seen = (
        "[...document.querySelectorAll('details > :not(summary)')].every(e => e.checkVisibility())"
    )
    assert browser.evaluate(seen)
    scrolls = (
        "[...document.querySelectorAll('pre, .table')].filter(e => e.scrollWidth > 689).length"
    )
    assert browser.evaluate(scrolls) == 0
    paper = browser.call("Page.printToPDF", printBackground=True)
    assert base64.b64decode(paper["data"]).startswith(b"%PDF-")
