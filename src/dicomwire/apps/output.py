"""What a tool and the library have to say into lines on standard error."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dicomwire.network.log_text import visible

FORMAT = "%(levelname).1s: %(message)s"

log = logging.getLogger("dicomwire.apps")
"""What the tools say."""
conclusion = logging.getLogger("dicomwire.apps.conclusion")
"""The line a tool ends with: shown unless only errors, or nothing, shall be."""

_SAY_IT_THEMSELVES = (log.name, "dicomwire.archive")
# The tools say this in lines of their own.
_SAID_BY_THE_TOOLS = "dicomwire.association"
_WARNS_OF_PEERS = "dicomwire.server"  # who was refused by which setting, and who may come in


class _OneLine(logging.Formatter):
    """Escapes what does not print: a peer's text can neither begin a line nor colour one."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.exc_info else visible(text)


def belongs(record: logging.LogRecord, debug: bool) -> bool:
    """Return whether a record is for the user of a tool.

    Parameters
    ----------
    record : LogRecord
        From a tool or from the library.
    debug : bool
        Whether debug lines are wanted: then the library's PDUs, messages and warnings are too.
        Its warnings about who was refused, and who may come in, always are.
        Its INFO lines never are, as the tools have lines for the same; but those of an archive.
    """
    if record.name.startswith(_SAY_IT_THEMSELVES) or record.levelno == logging.DEBUG:
        return True
    if record.name == _SAID_BY_THE_TOOLS or record.levelno == logging.INFO:
        return False
    return debug or record.levelno >= logging.ERROR or record.name == _WARNS_OF_PEERS


def stop_printing() -> None:
    """Drop what is still to be printed: who reads the output has had enough, as in `| head -1`."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def shown(level: int) -> Iterator[None]:
    """Show what is said, from a level on, until the end of the block.

    Parameters
    ----------
    level : int
        One of `logging`; above CRITICAL shows nothing.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(FORMAT))
    handler.addFilter(lambda record: belongs(record, level <= logging.DEBUG))
    library = logging.getLogger("dicomwire")
    before = library.level
    library.setLevel(level)
    conclusion.setLevel(min(level, logging.INFO) if level <= logging.WARNING else level)
    library.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pydicom")  # about the peers' values
            yield
    finally:
        library.removeHandler(handler)
        library.setLevel(before)
        conclusion.setLevel(logging.NOTSET)
