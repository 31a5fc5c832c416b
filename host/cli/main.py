"""The command line. Commands and options are a contract: scripts of users rest on them."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from eie.hls.boundary.errors import EieError
from eie.hls.boundary.file_kinds import identify
from eie.hls.boundary.voice import as_command
from eie.host.cli import (
    build,
    compress,
    deploy,
    emulate,
    explore,
    fit,
    flow,
    generate,
    info,
    package,
    reports,
    retrain,
    rtl_check,
    run,
    selftest,
    simulate,
    try_out,
    view,
)
from eie.host.cli.given_files import check_given
from eie.host.cli.output_paths import check_targets
from eie.host.cli.parser import Commands, Parser, did_you_mean
from eie.host.cli.pipes import CLOSED, flush_all, leave_closed
from eie.host.cli.signals import Ended, raising_signals
from eie.host.cli.warning_lines import warnings_as_lines

__all__ = ["main"]

#: The commands in the order in which a user meets them.
_GROUPS = (
    ("to begin with", (try_out, flow)),
    ("your model", (retrain, compress, info)),
    ("its design", (fit, explore, view, generate)),
    ("run it here", (emulate, simulate)),
    ("on a board", (build, rtl_check, reports, package, deploy, run, selftest)),
)
_FIRST_STEPS = """\
first steps:
  eie try --out first                  the whole way with a network of handwritten digits
  eie flow MODEL.pt2 --board pynq-z2 --data X.npy Y.npy --out mine
                                       the same with your model; X and Y are inputs and labels
  eie COMMAND --help                   options of a command
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 for success, 2 for bad input.

    `selftest` gives 1 if the accelerator failed a check. A signal that ends the program gives 128
    and its number, as in a shell, after everything is tidied up; so does a pipe that nobody reads.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names in a file may be of any script, and a terminal of none.
            stream.reconfigure(errors="backslashreplace")
    try:
        with raising_signals():
            try:
                status = _main(sys.argv[1:] if arguments is None else arguments)
            except SystemExit:  # as argparse ends
                flush_all()
                raise
            flush_all()
            return status
    except BrokenPipeError:
        if not leave_closed():
            raise
        return CLOSED
    except Ended as ended:
        print(f"eie: ended by {ended.name}", file=sys.stderr)
        return ended.status
    except KeyboardInterrupt:
        print("eie: interrupted", file=sys.stderr)
        return 130


def _main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    command: Callable[[argparse.Namespace], int | None] = options.command
    try:
        with warnings_as_lines(), as_command():
            _check_files(options)
            return command(options) or 0
    except (EieError, ImportError) as error:
        print(f"eie: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise  # told apart where streams are known
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"eie: cannot read or write {what}", file=sys.stderr)
        return 2


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser, commands = _parser_and_commands()
    if not arguments:
        parser.print_help(sys.stderr)
        parser.exit(2)
    first = arguments[0]
    if first.startswith("-") and first not in parser.options:
        parser.error(f"there is no option {first}: a command comes first")
    if not first.startswith("-") and first not in commands.names:
        parser.error(_no_command(first, commands))
    options: argparse.Namespace
    options, unknown = parser.parse_known_args(arguments)
    of_command: Parser | None = getattr(options, "parser", None)
    if of_command is None:
        parser.error("a command must come first")
    if unknown:
        of_command.error(f"unrecognized arguments: {' '.join(unknown)}")
    for name, value in vars(options).items():
        # Some versions of argparse make an empty list of `--option=--`, whatever its type.
        if isinstance(value, list) and (not value or [] in value):
            of_command.error(
                f"argument --{name.replace('_', '-')}: expected one argument, not '--'"
            )
    return options


def _no_command(word: str, commands: Commands) -> str:
    if Path(word).exists():
        kind = identify(word)
        advice = f": {kind.advice}" if kind.advice else ""
        return f"a command must come first, not {word}, which is {kind.text}{advice}"
    return f"there is no command {word!r}{did_you_mean(word, commands.names)}"


def _check_files(options: argparse.Namespace) -> None:
    """Refuse files that go somewhere else, and targets that would be lost or cannot be written."""
    paths = {name: value for name, value in vars(options).items() if isinstance(value, Path)}
    check_targets(
        {name: paths[name] for name in options.files if name in paths},
        {name: path for name, path in paths.items() if name not in options.files},
    )
    check_given(options.parser, options, options.files)


def _parser() -> Parser:
    return _parser_and_commands()[0]


def _parser_and_commands() -> tuple[Parser, Commands]:
    parser = Parser(
        prog="eie",
        usage="eie COMMAND ...",
        description="Pruned, weight-shared networks on PYNQ boards, after EIE (ISCA 2016).",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    commands = Commands(parser)
    for title, members in _GROUPS:
        commands.group(title)
        for command in members:
            command.add(commands)
    # The groups stand in place of argparse's own list, which knows none.
    parser._action_groups[0]._group_actions.clear()
    parser.epilog = f"commands:\n{commands.as_text()}\n\n{_FIRST_STEPS}"
    options = parser.add_argument_group("options")
    options.add_argument("-h", "--help", action="help", help="show this help")
    options.add_argument("--version", action="version", version=f"eie {version('eie')}")
    return parser, commands


if __name__ == "__main__":
    sys.exit(main())
