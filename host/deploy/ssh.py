"""A board at the other end of the system's ssh, which has the user's keys, agent and configuration.

One program carries it all: the package goes through ssh's input to :mod:`eie.host.deploy.far_side`,
which compares its SHA-256 before anything appears under its name. scp would read paths by other
rules than the shell, differently by version, and leave half a file behind. A library such as
paramiko would know neither ``~/.ssh/config`` in full nor hardware keys.

Nothing that a user gives is read by a shell: here there is none, and over there words are quoted.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import ipaddress
import json
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from eie.hls.boundary.errors import DeviceError, EieError, InputError, ToolError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.boundary.text import printable, shown
from eie.hls.compiler.processes import running
from eie.host.deploy.far_side import ANSWER, PROGRESS

__all__ = ["Connection", "Target", "UnreachableError", "find_ssh"]

#: Python of PYNQ's environment on images since 2.7.
PYNQ_PYTHON = "/usr/local/share/pynq-venv/bin/python3"
_FIND_PYTHON = f'p=python3; if [ -x {PYNQ_PYTHON} ]; then p={PYNQ_PYTHON}; fi; exec "$p" -c "$@"'
_SUDO, _SUDO_ASKING = ("sudo", "-n", "--"), ("sudo", "-S", "-k", "-p", "", "--")
_CONNECT_SECONDS = 10
#: A connection over which nothing came for this many times this many seconds is given up.
_ALIVE = ("ServerAliveInterval=5", "ServerAliveCountMax=3")
#: Seconds that a connection which passwords were typed for is kept after its last use.
_PERSIST_SECONDS = 60
_MOST_LINE, _MOST_ERRORS = 8 << 20, 1 << 16
#: What ssh itself ends with when it has no connection, or none any more.
_NO_CONNECTION = 255
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class UnreachableError(EieError, ConnectionError):
    """There is no connection to the board, or none any more; says why, and what to do.

    Cure: what the message says: address, key, password, host key, or power.
    """


#: What ssh says, by the first that is found; {target}, {host} and {port} are filled in.
_REASONS = (
    (r"Could not resolve hostname", "no host is called {host}: give its address, or see "
     "~/.ssh/config; boards are often at 192.168.2.99, or 'pynq' where mDNS works: pynq.local"),
    (r"Connection refused", "nothing listens on port {port} of {host}: is the board up, and its "
     "ssh? See --port"),
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", "{host} is not the machine that it was: another "
     "image, or somebody in between. If you wrote a new image: ssh-keygen -R {known}, then connect "
     "once with ssh"),
    (r"Host key verification failed", "{host} is not known yet: connect once with "
     "`ssh{port_option} {target}`, compare its key and say yes; or --ask"),
    (r"UNPROTECTED PRIVATE KEY|bad permissions", "the key's file can be read by others: chmod 600"),
    (r"Permission denied", "{host} refuses the key: `ssh-copy-id{port_option} {target}` installs "
     "yours; see --identity; --ask lets ssh ask for passwords"),
    (r"Too many authentication failures", "{host} gave up before the right key: name it with "
     "--identity"),
    (r"(timed out|No route to host|Network is unreachable|Host is down)", "no way to {host}, port "
     "{port}: {0}; is it on, in this network, and is the address right?"),
    (r"(Connection (?:to \S+ )?closed|Connection reset|Broken pipe|not responding|kex_exchange)",
     "the connection to {host} broke ({0}): nothing half-copied is left; try again"),
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Who to be, and where: ``user@host``, or a host of ssh's configuration."""

    user: str | None
    host: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``[user@]host``.

        Raises
        ------
        InputError
            If it is neither; a name that ssh or its configuration could take for something else
            (an option, a command) is none.
        """
        user, at, host = text.rpartition("@")
        good = bool(_NAME.fullmatch(host) or _is_ipv6(host))
        if not good or (at and not _NAME.fullmatch(user)):
            raise InputError(
                f"the board must be given as user@host, such as xilinx@192.168.2.99, not "
                f"{shown(text)}"
            )
        return cls(user if at else None, host)

    def __str__(self) -> str:
        return self.host if self.user is None else f"{self.user}@{self.host}"


def _is_ipv6(text: str) -> bool:
    address, _, zone = text.partition("%")
    with contextlib.suppress(ValueError):
        return ipaddress.IPv6Address(address) is not None and (
            "%" not in text or bool(_NAME.fullmatch(zone))
        )
    return False


def find_ssh() -> str:
    """Give the path of ssh.

    Raises
    ------
    ToolError
        If it is not installed.
    """
    found = shutil.which("ssh")
    if found is None:
        raise ToolError("ssh was not found on PATH: install OpenSSH's client (openssh-client)")
    return found


@dataclass(frozen=True)
class Connection:
    """How to reach a board."""

    target: Target
    #: Port; None for 22, or what ssh's configuration says.
    port: int | None = None
    #: File of the private key; None for those that ssh tries by itself.
    identity: Path | None = None
    #: Python on the board; None for PYNQ's, or python3 where there is none.
    python: str | None = None
    #: Socket of a connection that is open already.
    socket: Path | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65535:
            raise InputError(f"port must be 1 to 65535, not {self.port}")
        if self.identity is not None:
            if not self.identity.is_file():
                raise InputError(f"no file {self.identity} with a private key")
            if "${" in str(self.identity.absolute()):
                raise InputError(
                    f"identity must have no ${{ in its path, not {str(self.identity)!r}: ssh takes "
                    "it for a variable"
                )
        if self.python is not None and (not self.python or self.python.startswith("-")):
            raise InputError(f"python must be a program on the board, not {shown(self.python)}")

    def call(
        self,
        task: str,
        *,
        sudo: bool = False,
        password: str | None = None,
        input: IO[bytes] | None = None,
        hold: bool = False,
        say: Callable[[str], None] = lambda line: None,
        **request: Any,
    ) -> Mapping[str, Any]:
        """Have a task of :mod:`eie.host.deploy.far_side` done.

        Parameters
        ----------
        task
            Name of its function; `request` are the arguments.
        sudo
            Whether as root, by sudo.
        password
            What sudo asks for; None if it asks for nothing.
        input
            File that it reads.
        hold
            Whether its input stays open until it has ended, by which it knows that we are there.
        say
            Called with each line that comes meanwhile; control characters are escaped.

        Returns
        -------
        Mapping
            The answer.

        Raises
        ------
        UnreachableError
            If there is no connection, or none any more.
        DeviceError
            If the board cannot do it; says why.
        """
        command = [*self._ssh("BatchMode=yes"), "-T", "--", str(self.target)]
        command.append(self._remote(json.dumps({"task": task, **request}), sudo, password))
        answer: Mapping[str, Any] | None = None
        with (
            tempfile.TemporaryFile() as errors,
            running(
                command, input=input if input is not None else subprocess.PIPE, errors=errors
            ) as process,
        ):
            if password is not None and process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):  # there is no connection: said below
                    process.stdin.write(password.encode() + b"\n")
                    process.stdin.flush()
            if process.stdin is not None and not hold:  # sudo would wait for a better password
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
            assert process.stdout is not None
            while line := process.stdout.readline(_MOST_LINE):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text.startswith(ANSWER):
                    answer = _parse(text[len(ANSWER) :])
                elif text.startswith(PROGRESS):
                    say(printable(str(_parse(text[len(PROGRESS) :], str))))
                else:
                    say(printable(text))
            status = process.wait()
            errors.seek(0)
            heard = errors.read(_MOST_ERRORS).decode("utf-8", "replace").strip()
        if answer is None:
            raise self._failure(status, heard, password)
        if "error" in answer:
            raise DeviceError(f"{self.target}: {printable(str(answer['error']))}")
        return answer

    @contextlib.contextmanager
    def asking(self) -> Iterator[Connection]:
        """Connect once, with ssh asking in the terminal what it wants; gives how to go on.

        Raises
        ------
        UnreachableError
            If that does not work; ssh has then said why.
        """
        with temporary_folder() as folder:
            shared = replace(self, socket=folder / "s")
            options = (f"ControlPersist={_PERSIST_SECONDS}", "ControlMaster=yes")
            # In the terminal's own group of processes: only there may it read what is typed.
            master = [*shared._ssh("BatchMode=no", *options), "-f", "-N", "--", str(self.target)]
            if subprocess.run(master, check=False).returncode != 0:
                raise UnreachableError(f"ssh could not connect to {self.target}: see above")
            try:
                yield shared
            finally:
                subprocess.run(
                    [*shared._ssh(), "-O", "exit", "--", str(self.target)],
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    def _ssh(self, *options: str) -> list[str]:
        command = [find_ssh()]
        for option in (*options, f"ConnectTimeout={_CONNECT_SECONDS}", *_ALIVE):
            command += ["-o", option]
        if self.port is not None:
            command += ["-p", str(self.port)]
        if self.identity is not None:
            # Not with -i, which looks for the file before, and again after it has replaced tokens.
            file = str(self.identity.absolute())
            for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
                file = file.replace(character, escaped)
            command += ["-o", f'IdentityFile="{file}"', "-o", "IdentitiesOnly=yes"]
        if self.socket is not None:
            command += ["-S", str(self.socket).replace("%", "%%")]
        return command

    def _remote(self, request: str, sudo: bool, password: str | None) -> str:
        """Give the command line for the board's shell."""
        source = importlib.resources.files("eie.host.deploy") / "far_side.py"
        words: list[str] = []
        if sudo:
            words += _SUDO if password is None else _SUDO_ASKING
        words += ["sh", "-c", _FIND_PYTHON, "sh"] if self.python is None else [self.python, "-c"]
        return shlex.join([*words, source.read_text(encoding="utf-8"), request])

    def _failure(self, status: int, heard: str, password: str | None) -> EieError:
        """Say why there is no answer: what ssh wrote is looked at."""
        last = printable(heard.splitlines()[-1]) if heard else ""
        if status == _NO_CONNECTION and heard:  # of what a signal ended over there it says nothing
            for pattern, text in _REASONS:
                match = re.search(pattern, heard)
                if match:
                    return UnreachableError(self._filled(text, match))
            return UnreachableError(f"ssh could not connect to {self.target}: {last}")
        if status in (126, 127):
            python = self.python or "python3"
            return DeviceError(
                f"{self.target}: {python} cannot be run there: is it a PYNQ image? --python names "
                f"another Python ({last})"
            )
        if "sudo:" in heard:
            why = "the password is wrong" if password is not None else last
            return DeviceError(f"{self.target}: sudo refuses: {why}")
        return DeviceError(
            f"{self.target}: no answer (exit status {status}): {last or 'it was ended there'}"
        )

    def _filled(self, text: str, match: re.Match[str]) -> str:
        host, port = self.target.host, self.port
        found = match.group(0)
        return text.format(
            found,
            host=host,
            target=self.target,
            port=port or 22,
            port_option=f" -p {port}" if port else "",
            known=f"'[{host}]:{port}'" if port else host,
        )


def _parse(text: str, wanted: type = dict) -> Any:
    """Read what the far side said; what is no JSON of `wanted` kind is not from it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DeviceError(f"the board's answer cannot be read: {error}") from error
    if not isinstance(value, wanted):
        raise DeviceError(f"the board's answer must be a {wanted.__name__}, not {shown(value)}")
    return value
