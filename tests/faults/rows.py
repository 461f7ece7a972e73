"""What the tables of faults are made of, and PDUs into the words that the tables use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from dicomwire.protocol.command import decode_command
from dicomwire.protocol.pdus import Abort, AnyPDU, AssociateAC, AssociateRJ, PDataTF
from dicomwire.standard.dimse import message_name

CLOSED = "closed"
"""The answer where the connection is closed without a word."""


@dataclass(frozen=True)
class Case:
    """One thing that a peer does wrong, and what it is answered; fixed before the code runs.

    Parameters
    ----------
    row : str
        The row of the fault matrix, e.g. "N04".
    fault : str
        What is wrong with what is sent, in words.
    sent : bytes
        What is sent: as the first thing on a connection (N), or on an association (P).
    answer : str
        What comes then, in the words of `said`; `CLOSED` is the connection's end without a PDU.
    messages : int
        How many messages come out of it, where the answer does not show it.
    storage : bool
        Whether it is none where context 3 is not for Storage.
    says : str
        What the line in the log has to name.
    logged : bool
        Whether a line is logged about it, where the association ends well all the same.
    """

    row: str
    fault: str
    sent: bytes
    answer: str
    messages: int | None = None
    storage: bool = False
    says: str = ""
    logged: bool = False

    @property
    def refused(self) -> bool:
        """Whether there is no association after it that could be released."""
        return self.answer.endswith((CLOSED, ")"))

    @property
    def count(self) -> int:
        """How many messages come out of it."""
        return self.answer.count("-RSP") if self.messages is None else self.messages


@dataclass(frozen=True)
class Scenario:
    """A fault that takes more than bytes: when, how many at once, how fast.

    Parameters
    ----------
    row, fault, answer
        As of a `Case`.
    still_open : str
        Why that is not what happens so far; empty when it is. The test is expected to fail then.
    """

    row: str
    fault: str
    answer: str
    still_open: str = ""


def said(pdus: Iterable[AnyPDU]) -> str:
    """PDUs in the words of the tables; what comes often is counted."""
    words = []
    for word, same in groupby(map(_word, pdus)):
        count = len(list(same))
        words += [word] * count if count < 5 else [f"{count} x {word}"]
    return " ".join(words)


def _word(pdu: AnyPDU) -> str:
    if isinstance(pdu, Abort):
        return f"ABORT({pdu.source},{pdu.reason})"
    if isinstance(pdu, AssociateRJ):
        return f"RJ({pdu.result},{pdu.source},{pdu.reason})"
    if isinstance(pdu, AssociateAC):
        results = "".join(str(each.result) for each in pdu.presentation_contexts)
        return f"AC {results}" if len(results) < 9 else f"AC {len(results)} results"
    if isinstance(pdu, PDataTF):
        command = decode_command(pdu.values[0].data)
        return f"{message_name(command['CommandField'])} {command['Status']:04X}"
    return type(pdu).__name__


def numbered(cases: Iterable[Case]) -> list[tuple[str, Case]]:
    """The cases with a name each: the row's and a number."""
    seen: dict[str, int] = {}
    found = []
    for case in cases:
        seen[case.row] = seen.get(case.row, 0) + 1
        found.append((f"{case.row}-{seen[case.row]}", case))
    return found
