"""How a run of a tool ended into the exit code that scripts see: one table for all tools."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; they stay what they are from release to release."""

    DONE = 0
    NO_ASSOCIATION = 1
    WRONG_USE = 2
    FAILED = 3
    ENDED_EARLY = 4
    NOT_HERE = 5
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "all done",
    Exit.NO_ASSOCIATION: "no association: no connection, rejected, or no context accepted",
    Exit.WRONG_USE: "wrong use: the message says what to type",
    Exit.FAILED: "the peer answered with a failure status, or an object could not be sent or read",
    Exit.ENDED_EARLY: "the association ended before the work was done",
    Exit.NOT_HERE: "this machine does not allow it: the port is taken, the folder not writable",
    Exit.INTERRUPTED: "interrupted with Ctrl-C, but for a receiver, which is done then",
}
"""What each code means, for `--help-all`."""
