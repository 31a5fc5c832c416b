"""Hatchling build hook: for an editable install, show the top-level folders as eie.*.

The wheel moves the folders below ``eie/``; an editable install has to show the same
names, so git-ignored links ``build/links/eie/hls`` and so on are laid out, and
``dev-mode-dirs`` in pyproject.toml puts ``build/links`` on the path.
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
        for folder in ("hls", "host", "templates", "notebooks", "bitstreams"):
            link = tree / folder
            if link.is_symlink() or link.exists():
                link.unlink()
            link.symlink_to(Path("../../..") / folder, target_is_directory=True)
