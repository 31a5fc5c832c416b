"""Every link of the built site, followed: files, anchors, and nothing that is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """What a page refers to, what can be referred to in it, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        #: What a browser fetches by itself.
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag's anchors and addresses."""
        given = {name: value for name, value in attrs if value is not None}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(given.get("href", ""))
        self.loaded += [given[name] for name in ("src", "data", "poster") if name in given]
        several = given.get("srcset", "").split(",")
        self.loaded += [each.split()[0] for each in several if each.strip()]


def problems_of(site: Path) -> list[str]:
    """Say what is wrong with the links of a site, a line each."""
    pages = {
        path.resolve(): _Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.name != "404.html"  # its links are of the server's root
    }
    return [
        f"{path.relative_to(site.resolve())}: {problem}"
        for path, page in pages.items()
        for problem in _problems(path, page, pages)
    ]


def _problems(path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for address in page.loaded:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") or parts.netloc:
            yield f"loads {address} from the network"
        elif parts.scheme != "data" and not (path.parent / unquote(parts.path)).exists():
            yield f"loads {address}, which is not there"
    for address in dict.fromkeys(page.links):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if goal.is_dir():
            yield f"links to {address}, a folder: from a disk there is no index.html of it"
        elif not goal.exists():
            yield f"links to {address}, which is not there"
        elif (
            parts.fragment and goal in pages and unquote(parts.fragment) not in pages[goal].anchors
        ):
            yield f"links to {address}: {goal.name} has no such anchor"
