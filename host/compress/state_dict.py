"""Weights without their module (a state_dict), put into one for as long as it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.text import shown

__all__ = ["StateDict", "with_state"]

#: A state_dict, or the path of a file of ``torch.save`` that holds one.
StateDict: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]

#: Where training loops keep the weights in what they save.
_PLACES = ("state_dict", "model_state_dict", "model")
#: What torch's wrappers put before each name.
_PREFIXES = ("module.", "_orig_mod.")


@contextmanager
def with_state(module: nn.Module, state: StateDict) -> Iterator[None]:
    """Load a state_dict into `module`, and what was there before when the context ends.

    Parameters
    ----------
    module
        To which it belongs: every name and shape must match.
    state
        Weights by name; also inside of a checkpoint, and with the prefix of DataParallel or
        torch.compile. A file is read with ``weights_only``: no code in it is run.

    Raises
    ------
    ModelError
        If the file is none that can be read safely, or the weights are not the module's.
    """
    given = _of_file(Path(state)) if isinstance(state, (str, os.PathLike)) else state
    weights = _plain(given)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    try:
        try:
            module.load_state_dict(weights)
        except (RuntimeError, AttributeError, TypeError) as error:
            raise ModelError(
                f"state_dict must be that of {type(module).__name__}: {str(error).strip()}"
            ) from None
        yield
    finally:
        module.load_state_dict(before)


def _of_file(path: Path) -> Any:
    if not is_regular(path):
        missing = identify(path).name == "missing"
        raise ModelError(f"no file {path}" if missing else refusal(path, "model"))
    try:
        with path.open("rb") as file:
            # The old format is a pickle by itself, whose memory its size bounds.
            if file.read(2) == b"PK":
                file.seek(0)
                with Archive(file) as archive:
                    if not archive.stored or sum(archive.sizes.values()) > path.stat().st_size:
                        raise InputError("its members must not be compressed or overlap")
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the safe unpickler names what it refuses, in many ways
        text = str(error).strip() or type(error).__name__
        raise ModelError(
            f"{path} is no state_dict that is safe to read ({text.splitlines()[0][:200]}); write "
            "it with torch.save(module.state_dict(), path)"
        ) from error


def _plain(given: Any) -> dict[str, torch.Tensor]:
    """Give the weights by the module's own names."""
    wanted = "state_dict must have tensors by name, as module.state_dict() gives them"
    if isinstance(given, Mapping):
        given = next((given[at] for at in _PLACES if isinstance(given.get(at), Mapping)), given)
    if not isinstance(given, Mapping) or not given:
        raise ModelError(f"{wanted}, not {type(given).__name__}, or an empty one")
    for name, value in given.items():
        if not isinstance(value, torch.Tensor):
            raise ModelError(f"{wanted}, and {shown(name)} is a {type(value).__name__}")
    for prefix in _PREFIXES:
        if all(str(name).startswith(prefix) for name in given):
            given = {str(name).removeprefix(prefix): value for name, value in given.items()}
    return dict(given)
