"""The page in a real Chromium: it opens, steps and plays, and no word lies on another."""

from __future__ import annotations

import pytest
from chromium.page_checks import CUT_OFF, faint

from eie.hls.spec.design import Design
from eie.host.view.array_picture import array_picture
from eie.host.view.pictures import PICTURES
from eie.host.view.svg import Drawing

pytestmark = pytest.mark.xdist_group("chromium")

#: Texts of a drawing that meet another one, or leave it: by what the browser says they take.
OVERLAPS = """[...document.querySelectorAll('svg.diagram')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const seen = [...svg.querySelectorAll('text')].filter(e => e.textContent.trim())
    .map(e => [e, e.getBoundingClientRect()]).filter(([, box]) => box.width);
  const found = [];
  seen.forEach(([one, a], number) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1
        || a.bottom > frame.bottom + 1) found.push('outside: ' + one.textContent);
    for (const [other, b] of seen.slice(number + 1)) {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      // Lines of text stand as close as their letters let them; boxes are a little taller.
      const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      const least = Math.min(a.height, b.height);
      if (wide > 0.5 && tall > 0.3 * least) found.push(one.textContent + ' | ' + other.textContent);
    }
  });
  return found;
})"""
#: Names of processes that are wider than their box.
CRAMPED = """[...document.querySelectorAll('.process-box')].filter(group => {
  const box = group.querySelector('rect').getBoundingClientRect();
  return [...group.querySelectorAll('text')].some(text => {
    const own = text.getBoundingClientRect();
    return own.left < box.left - 0.5 || own.right > box.right + 0.5 || own.bottom > box.bottom + 1;
  });
}).map(group => group.textContent.trim().slice(0, 60))"""
#: Parts of the player that lie on each other.
COLLISIONS = """[...document.querySelectorAll('.pe, .controls, .time')].flatMap(row => {
  const parts = [...row.children].map(e => [e, e.getBoundingClientRect()]);
  const chips = [...row.querySelectorAll('.chip, .product, .sum-cell, .state')]
    .map(e => [e, e.getBoundingClientRect()]);
  const frame = row.getBoundingClientRect();
  const found = chips.filter(([, b]) => b.right > frame.right + 1)
    .map(([e]) => 'outside: ' + e.textContent);
  for (const list of [parts, chips]) list.forEach(([one, a], number) => {
    for (const [other, b] of list.slice(number + 1)) {
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1
          && !one.contains(other) && !other.contains(one))
        found.push(one.textContent + ' | ' + other.textContent);
    }
  });
  return found;
})"""
#: Pictures have colours of their own, which test_colours.py compares.
FAINT = faint(skipped="svg, option, script, noscript")
STATE = "eiePlayer.state()"


def press(browser, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        text = {"text": " "} if key == " " and kind == "keyDown" else {}
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **text)


def look(browser, scheme: str) -> None:
    """In light or dark, without motion: what fades is not yet where it will be."""
    browser.call("Emulation.setEmulatedMedia", media="screen", features=[
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ])  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_whole_at_every_width(width, shown, browser, tmp_path):
    page = shown.save(tmp_path / "view.html")
    browser.show(page, width)
    look(browser, "light")
    if shown.animation is not None:
        for cycle in (0, 9, shown.animation.played // 2, shown.animation.played - 1):
            browser.evaluate(f"eiePlayer.show({cycle})")
            assert browser.evaluate(COLLISIONS) == []
            assert browser.evaluate(CUT_OFF) == []
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(OVERLAPS) == []
    assert browser.evaluate(CRAMPED) == []
    for scheme in ("light", "dark"):
        look(browser, scheme)
        assert browser.evaluate(FAINT) == []


def test_stepping_shows_the_papers_example(views, browser, tmp_path):
    """Cycle by cycle: what is sent, what PE 0 multiplies, and the results in the end."""
    page = views["example"].save(tmp_path / "view.html")
    browser.show(page)
    said = "document.getElementById('said').textContent"
    assert "4 of 8 are zero" in browser.evaluate(said)
    browser.evaluate("document.getElementById('next').click()")
    assert browser.evaluate(said).startswith("a2 = 3 is not zero: it is sent to every PE.")
    first = views["example"].animation.data["pes"][0]["entries"][0]
    browser.evaluate(f"eiePlayer.show({first[0]})")
    product = browser.evaluate("document.querySelector('.pe .product').textContent")
    assert product == "v 11, z 0 ▸ −4 × 3 = −12 ▸ b0"
    assert browser.evaluate("document.querySelectorAll('#matrix .w.hit').length") == 3
    browser.evaluate("eiePlayer.show(1000)")
    state = browser.evaluate(STATE)
    assert state["cycle"] == state["last"] == views["example"].animation.played - 1
    shown = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.sum-cell')]"
        ".map(e => [e.firstChild.textContent, e.lastChild.textContent]))"
    )
    expected = {
        f"b{row[0]}": f"{row[3]:,}".replace("-", "−")
        for pe in views["example"].animation.data["pes"]
        for row in pe["rows"]
    }
    assert shown == expected


@pytest.mark.parametrize("name", ["lone", "eight", "large", "in_passes"])
def test_every_cycle_can_be_shown(name, views, browser, tmp_path):
    page = views[name].save(tmp_path / "view.html")
    browser.show(page)
    browser.evaluate("for (let c = 0; c <= eiePlayer.state().last; c++) eiePlayer.show(c)")
    assert browser.complaints() == []
    # Waiting for a full queue is seen.
    if name == "eight":
        texts = browser.evaluate(
            "[...Array(eiePlayer.state().last).keys()].map(c => { eiePlayer.show(c);"
            " return document.getElementById('said').textContent; }).join(' ')"
        )
        assert "The broadcast waits: the queue of PE" in texts


