"""A package to a board by ssh: look at the board, copy, run, and bring the report back."""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.boundary.text import shown
from eie.host.deploy.preflight import BoardFacts, check_board
from eie.host.deploy.ssh import Connection, Target
from eie.host.deploy.zip_file import read_package

__all__ = ["FOLDER", "Deployment", "deploy"]

#: Where packages go on the board, in the user's home.
FOLDER = "eie"


@dataclass(frozen=True)
class Deployment:
    """How a package fared on a board."""

    #: Whether every check passed.
    passed: bool
    #: The report of ``run.py``; empty if it could not write one.
    report: str
    #: Folder of the unpacked package on the board.
    folder: str
    #: The board.
    board: BoardFacts


def deploy(
    package: str | os.PathLike[str],
    target: str,
    *,
    port: int | None = None,
    identity: str | os.PathLike[str] | None = None,
    python: str | None = None,
    folder: str = FOLDER,
    ask: bool = False,
    emulated: bool = False,
    timeout: float = 10.0,
    say: Callable[[str], None] = print,
) -> Deployment:
    """Take a package to a board, and try it there.

    Nothing on the board is installed or changed but the package's own folder, which appears whole
    or not at all. What is run there ends when this does.

    Parameters
    ----------
    package
        The zip; all of it is checked before anything is sent.
    target
        ``user@host``, or a host of ssh's configuration.
    port
        ssh's port; None for 22, or what its configuration says.
    identity
        File of the private key; None for those that ssh tries by itself.
    python
        Python on the board; None for that of PYNQ's environment.
    folder
        Where on the board the package goes, in a folder named after its contents.
    ask
        Whether ssh and sudo may ask for passwords in the terminal; otherwise they fail at once.
    emulated
        Whether an emulated board is run there, in place of the fabric.
    timeout
        Seconds that a packet may take on the accelerator.
    say
        Called with a line for everything that happens.

    Raises
    ------
    InputError
        If the package is damaged, an argument is not what it must be, or the board lacks something.
    ToolError
        If there is no ssh.
    UnreachableError
        If the board cannot be reached, or the connection breaks.
    DeviceError
        If the board cannot do what it is told, such as for a full disk.
    """
    checked = read_package(package)
    if not folder or "\0" in folder:
        raise InputError(f"folder must be a path on the board, not {shown(folder)}")
    connection = Connection(
        Target.parse(target), port, None if identity is None else Path(identity), python
    )
    with contextlib.ExitStack() as stack:
        say(f"connecting to {connection.target}")
        if ask:
            connection = stack.enter_context(connection.asking())
        board = BoardFacts.parse(connection.call("preflight", folder=folder))
        say(f"board: {board}")
        check_board(board, checked, emulated=emulated, can_ask=ask, name=str(connection.target))
        sudo = not (emulated or board.root)
        password = None
        if sudo and not board.sudo:
            password = _ask_password(f"password for sudo on {connection.target}: ")
            # Found wrong before anything is copied.
            connection.call("preflight", sudo=True, password=password, folder=folder)
        connection = replace(connection, python=board.executable)
        name = f"{checked.facts.folder}-{checked.sha256[:12]}"
        with Path(package).open("rb") as file:
            connection.call(
                "receive",
                input=file,
                say=say,
                folder=board.folder,
                name=name,
                size=checked.size,
                sha256=checked.sha256,
            )
        place = str(PurePosixPath(board.folder) / name)
        say(f"copied {checked.size / 1e6:.1f} MB, unpacked to {place}")
        answer = connection.call(
            "run",
            sudo=sudo,
            password=password,
            hold=True,
            say=say,
            folder=place,
            emulated=emulated,
            timeout=timeout,
        )
    status, report = answer.get("status"), answer.get("report")
    if type(status) is not int or not isinstance(report, str):
        raise DeviceError("the board's answer has neither status nor report that make sense")
    if status not in (0, 1):
        raise DeviceError(
            f"{connection.target}: run.py ended with status {status}: see above for what it said"
        )
    return Deployment(status == 0, report, place, board)


def _ask_password(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError as error:
        raise InputError("there must be a terminal to ask for sudo's password in") from error
