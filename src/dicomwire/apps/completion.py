"""`dicomwire completion`: the tools' options into a script that completes them in a shell."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from dicomwire.apps.exits import Exit
from dicomwire.apps.main import TOOLS
from dicomwire.apps.options import ToolParser, WrongUse, option
from dicomwire.apps.running import run

SHELLS = ("bash", "zsh", "fish")
_FILES = frozenset(("FILE", "KEY", "CERT", "path", "query-file", "text-file", "dicom-file"))
_FOLDERS = frozenset(("FOLDER", "folder"))


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "completion",
        "[options] shell",
        "Prints a script that lets a shell complete tools, options and files.",
        "zsh > ~/.zfunc/_dicomwire",
    )
    shell = option("shell", f"one of {', '.join(SHELLS)}", common=True, choices=SHELLS)
    parser.add_options("Shell", (shell,))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Print the script."""
    try:
        import shtab
    except ImportError:
        raise WrongUse("scripts are made with shtab: type pip install 'dicomwire[cli]'") from None
    print(shtab.complete(all_tools(shtab.FILE, shtab.DIRECTORY), args.shell))
    return Exit.DONE


def all_tools(file: Any, folder: Any) -> argparse.ArgumentParser:
    """Return one parser of all tools, each a sub-command, with what can be completed.

    Parameters
    ----------
    file, folder
        How a value is marked that is a file's or a folder's path.
    """
    everything = argparse.ArgumentParser("dicomwire", prefix_chars="-+")
    everything.add_argument("--version", action="store_true", help="the version")
    commands = everything.add_subparsers()
    for name, what in TOOLS.items():
        command = commands.add_parser(name, help=what, prefix_chars="-+", add_help=False)
        for action in _actions(name):
            _add(command, action, file, folder)
    return everything


def _actions(name: str) -> Iterator[argparse.Action]:
    tool = import_module(f"dicomwire.apps.{name}")
    parser: ToolParser = tool.make_parser() if hasattr(tool, "make_parser") else _plain(name)
    for action in parser.actions():
        if action.help != argparse.SUPPRESS:
            yield action


def _plain(name: str) -> ToolParser:
    return ToolParser(name, "[options]", "", "")


def _add(command: argparse.ArgumentParser, action: argparse.Action, file: Any, folder: Any) -> None:
    names = action.option_strings or [action.dest]
    if action.option_strings:
        # "-P" and "+P" become the same word in a script, and "=" separates a value in zsh
        taken = {_word(each) for other in command._actions for each in other.option_strings}
        names = [each for each in names if "=" not in each and _word(each) not in taken]
    if not names:
        return
    settings: dict[str, Any] = {"help": action.help}
    if action.option_strings and action.nargs == 0:
        settings["action"] = "store_true"
    else:
        settings.update(nargs=action.nargs, metavar=action.metavar, choices=action.choices)
    added = command.add_argument(*names, **settings)
    values = (
        action.metavar if isinstance(action.metavar, tuple) else (action.metavar or action.dest,)
    )
    if _FILES & {*values}:
        added.complete = file  # type: ignore[attr-defined]  # which shtab looks for
    elif _FOLDERS & {*values}:
        added.complete = folder  # type: ignore[attr-defined]


def _word(name: str) -> str:
    return re.sub(r"\W", "_", name)
