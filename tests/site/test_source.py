"""Pages that come from code, and what is made of the repository's pages for the site."""

from __future__ import annotations

import re
from pathlib import Path

import api_pages
import make_figures
import pytest
import tomllib
from command_page import command_page
from error_page import error_page
from flowchart import as_svg
from notebook_pages import notebook_page
from pages import TUTORIAL, for_the_site
from sources import in_markdown

import eie
from eie.hls.boundary import errors
from eie.hls.boundary.errors import EieError, EieWarning
from eie.hls.spec.packets import Status
from eie.host.cli.main import _parser_and_commands

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_every_name_of_the_package_is_on_a_page_of_the_api(monkeypatch):
    pages = "".join(api_pages.api_pages().values())
    for name in eie.__all__:
        if name not in api_pages._ELSEWHERE:
            assert f'heading: "eie.{name}"' in pages
    monkeypatch.setattr(eie, "__all__", [*eie.__all__, "novelty"])
    with pytest.raises(SystemExit, match="novelty"):
        api_pages.api_pages()


def test_every_command_and_option_is_on_the_page_of_commands():
    page = command_page()
    _, commands = _parser_and_commands()
    for name in commands.names:
        assert f"\n## eie {name}\n" in page
    assert "`--calibration X.npy`" in page
    assert "`--lut-budget SHARE\\|LUTS`" in page


def test_every_error_has_its_cause_and_its_cure(monkeypatch):
    page = error_page()
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, EieError | EieWarning):
            base = kind in (EieError, EieWarning)
            assert base or f"### {kind.__name__}\n" in page
    for other in ("DmaError", "AnswerError", "UnreachableError", "NoDesignError", "RtlError"):
        assert f"### {other}\n" in page
    assert page.count("**Cause.**") == page.count("**Cure.**") == page.count("\n### ")
    for status in Status:
        assert (f"| `{status.name}` ({int(status)}) | " in page) == (status != Status.OK)
    monkeypatch.setattr(errors.ToolError, "__doc__", "It has no cure.")
    with pytest.raises(SystemExit, match="ToolError must say its cure"):
        error_page()


def test_comments_of_fields_become_docstrings_and_roles_code():
    source = (
        'class Part:\n    """A :class:`~eie.hls.spec.design.Design` thus::\n\n        x\n    """\n'
        "    #: How many\n    #: there are.\n    count: int = 3\n    kind: str  #: What it is.\n"
    )
    made: dict = {}
    exec(in_markdown(source), made)
    assert made["Part"].__doc__.startswith("A `Design` thus:\n\n")
    text = in_markdown(source)
    assert 'count: int = 3\n    r"""How many there are."""\n' in text
    assert 'r"""What it is."""' in text


@pytest.mark.parametrize("name", make_figures.FIGURES)
def test_figures_are_those_of_the_code(name):
    drawn = make_figures.FIGURES[name]()
    stored = (make_figures.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert stored == drawn, "run `make tables`"


def test_a_flowchart_is_drawn_with_all_of_its_words():
    drawing = as_svg(
        'flowchart LR\n  a["first"]\n  a -- "many" --> b\n  a -- "few" --> b\n  b --> c\n'
        '  a --> c\n  c -- "again" --> a\n  b -- "self" --> b\n'
    )
    assert re.findall(r">([^<>]+)</text>", drawing) == [
        "many, few", "again", "self", "first", "b", "c",
    ]  # fmt: skip
    assert drawing.count('class="edge"') == 3
    assert drawing.count('class="edge back"') == 2


def test_links_that_the_site_does_not_have_are_names(tmp_path):
    (tmp_path / "docs" / "how-to").mkdir(parents=True)
    (tmp_path / "CONTRIBUTING.md").write_text("")
    (tmp_path / "code.py").write_text("")
    page = tmp_path / "docs" / "how-to" / "page.md"
    page.write_text(
        "[a](../../code.py) [b](../other.md#c) [d](../../CONTRIBUTING.md) `[e](../../code.py)`\n"
        "[f](../tutorial/first-network.ipynb) [g](https://a.org) docs/reference/h-i.md, "
        "`docs/how-to/j.md` [k, `l`](../../code.py) [`m`](../other.md)\n"
    )
    assert for_the_site(page, tmp_path) == (
        "a (`code.py`) [b](../other.md#c) [d](../project/contributing.md) `[e](../../code.py)`\n"
        "[f](../tutorial/first-network.md) [g](https://a.org) [h-i](../reference/h-i.md), "
        "`docs/how-to/j.md` k, `l` (`code.py`) [`m`](../other.md)\n"
    )


def test_a_notebook_that_was_not_executed_is_no_page(tmp_path):
    text = (ROOT / TUTORIAL["first-network"]).read_text(encoding="utf-8")
    stale = tmp_path / "stale.ipynb"
    stale.write_text(re.sub(r'"execution_count": \d+', '"execution_count": null', text))
    with pytest.raises(SystemExit, match="was not executed"):
        notebook_page(stale, tmp_path / "stale.md", ROOT)


def in_navigation(entries) -> list[str]:
    """Pages of a navigation, at any depth."""
    pages: list[str] = []
    for entry in entries:
        if isinstance(entry, str):
            pages.append(entry)
        elif isinstance(entry, list):
            pages += in_navigation(entry)
        else:
            pages += in_navigation(entry.values())
    return pages


def test_every_page_is_in_the_navigation():
    settings = tomllib.loads((DOCS / "make_site" / "zensical.toml").read_text(encoding="utf-8"))
    named = in_navigation(settings["project"]["nav"])
    assert len(named) == len(set(named))
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    records = {name for name in written if name.startswith("decisions/0")}  # listed on their page
    made = {name for name in named if name.startswith(("reference/api/", "project/"))}
    made |= {"reference/commands.md", "reference/errors.md"}
    made |= {f"tutorial/{name}.md" for name in TUTORIAL}
    expected = (written - records) | made
    assert set(named) == expected, f"docs/make_site/zensical.toml: {set(named) ^ expected}"


def test_every_record_is_on_the_page_of_decisions():
    page = for_the_site(DOCS / "decisions" / "README.md", ROOT)
    for record in sorted((DOCS / "decisions").glob("0*.md")):
        assert f"({record.name})" in page


def test_pages_are_under_400_lines_of_python():
    for path in Path(DOCS / "make_site").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 400, path
