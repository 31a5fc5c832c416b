"""The parser: commands in groups, and errors that put the fact first and say what was meant."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

__all__ = ["Commands", "Parser", "did_you_mean"]

#: What a command does; returns the exit status, None for success.
Run = Callable[[argparse.Namespace], int | None]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line: the fact, what was meant, and where to look."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **keywords})
        self._given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, and keep what was given for :meth:`error`."""
        self._given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    @property
    def options(self) -> tuple[str, ...]:
        """Every option, as it is written."""
        return tuple(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        """End with status 2 and one line on standard error."""
        self.exit(2, f"eie: {message}{self._meant()} (`{self.prog} --help` lists what there is)\n")

    def _meant(self) -> str:
        """Name the options nearest to those that there are not."""
        known = self.options
        unknown = [word.partition("=")[0] for word in self._given if word.startswith("--")]
        meant = (did_you_mean(word, known) for word in unknown if word not in ("--", *known))
        return "".join(dict.fromkeys(meant))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which of the known words is nearest to `word`; empty if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


class Commands:
    """The commands of a parser, in groups that follow the way from a model to a board."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._parsers = parser.add_subparsers(
            prog=parser.prog, metavar="COMMAND", parser_class=Parser
        )
        self._groups: list[tuple[str, list[tuple[str, str]]]] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Every command, in order."""
        return tuple(name for _, commands in self._groups for name, _ in commands)

    def group(self, title: str) -> None:
        """Begin a group."""
        self._groups.append((title, []))

    def add(self, name: str, run: Run, text: str, *files: str, more: str = "") -> Parser:
        """Add a command to the last group.

        Parameters
        ----------
        name
            Of the command.
        run
            Does it.
        text
            What it does, in a line.
        *files
            Options that name a file to write, looked at before any work is done.
        more
            What its own help says after `text`.

        Returns
        -------
        Parser
            To add its options to.
        """
        self._groups[-1][1].append((name, text))
        description = f"{text[0].upper()}{text[1:]}{more}."
        sub: Parser = self._parsers.add_parser(name, description=description)
        sub.set_defaults(command=run, files=files, parser=sub)
        return sub

    def as_text(self) -> str:
        """List all commands by group, as the help shows them."""
        width = max(map(len, self.names))
        lines = []
        for title, commands in self._groups:
            lines += ["", f"  {title}:"]
            lines += [f"    {name:<{width}}  {text}" for name, text in commands]
        return "\n".join(lines).lstrip("\n")
