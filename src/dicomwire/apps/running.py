"""A parser and the work of a tool into a run with an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import ToolParser, WrongUse
from dicomwire.apps.output import log, shown, stop_printing


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
    code = int(Exit.DONE)
    with reader_may_leave():
        try:
            args = parser.read(argv)
        except SystemExit as stop:
            code = int(stop.code or 0)
        else:
            with shown(args.shows):
                code = _done(args, work)
    return code


def _done(args: argparse.Namespace, work: Callable[[argparse.Namespace], Exit]) -> int:
    try:
        return int(work(args))
    except WrongUse as error:
        log.error("%s", error)
        return Exit.WRONG_USE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the block quietly when who reads standard output has enough, as in `... | head -1`."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        stop_printing()
