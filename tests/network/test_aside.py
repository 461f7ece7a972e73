"""Turns responses that one thread receives into what another thread was waiting for."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire.network.aside import Aside
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import ReleaseRQ

pytestmark = pytest.mark.no_socket

REPORT = {"CommandField": 0x0100, "MessageID": 4}


def response(field: int = 0x8100, number: int = 4) -> Message:
    return Message(1, {"CommandField": field, "MessageIDBeingRespondedTo": number}, None)


def test_the_response_is_taken_and_handed_over() -> None:
    aside, found = Aside(), response()
    with aside.awaiting(REPORT):
        assert aside.take(found)
        assert aside.wait(0) is found
    assert aside.wanted is None


@pytest.mark.parametrize(
    "event",
    [response(number=5), response(field=0x8110), ReleaseRQ(), Message(1, dict(REPORT), None)],
)
def test_what_is_not_waited_for_is_left(event: Any) -> None:
    aside = Aside()
    with aside.awaiting(REPORT):
        assert not aside.take(event)
        with pytest.raises(TimeoutError):
            aside.wait(0.001)


def test_nothing_is_taken_when_nobody_waits() -> None:
    assert not Aside().take(response())


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("command", [REPORT, None])
def test_the_end_is_told(before: bool, command: Any) -> None:
    aside = Aside()
    if before:
        aside.end()
    with aside.awaiting(command):
        if not before:
            aside.end()
        assert aside.wait(0) is None


def test_what_was_meant_for_the_one_before_is_not_for_the_next() -> None:
    aside = Aside()
    with aside.awaiting(REPORT):
        assert aside.take(response())
    with aside.awaiting(REPORT), pytest.raises(TimeoutError):
        aside.wait(0.001)
