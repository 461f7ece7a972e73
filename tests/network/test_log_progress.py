"""Counting lines of the log, typed by hand from what pynetdicom's users look for."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire.network.log_progress import Progress

pytestmark = pytest.mark.no_socket

FIND, GET = "1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.1.3"


def response(field: int, status: int, uid: str, **counts: int) -> dict[str, Any]:
    return {
        "CommandField": field,
        "MessageIDBeingRespondedTo": 7,
        "AffectedSOPClassUID": uid,
        "Status": status,
        **counts,
    }


def test_matches_are_counted_on_both_sides() -> None:
    pending, last = response(0x8020, 0xFF00, FIND), response(0x8020, 0x0000, FIND)
    received, sent = Progress(), Progress()
    assert [received.lines(each, outgoing=False) for each in (pending, pending, last, pending)] == [
        ["Find SCP Response: 1 - 0xFF00 (Pending)"],
        ["Find SCP Response: 2 - 0xFF00 (Pending)"],
        ["Find SCP Result: 0x0000 (Success)"],
        ["Find SCP Response: 1 - 0xFF00 (Pending)"],
    ]
    assert [sent.lines(each, outgoing=True) for each in (pending, last)] == [
        ["Find SCP Response 1: 0xFF00 (Pending)"],
        ["Find SCP Response 2: 0x0000 (Success)"],
    ]


def test_sub_operations_are_told() -> None:
    counts = {"NumberOfCompletedSuboperations": 3, "NumberOfFailedSuboperations": 1}
    assert Progress().lines(response(0x8010, 0xB000, GET, **counts), outgoing=False) == [
        "Get SCP Result: 0xB000 (Warning)",
        "Sub-Operations Remaining: 0, Completed: 3, Failed: 1, Warning: 0",
    ]


def test_a_cancel_names_what_it_cancels() -> None:
    cancel = {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 7}
    progress = Progress()
    assert progress.lines(cancel, outgoing=False) == ["Received C-CANCEL RQ from peer"]
    asked = {"CommandField": 0x0021, "MessageID": 7, "AffectedSOPClassUID": GET}
    assert progress.lines(asked, outgoing=False) == []
    assert progress.lines(cancel, outgoing=False) == ["Received C-CANCEL-MOVE RQ from peer"]
    assert progress.lines(cancel, outgoing=True) == []


def test_other_messages_say_nothing() -> None:
    assert Progress().lines(response(0x8030, 0, "1.2.840.10008.1.1"), outgoing=False) == []
    assert Progress().lines({"CommandField": 0x7777, "MessageID": 1}, outgoing=False) == []
