"""The page of the commands, from the parsers themselves."""

from __future__ import annotations

import argparse
import re

from eie.host.cli.main import _parser_and_commands
from eie.host.cli.parser import Parser

_HEAD = """\
# Commands

What `eie COMMAND --help` prints, from the same parsers. `eie` is `.venv/bin/eie` after
`make install`; without one it is `python -m eie`. Exit status: 0 for success, 2 for input that is
refused (one message on standard error, nothing half-written); `selftest` and `deploy` give 1 where
a check failed. What takes long says on standard error what it does (`EIE_PROGRESS=off` turns that
off). Arrays are `.npy` files of shape (batch, features), real numbers.
"""


def command_page() -> str:
    """Text of the page: a section for each command, with every option."""
    parser, commands = _parser_and_commands()
    (choices,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    lines = [_HEAD]
    for title, members in commands._groups:
        lines += ["", f"**{title[0].upper()}{title[1:]}**", ""]
        lines += ["| command | what it does |", "| --- | --- |"]
        lines += [f"| [`eie {name}`](#eie-{name}) | {text} |" for name, text in members]
    for name in commands.names:
        lines += ["", f"## eie {name}", "", *_command(choices.choices[name])]
    return "\n".join(lines) + "\n"


def _command(parser: Parser) -> list[str]:
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    usage = re.sub(r"\n\s+", "\n    ", usage).replace(" [-h]", "")
    lines = [parser.description or "", "", "```text", usage, "```"]
    for group in parser._action_groups:
        rows = [_row(parser, action) for action in group._group_actions if action.dest != "help"]
        if rows:
            title = group.title or ""
            lines += ["", f"*{title[0].upper()}{title[1:]}*", "", "| | |", "| --- | --- |", *rows]
    return lines


def _row(parser: Parser, action: argparse.Action) -> str:
    formatter = parser._get_formatter()
    if action.option_strings:
        value = formatter._format_args(action, action.dest.upper())
        value = "" if action.nargs == 0 else f" {value}"
        name = ", ".join(f"`{option}{value}`" for option in action.option_strings)
    else:
        name = f"`{formatter._format_args(action, action.dest)}`"
    text = formatter._expand_help(action) if action.help else ""
    name, text = (cell.replace("|", "\\|") for cell in (name, text))
    return f"| {name} | {text} |"
