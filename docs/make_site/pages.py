"""Pages of the repository as pages of the site: links, diagrams."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flowchart import as_svg

#: Pages of the tutorial that are notebooks, in order.
TUTORIAL = {
    "first-network": "docs/tutorial/first-network.ipynb",
    "your-own-model": "docs/tutorial/your-own-model.ipynb",
    "choosing-a-design": "docs/tutorial/choosing-a-design.ipynb",
    "recurrent": "docs/tutorial/recurrent.ipynb",
    "on-the-board": "notebooks/eie_digits.ipynb",
}
#: Code and links, whichever begins first: a link's words may be code, code may look like a link.
_CODE_OR_LINK = re.compile(
    r"^```(?s:.*?)^```|`[^`\n]+`|(?P<link>(!?)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\))", re.MULTILINE
)
#: A page that is named without a link.
_NAMED = re.compile(r"(?<![\w/(\[])docs/((?:tutorial|how-to|reference|explanation)/[\w-]+\.md)")
#: A picture in two colours, as GitHub shows it.
_PICTURE = re.compile(
    r'<picture>\s*<source [^>]*srcset="([^"]+)">\s*<img alt="([^"]*)" src="([^"]+)">\s*</picture>'
)


def for_the_site(path: Path, root: Path) -> str:
    """Text of a page of ``docs/``: diagrams are drawn, and links that lead out of it are names."""
    text = with_pictures(with_figures(drawn(path.read_text(encoding="utf-8")), path))
    if path.parent.name == "decisions" and path.name == "README.md":
        text = f"{text}\n{_records(path.parent)}"
    return with_links(text, path, root, path)


def _records(folder: Path) -> str:
    """List the records of decisions, each with its title."""
    lines = []
    for path in sorted(folder.glob("0*.md")):
        heading = path.read_text(encoding="utf-8").partition("\n")[0]
        title = re.sub(r"^# *0*\d+[.:] *", "", heading)
        lines.append(f"- {int(path.name[:4])}: [{title}]({path.name})")
    return "\n".join(lines) + "\n"


def with_figures(text: str, path: Path) -> str:
    """Put figures into the page itself, so that they have its colours, light or dark."""

    def figure(found: re.Match[str]) -> str:
        drawing = (path.parent / found[1]).read_text(encoding="utf-8")
        drawing = re.sub(r"<style>.*?</style>", "", drawing, flags=re.DOTALL)
        return f'<div class="diagram">\n{drawing.strip()}\n</div>\n'

    return re.sub(r"^!\[[^\]]*\]\((\S+\.svg)\)\n", figure, text, flags=re.MULTILINE)


def with_pictures(text: str) -> str:
    """Let the site's own switch choose between a light and a dark picture, not the system's."""

    def both(found: re.Match[str]) -> str:
        dark, words, light = found[1], found[2], found[3]
        colours = {"light": light, "dark": dark}
        # Wide ones are small in a page: what is clicked is shown by itself.
        shown = [
            f'<a class="{name}" href="{file}"><img alt="{words}" src="{file}"></a>'
            for name, file in colours.items()
        ]
        return "\n".join(['<div class="picture">', *shown, "</div>"])

    return _PICTURE.sub(both, text)


def repository_page(path: Path, root: Path) -> str:
    """Text of a file of the repository that the site has in ``project/``."""
    text = path.read_text(encoding="utf-8")
    return with_links(text, path, root, root / "docs" / "project" / path.name)


def drawn(text: str) -> str:
    """Put a drawing in the place of each Mermaid diagram: the site loads no script for it."""
    return re.sub(
        r"^```mermaid\n(.*?)^```\n",
        lambda found: f'<div class="diagram">\n{as_svg(found[1])}\n</div>\n',
        text,
        flags=re.MULTILINE | re.DOTALL,
    )


def with_links(text: str, path: Path, root: Path, place: Path) -> str:
    """Make links right at the page's place on the site.

    A link to a folder leads to its README, to a notebook to its page; what the site does not have
    is named as code. Links within code are left alone.
    """
    notebooks = {root / source: name for name, source in TUTORIAL.items()}

    def link(found: re.Match[str]) -> str:
        picture, words, target, anchor = found[2], found[3], found[4], found[5] or ""
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        goal = (path.parent / target).resolve()
        if goal in notebooks:
            goal = root / "docs" / "tutorial" / f"{notebooks[goal]}.md"
        elif goal.is_dir() and (goal / "README.md").exists():
            goal = goal / "README.md"
        elif goal.parent == root and goal.suffix == ".md" and goal.name != "README.md":
            goal = root / "docs" / "project" / goal.name.lower()
        if goal == root / "README.md":
            goal = root / "docs" / "index.md"
        elif root / "docs" not in goal.parents or goal.suffix in (".py", ".json"):
            return f"{words} (`{goal.relative_to(root)}`)" if words != target else f"`{words}`"
        return f"{picture}[{words}]({os.path.relpath(goal, place.parent)}{anchor})"

    def named(found: re.Match[str]) -> str:
        goal = os.path.relpath(root / "docs" / found[1], place.parent)
        return f"[{Path(found[1]).stem}]({goal})"

    pieces, last = [], 0
    for found in _CODE_OR_LINK.finditer(text):
        whole = found[0] if found["link"] is None else link(found)
        pieces += [_NAMED.sub(named, text[last : found.start()]), whole]
        last = found.end()
    return "".join([*pieces, _NAMED.sub(named, text[last:])])
