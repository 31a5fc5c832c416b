"""Build the site: ``make docs``, which is ``python docs/make_site SITE_PYTHON``.

The pages of ``docs/``, those that come from code (the API, commands, errors) and the executed
notebooks are put together in ``build/site-source``; Zensical makes ``build/site`` of them, in an
environment of its own (SITE_PYTHON); every link and anchor of the result is followed. Anything that
any of these complains of is an error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The tables of code are made next door.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from api_pages import api_pages
from command_page import command_page
from error_page import error_page
from links import problems_of
from notebook_pages import notebook_page
from pages import TUTORIAL, for_the_site, repository_page
from sources import copy_sources

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DOCS = HERE.parent
#: Files of the repository that are pages, too.
OF_THE_REPOSITORY = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def main() -> int:
    """Build; 0 if there is nothing to complain of."""
    parser = argparse.ArgumentParser(prog="make_site", description="Build the site.")
    parser.add_argument("python", type=Path, help="Python that has Zensical")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="folder (build)")
    options = parser.parse_args()
    source, site = options.out / "site-source", options.out / "site"
    with tempfile.TemporaryDirectory(dir=options.out) as scratch:
        # Made aside and moved into its place: what was built before stays until there is another.
        fresh = Path(scratch) / "source"
        write_source(fresh)
        shutil.rmtree(source, ignore_errors=True)
        fresh.rename(source)
    said = build(options.python, source)
    found = problems_of(source / "site")
    for line in [*said, *found]:
        print(line, file=sys.stderr)
    if said or found:
        print(f"make_site: {len(said) + len(found)} lines of complaint", file=sys.stderr)
        return 1
    shutil.rmtree(site, ignore_errors=True)
    (source / "site").rename(site)
    print(f"open {os.path.relpath(site / 'index.html')}")
    return 0


def write_source(folder: Path) -> None:
    """Put everything together that the site is made of."""
    docs = folder / "docs"
    for path in sorted(DOCS.rglob("*")):
        name = path.relative_to(DOCS)
        if path.is_dir() or name.parts[0] == HERE.name or path.suffix in (".py", ".json", ".ipynb"):
            continue
        target = docs / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(for_the_site(path, ROOT), encoding="utf-8")
        else:
            shutil.copy(path, target)
    made = {f"reference/api/{name}": text for name, text in api_pages().items()}
    made["reference/commands.md"] = command_page()
    made["reference/errors.md"] = error_page()
    for name in OF_THE_REPOSITORY:
        made[f"project/{name.lower()}"] = repository_page(ROOT / name, ROOT)
    for name, text in made.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")
    for name, notebook in TUTORIAL.items():
        notebook_page(ROOT / notebook, docs / "tutorial" / f"{name}.md", ROOT)
    shutil.copytree(HERE / "assets", docs / "assets")
    shutil.copytree(HERE / "overrides", folder / "overrides")
    shutil.copy(HERE / "zensical.toml", folder)
    copy_sources(ROOT, folder / "python" / "eie")


def build(python: Path, source: Path) -> list[str]:
    """Run Zensical; gives every line that it says of something wrong."""
    ran = subprocess.run(
        [python.absolute(), "-m", "zensical", "build", "--strict", "--clean"],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    usual = ("Build started", "Build finished", "No issues found")
    wrong = [line for line in said if not line.strip().startswith(usual)]
    return wrong or ([f"zensical ended with status {ran.returncode}"] if ran.returncode else [])


if __name__ == "__main__":
    sys.exit(main())
