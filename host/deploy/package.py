"""One zip with everything that a board needs to run a network, and to check that it does.

Bitstream, ``.hwh`` and manifest, or the project to build them from; the network; test vectors and
classes; a wheel of this eie; a notebook; and a ``run.py`` that checks itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eie.hls.boundary.atomic import check_writable, write_whole
from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.file_kinds import is_regular, refusal
from eie.hls.boundary.partials import temporary_folder
from eie.hls.project.project_folder import read_project
from eie.hls.spec.design import NO_BOARD, Design
from eie.hls.tools.manifest import BITSTREAM, MANIFEST, Manifest
from eie.host.deploy.choosing_vectors import choose_vectors
from eie.host.deploy.layout import (
    BITSTREAM_FOLDER,
    HOST_FOLDER,
    PROJECT_FOLDER,
    RUN,
    SUMS,
    PackageFacts,
)
from eie.host.deploy.own_files import own_files
from eie.host.deploy.wheel import wheel_of_eie
from eie.host.deploy.zip_file import read_package, zip_bytes
from eie.host.network import Network
from eie.host.project.generate import generate

__all__ = ["package"]

StrPath = str | os.PathLike[str]


def package(
    path: StrPath,
    *,
    network: Network,
    design: Design | None = None,
    project: StrPath | None = None,
    bitstream: StrPath | None = None,
    inputs: Any = None,
    outputs: Any = None,
    labels: Any = None,
    host_files: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the package of a network on a design: a zip for a board.

    The same arguments and the same eie give the same bytes. The zip appears whole or not at all,
    and is read back and checked. Every expected output is computed here with the emulator, so that
    a package never holds one that a sound board would not give.

    Parameters
    ----------
    path
        File to write, ``.zip``.
    network
        What to run.
    design
        What to run it on, for a board. Only needed without `bitstream` and `project`, which know
        theirs; if it is given, it must be theirs.
    project
        Folder of the design's HLS project, which is packed where there is no bitstream yet.
        Without one it is generated.
    bitstream
        The ``.bit`` that ``eie build`` made, with ``.hwh`` and ``manifest.json`` beside it.
    inputs
        Test vectors, shape (vectors, inputs): real numbers, or int16 codes. Without any the
        network's golden vectors are taken. Of a recurrent network sequences, as
        :func:`~eie.host.network.sequence_codes.sequence_codes` takes them.
    outputs
        What they must give, shape (vectors, outputs): int16 codes, or the real numbers that stand
        for them; of sequences as the network gives them. Only needed to have them compared.
    labels
        Classes of the vectors, integers of shape (vectors,); of sequences one for each output.
    host_files
        Files by name of what the host does with torch, where `network` is the head of a model; the
        package says what they are for, and needs none of them to check itself.

    Returns
    -------
    Path
        The zip.

    Raises
    ------
    InputError
        If the parts do not belong together, vectors are not what they must be or give other
        outputs, or the file cannot be written.
    DoesNotFitError
        If the network does not fit the design.
    """
    target = Path(path)
    if target.suffix != ".zip":
        raise InputError(f"path must end in .zip, not {target.name!r}")
    if not isinstance(network, Network):
        raise InputError(f"network must be a Network, not {type(network).__name__}")
    try:
        check_writable(target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    hardware = _hardware(design, project, bitstream)
    vectors = choose_vectors(network, hardware.design, inputs, outputs, labels)
    wheel = wheel_of_eie()
    facts = PackageFacts(
        eie=wheel.version,
        design=hardware.design,
        built=hardware.built,
        vectors=len(vectors.inputs),
        sequences=0 if vectors.lengths is None else len(vectors.lengths),
        golden=inputs is None,
        labelled=vectors.labels is not None,
    )
    beside = {f"{HOST_FOLDER}/{name}": data for name, data in (host_files or {}).items()}
    own = own_files(facts, network, wheel, bool(beside))
    members = {**hardware.files, **vectors.files(), **beside, **own}
    members[SUMS] = _sums(members)
    data = zip_bytes(
        {f"{facts.folder}/{name}": content for name, content in members.items()},
        programs={f"{facts.folder}/{RUN}"},
    )
    try:
        write_whole(target, data)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    if is_regular(target):
        read_package(target)
    return target


@dataclass(frozen=True)
class _Hardware:
    """A design, and its bitstream or project by path in the package."""

    design: Design
    built: bool
    files: Mapping[str, bytes]


def _hardware(
    design: Design | None, project: StrPath | None, bitstream: StrPath | None
) -> _Hardware:
    if design is None and project is None and bitstream is None:
        raise InputError("there must be a design, a project or a bitstream to make a package of")
    if design is not None and not isinstance(design, Design):
        raise InputError(f"design must be a Design, not {type(design).__name__}")
    found: list[tuple[str, Design]] = []
    files: dict[str, bytes] = {}
    if bitstream is not None:
        manifest, files = _build(Path(bitstream))
        found.append((f"the bitstream {bitstream}", manifest.design))
    if project is not None:
        folder = Path(project)
        if is_regular(folder):
            raise InputError(refusal(folder, "project"))
        found.append((f"the project {project}", Design.load(folder / "design.toml")))
        if bitstream is None:
            files = {f"{PROJECT_FOLDER}/{k}": data for k, data in read_project(folder).items()}
    if design is not None:
        found.append(("the design", design))
    problems = Problems("package")
    first_name, first = found[0]
    for name, other in found[1:]:
        different = _differences(first, other)
        problems.require(not different, f"{name} must be that of {first_name}, not {different}")
    problems.require(
        first.board != NO_BOARD, "the design must be for a board: `eie fit --board` chooses one"
    )
    problems.raise_as(InputError)
    if bitstream is None and project is None:
        with temporary_folder() as temporary:
            generated = read_project(generate(first, temporary / PROJECT_FOLDER))
        files = {f"{PROJECT_FOLDER}/{name}": data for name, data in generated.items()}
    return _Hardware(first, bitstream is not None, files)


def _build(bitstream: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Read what `eie build` made, all of it, and compare it with its manifest."""
    if bitstream.suffix != ".bit" or not bitstream.is_file():
        raise InputError(
            f"bitstream must be the .bit of `eie build`, not {str(bitstream)!r}"
            if bitstream.exists()
            else f"no bitstream {bitstream}"
        )
    folder = bitstream.parent
    manifest = Manifest.load(folder)
    problems = Problems(f"build {folder}")
    for name in (BITSTREAM, Path(BITSTREAM).with_suffix(".hwh").name, bitstream.name):
        problems.require(name in manifest.files, f"{name} must be in {MANIFEST}")
    problems.raise_as(InputError)
    manifest.verify(folder)
    names = (*manifest.files, MANIFEST)
    return manifest, {f"{BITSTREAM_FOLDER}/{name}": (folder / name).read_bytes() for name in names}


def _differences(wanted: Design, found: Design) -> str:
    mine, theirs = wanted.parameters(), found.parameters()
    different = [name for name in mine if mine[name] != theirs[name]]
    return ", ".join(f"one with {name} {theirs[name]} for {mine[name]}" for name in different)


def _sums(members: Mapping[str, bytes]) -> bytes:
    lines = (f"{hashlib.sha256(data).hexdigest()}  {k}\n" for k, data in sorted(members.items()))
    return "".join(lines).encode()
