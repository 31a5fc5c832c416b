"""What is wrong with a link of the built site is found."""

from __future__ import annotations

from links import problems_of

PAGE = """<html><head><link rel="stylesheet" href="assets/site.css"></head>
<body id="top"><h1 id="words">Words</h1>{}</body></html>"""


def complaints(folder, body: str) -> list[str]:
    (folder / "assets").mkdir()
    (folder / "assets" / "site.css").write_text("")
    (folder / "sub").mkdir()
    (folder / "sub" / "other.html").write_text('<p id="there"><a href="../index.html#words">x</a>')
    (folder / "index.html").write_text(PAGE.format(body))
    return problems_of(folder)


def test_a_sound_site_has_none(tmp_path):
    body = (
        '<a href="sub/other.html#there">x</a> <a href="#words">x</a> <a href="https://a.org">x</a>'
        '<a href="sub/other.html">x</a> <img src="data:image/png;base64,aaaa">'
    )
    assert complaints(tmp_path, body) == []


def test_every_fault_is_named_with_its_page(tmp_path):
    body = (
        '<a href="gone.html">x</a><a href="sub/other.html#here">x</a><a href="#nowhere">x</a>'
        '<a href="sub/">x</a><script src="https://cdn.example/a.js"></script><img src="gone.png">'
        '<img srcset="//fonts.example/b.png 2x">'
    )
    assert sorted(complaints(tmp_path, body)) == [
        "index.html: links to #nowhere: index.html has no such anchor",
        "index.html: links to gone.html, which is not there",
        "index.html: links to sub/, a folder: from a disk there is no index.html of it",
        "index.html: links to sub/other.html#here: other.html has no such anchor",
        "index.html: loads //fonts.example/b.png from the network",
        "index.html: loads gone.png, which is not there",
        "index.html: loads https://cdn.example/a.js from the network",
    ]
