"""The page's text: well-formed, self-contained, and with the same figures as the JSON."""

from __future__ import annotations

import builtins
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from eie.hls.boundary.errors import InputError, ToolError
from eie.host.report import Report

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Walker(HTMLParser):
    """Walks a page and keeps what the tests ask for."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.figures: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        self.problems += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.problems.append(f"{tag} has an attribute twice: {names}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"{tag} is closed at {self.getpos()} where it is not open")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] == "data":
            attributes = self.elements[-1][1]
            self.figures.append((str(attributes["data-fact"]), str(attributes["value"]), data))


def at(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values[int(part)] if isinstance(values, list) else values[part]
    return values


def test_a_page_is_well_formed(report):
    walker = Walker(report.as_html())
    assert walker.problems == []
    ids = [attributes["id"] for _, attributes in walker.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = [attributes["href"] for tag, attributes in walker.elements if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_a_page_refers_to_nothing_outside(report):
    page = report.as_html()
    for tag, attributes in Walker(page).elements:
        assert tag not in ("script", "img", "iframe", "object", "embed", "base", "form")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "srcset", "action", "xlink:href"):
                assert value.startswith(("#", "data:"))
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    assert "@import" not in style
    assert re.findall(r"url\((?!#)", style) == []


def test_every_figure_is_that_of_the_json(report):
    values = json.loads(json.dumps(report.as_json()))
    figures = Walker(report.as_html()).figures
    assert len(figures) > 10
    for path, value, _ in figures:
        assert value == str(at(values, path)), path


def test_the_figures_that_matter_are_there(full):
    paths = {path for path, _, _ in Walker(full.as_html()).figures}
    for needed in (
        "single.us_per_vector", "single.total", "batch.vectors_per_second", "accuracy.accuracy",
        "size.loaded_bytes", "size.ratio", "layers.0.weights_kept", "single.by_layer.0.cycles",
        "single.by_layer.2.bound", "load.1.heaviest", "resources.0.low", "resources.0.high",
        "agreement.0.equal", "losses.median", "losses.stages.0.median", "layers.0.rms_error",
    ):  # fmt: skip
        assert needed in paths


def test_what_was_never_built_is_said_before_any_figure(report):
    page = report.as_html()
    assert page.index("Never synthesised") < page.index("<data")
    assert "uncalibrated" in page


def test_what_is_missing_says_how_to_get_it(bare):
    text = " ".join("".join(Walker(bare.as_html()).text).split())
    for sentence in bare.facts.missing.values():
        assert sentence in text
    assert "--labels" in bare.facts.missing["accuracy"]


def test_names_stay_text(hostile):
    walker = Walker(hostile.as_html())
    text = "".join(walker.text)
    assert '"><script>alert(1)</script>' in text
    assert "{{ 7*7 }}" in text
    assert not re.search("[\x00\u202e\ud800]", hostile.as_html())
    assert "<img src=x onerror=alert(1)>" in text


def test_options_are_kept_in_one_piece(bare):
    assert '<code class="option">--labels LABELS.npy</code>' in bare.as_html()


def test_long_names_keep_both_ends(deep):
    names = re.findall(r'class="name"[^>]*>([^<]*)<', deep.as_html())
    assert len(set(names)) == 20
    assert all(len(name) <= 24 for name in names)


def test_the_same_facts_give_the_same_page(full):
    assert full.as_html() == Report(full.facts).as_html()


def test_both_files_are_written(full, tmp_path):
    full.save(tmp_path / "report.html")
    full.save(str(tmp_path / "report.json"))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == full.as_html()
    assert json.loads((tmp_path / "report.json").read_text()) == full.as_json()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_report_that_cannot_be_written_says_why(full, tmp_path):
    with pytest.raises(InputError, match=r"cannot write report .*there is no folder"):
        full.save(tmp_path / "nowhere" / "report.html")
    with pytest.raises(InputError, match=r"cannot write report .*it is a folder"):
        full.save(tmp_path)
    sealed = tmp_path / "sealed.html"
    sealed.write_text("mine")
    sealed.chmod(0o444)
    with pytest.raises(InputError, match=r"cannot write report .*read-only"):
        full.save(sealed)
    assert sealed.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["sealed.html"]


def test_without_jinja2_it_says_what_to_install(full, monkeypatch):
    whole = builtins.__import__

    def without(name: str, *others: Any, **more: Any) -> Any:
        if name == "jinja2":
            raise ImportError(name)
        return whole(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ToolError, match=r"pip install '\.\[hls\]'"):
        full.as_html()
