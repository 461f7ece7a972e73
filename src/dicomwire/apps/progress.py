"""Bytes that were sent, or sub-operations, into a bar on a terminal, when it is one, with rich."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(total: int, level: int) -> Iterator[Callable[[int], None]]:
    """Show a bar until the end of the block.

    Parameters
    ----------
    total : int
        How many bytes there are to send.
    level : int
        From which level on lines are shown: a bar and lines of progress do not go together.

    Yields
    ------
    callable
        To be told how many bytes were sent, from any thread.
    """
    if not sys.stderr.isatty() or level != logging.WARNING:
        yield _nothing
        return
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
    except ImportError:  # the extra "cli" is not installed
        yield _nothing
        return
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress("Sending", *columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=total)
        yield lambda count: shown.advance(task, count)


@contextmanager
def counting(title: str, level: int) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of things that are counted, until the end of the block.

    Parameters
    ----------
    title : str
        What is done to them.
    level : int
        See `progress`.

    Yields
    ------
    callable
        To be told how many are done, and how many there are.
    """
    if not sys.stderr.isatty() or level != logging.WARNING:
        yield _nothing
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:  # the extra "cli" is not installed
        yield _nothing
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(title, *columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _nothing(*_: int) -> None:
    """Show nothing."""