def test_the_keyboard_steps_and_plays(views, browser, tmp_path):
    browser.show(views["example"].save(tmp_path / "view.html"))
    browser.evaluate("document.getElementById('cycle').focus()")
    for key, cycle in [
        ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("PageDown", 11), ("PageUp", 1),
        ("End", 22), ("Home", 0),
    ]:  # fmt: skip
        press(browser, key)
        assert browser.evaluate(STATE)["cycle"] == cycle
    press(browser, " ")
    assert browser.evaluate(STATE)["playing"]
    assert (
        browser.evaluate("document.getElementById('play').getAttribute('aria-pressed')") == "true"
    )
    assert browser.evaluate("document.getElementById('said').getAttribute('aria-live')") == "off"
    press(browser, "ArrowRight")
    assert not browser.evaluate(STATE)["playing"]


def test_playing_goes_on_by_itself_and_stops_at_the_end(views, browser, tmp_path):
    browser.show(views["example"].save(tmp_path / "view.html"))
    browser.evaluate("document.getElementById('speed').value = '150'; eiePlayer.show(20)")
    browser.evaluate("document.getElementById('play').click()")
    done = browser.call(
        "Runtime.evaluate",
        expression="new Promise(done => { const wait = () => eiePlayer.state().playing"
        " ? setTimeout(wait, 20) : done(eiePlayer.state()); wait(); })",
        awaitPromise=True,
        returnByValue=True,
    )
    assert done["result"]["value"] == {"cycle": 22, "last": 22, "playing": False}


def test_a_click_on_the_time_goes_there(views, browser, tmp_path):
    browser.show(views["example"].save(tmp_path / "view.html"))
    browser.evaluate("""(() => {
      const line = document.getElementById('timeline'), box = line.getBoundingClientRect();
      const clientX = box.left + box.width * 10.5 / 23;
      line.dispatchEvent(new MouseEvent('click', { clientX }));
    })()""")
    assert browser.evaluate(STATE)["cycle"] == 10


def test_everything_but_the_player_is_there_without_scripts(views, browser, tmp_path):
    browser.show(views["example"].save(tmp_path / "view.html"), scripts=False)
    text = browser.evaluate("document.body.innerText")
    assert "The player needs JavaScript" in text
    assert "sparse matrix" in text
    assert not browser.evaluate("document.getElementById('player').checkVisibility()")


def test_hostile_names_stay_text(views, browser, tmp_path):
    browser.show(views["hostile"].save(tmp_path / "view.html"))
    assert browser.evaluate("document.scripts.length") == 2
    assert browser.evaluate("document.querySelectorAll('[onload], img').length") == 0
    assert "</script><script>alert(1)</script>{{ 7*7 }}" in browser.evaluate(
        "document.body.innerText"
    )
    assert browser.complaints() == []


def test_what_a_screen_reader_is_told(views, browser, tmp_path):
    browser.show(views["example"].save(tmp_path / "view.html"))
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    seen = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    assert [name for role, name in seen if role == "heading"] == [
        "The example of the paper, on 4 PEs", "Step by step: 8 inputs, 16 outputs", "The array",
        "Memories", "What the network fills", "Streams",
    ]  # fmt: skip
    controls = {name for role, name in seen if role in ("button", "slider", "combobox")}
    wanted = {"first cycle", "a cycle back", "Play", "a cycle on", "last cycle", "cycle"}
    assert wanted <= controls
    assert all(name for role, name in seen if role in ("image", "region", "navigation", "button"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_of_the_documentation_are_legible(name, scheme, drawings, browser, tmp_path):
    picture: Drawing = drawings[name]
    (tmp_path / "picture.svg").write_text(picture.as_file(scheme))
    (tmp_path / "page.html").write_text(picture.as_file(scheme))
    browser.show(tmp_path / "page.html", 1800)
    assert browser.evaluate(OVERLAPS) == []
    assert browser.evaluate(CRAMPED) == []
    browser.show(tmp_path / "picture.svg", 1800)  # as an image: XML, with its own style
    assert browser.complaints() == []
    assert browser.evaluate("document.documentElement.getBoundingClientRect().width") == (
        pytest.approx(picture.width, abs=0.01)
    )


@pytest.mark.parametrize("of_pes", [True, False], ids=["of-each-pe", "single"])
def test_a_process_that_is_added_has_its_place(of_pes, with_cells, browser, tmp_path):
    design = Design(pes=8)
    (tmp_path / "page.html").write_text(array_picture(design, with_cells(design, of_pes)).as_file())
    browser.show(tmp_path / "page.html", 1800)
    assert browser.evaluate(OVERLAPS) == []
    assert browser.evaluate(CRAMPED) == []


def test_the_player_plays_in_a_notebook(views, browser, tmp_path):
    """In a frame of its own, as notebooks show HTML."""
    (tmp_path / "page.html").write_text(f"<body>{views['example']._repr_html_()}</body>")
    browser.show(tmp_path / "page.html")
    inside = "document.querySelector('iframe').contentWindow.eiePlayer"
    assert browser.evaluate(f"{inside}.show(7), {inside}.state().cycle") == 7
    assert browser.complaints() == []
