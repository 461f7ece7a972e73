"""A parser and the work of a tool into a run with an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import ToolParser, WrongUse
from dicomwire.apps.output import log, shown


def run(
    parser: ToolParser,
    argv: Sequence[str] | None,
    work: Callable[[argparse.Namespace], Exit],
) -> int:
    """Read the arguments, do the work, return the exit code.

    Parameters
    ----------
    parser : ToolParser
        The tool's.
    argv : sequence of str, optional
        Arguments; None takes those of the process.
    work : callable
        Takes what the parser made of them.
    """
    try:
        args = parser.read(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    with shown(args.shows):
        try:
            return int(work(args))
        except WrongUse as error:
            log.error("%s", error)
            return Exit.WRONG_USE
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
