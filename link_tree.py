"""Hatchling build hook: for an editable install, show the top-level folders as eie.*.

The wheel moves the folders below ``eie/``, and the files of ``front`` into it; an editable
install has to show the same names, so git-ignored links ``build/links/eie/hls`` and so on are
laid out, and ``dev-mode-dirs`` in pyproject.toml puts ``build/links`` on the path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LinkTree(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            return
        root = Path(self.root)
        tree = root / "build" / "links" / "eie"
        tree.mkdir(parents=True, exist_ok=True)
        shown = ["hls", "host", "templates", "notebooks", "bitstreams"]
        shown += [f"front/{name}" for name in ("__init__.py", "__main__.py", "py.typed")]
        for source in map(Path, shown):
            link = tree / source.name
            if link.is_symlink() or link.exists():
                link.unlink()
            link.symlink_to(Path("../../..") / source)
