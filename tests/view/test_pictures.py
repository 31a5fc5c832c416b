"""The pictures in docs/images are those that the command draws now."""

from __future__ import annotations

from pathlib import Path

from eie.host.view.pictures import PICTURES, pictures

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def test_the_pictures_are_up_to_date(make_pictures):
    drawn = dict(pictures(make_pictures.DESIGN, make_pictures.network()))
    assert len(drawn) == 2 * len(PICTURES)
    for name, text in drawn.items():
        assert (IMAGES / name).read_text() == text, f"{name} is out of date: make pictures"


def test_there_are_no_others(make_pictures):
    assert {path.name for path in IMAGES.glob("*.svg")} == {
        f"{name}-{scheme}.svg" for name in PICTURES for scheme in ("light", "dark")
    }
