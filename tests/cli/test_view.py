"""`eie view`: the page is written, opened where there is a browser, and else named."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import numpy as np
import pytest

from eie.host.cli.main import main


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """Addresses that a browser was asked to open; there is a screen."""
    asked: list[str] = []
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(webbrowser, "open", lambda url: asked.append(url) or True)
    return asked


@pytest.fixture
def no_screen(monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)

    def never(url: str) -> bool:
        raise AssertionError("without a screen Python would take a terminal's browser")

    monkeypatch.setattr(webbrowser, "open", never)


def test_the_page_opens_in_a_browser(eie, opened):
    ended = eie("view design.toml net.npz")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("wrote design-view.html: 2 PEs, for no board yet; layer 0 of ")
    assert opened == [Path("design-view.html").resolve().as_uri()]
    assert "Step by step" in Path("design-view.html").read_text()


def test_without_a_browser_the_path_is_printed(eie, no_screen):
    ended = eie("view design.toml --output page.html")
    assert ended.status == 0
    assert f"open {Path('page.html').resolve().as_uri()}" in ended.out


def test_a_browser_that_fails_is_none(eie, opened, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert "no browser was found here: open file:///" in eie("view --example").out


def test_nothing_is_opened_if_asked_so(eie, opened):
    ended = eie("view --example --no-open --output paper.html")
    assert ended.out == (
        "wrote paper.html: The example of the paper, on 4 PEs; layer 0 of 23 cycles to step "
        "through\n"
    )
    assert opened == []


def test_the_array_alone_as_svg(eie, folder):
    eie("view design.toml --no-open --output array.svg")
    assert Path("array.svg").read_text().startswith("<svg xmlns=")


def test_layer_and_input(eie, folder):
    ended = eie("view design.toml net.npz --layer 1 --input x.npy --no-open")
    assert "layer 1 of " in ended.out
    np.save("flat.npy", np.zeros(20))
    eie("view design.toml net.npz --input flat.npy --no-open")
    assert "0 of 20 activations are not zero" in Path("design-view.html").read_text()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("view", "a design (DESIGN.toml) or --example must be given, one of them"),
        ("view --example design.toml", "one of them"),
        ("view design.toml --layer 1", "--layer must be given with a network"),
        ("view design.toml --input x.npy", "--input must be given with a network"),
        ("view design.toml net.npz --layer 7", "layer must be 0 to 1, as the network has 2"),
        ("view design.toml net.npz --layer one", "invalid int value"),
        ("view net.npz design.toml", "are exchanged"),
        ("view design.toml design.toml", "must be a network file"),
        ("view none.toml", "none.toml"),
        ("view design.toml net.npz --input design.toml", "must be a .npy file"),
        ("view design.toml --output project", "it is a folder"),
        ("view design.toml --output none/view.html", "there is no folder"),
        ("view design.toml net.npz --output net.npz", "must not be the same file"),
    ],
)
def test_what_is_wrong_is_refused(command, message, refused):
    assert message in refused(command)


def test_a_network_that_does_not_fit_is_refused(folder, capsys):
    text = Path("design.toml").read_text().replace("pointers_per_pe = 2048", "pointers_per_pe = 4")
    Path("small.toml").write_text(text)
    assert main(["view", "small.toml", "net.npz"]) == 2
    assert "pointers_per_pe" in capsys.readouterr().err
    assert not Path("small-view.html").exists()
