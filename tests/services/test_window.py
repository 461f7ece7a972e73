"""Turns several C-STORE requests under way at once into responses, in whatever order, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dicomwire.dataset.streams import BytesStream
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, Ended
from dicomwire.protocol.items import AsynchronousOperationsWindow
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import Abort
from dicomwire.services import scp
from dicomwire.services.sending import Outgoing
from dicomwire.services.wants import RECEIVE_IDLE, Conversation
from dicomwire.services.window import MOST, Window
from tests.protocol.pairs import CT, ECHO, STORE, associated, feed, message
from tests.services.stage import Side, play, responses

DATA = bytes(range(200))


def pair(most: int = 3) -> tuple[Connection, Connection]:
    item = AsynchronousOperationsWindow(most, 1)
    return associated(item, answer=(item,))


def asking(window: Window[str], *tags: str) -> Conversation[list[tuple[str, int]]]:
    """Send so many, wait where there is no more room, and for the rest at the end."""
    found: list[tuple[str, int]] = []
    for number, tag in enumerate(tags, 1):
        if window.is_full:
            yield from settled(window, found)
        what = Outgoing(3, CT, f"1.2.{number}", BytesStream(DATA))
        yield from window.send(what, {**STORE, "MessageID": number}, tag)
    while window:
        yield from settled(window, found)
    return found


def settled(window: Window[str], found: list[tuple[str, int]]) -> Conversation[None]:
    tag, response = yield from window.settle()
    found.append((tag, response.command["Status"]))


class Clerk:
    """A peer that answers in an order of its own, once so many requests are there."""

    def __init__(self, connection: Connection, at_once: int, order: slice) -> None:
        self.connection, self.at_once, self.order = connection, at_once, order
        self.waiting: list[Command] = []
        self.deepest = 0

    def converse(self) -> Conversation[None]:
        while True:
            event: Message = yield RECEIVE_IDLE
            assert bytes(event.data.data) == DATA  # type: ignore[union-attr]
            self.waiting.append(event.command)
            self.deepest = max(self.deepest, len(self.waiting))
            if len(self.waiting) == self.at_once:
                for command in self.waiting[self.order]:
                    self.answer(command)
                self.waiting.clear()

    def answer(self, command: Command, **changes: Any) -> None:
        response = {
            "AffectedSOPClassUID": CT,
            "CommandField": 0x8001,
            "MessageIDBeingRespondedTo": command["MessageID"],
            "Status": 0xB000 | command["MessageID"],
            **changes,
        }
        self.connection.send_message(3, response)


def test_responses_find_their_requests_whatever_their_order() -> None:
    requestor, acceptor = pair(3)
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 3, slice(None, None, -1))
    one = Side(requestor, asking(window, "a", "b", "c", "d", "e", "f"))
    play(one, Side(acceptor, clerk.converse()))
    assert one.result == [("c", 0xB003), ("b", 0xB002), ("a", 0xB001),
                          ("f", 0xB006), ("e", 0xB005), ("d", 0xB004)]  # fmt: skip
    assert clerk.deepest == 3


def test_never_more_than_granted() -> None:
    requestor, acceptor = pair(2)
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 3, slice(None))
    one = Side(requestor, asking(window, "a", "b", "c"))
    play(one, Side(acceptor, clerk.converse()))
    assert clerk.deepest == 2  # the third does not come before one is answered
    assert len(window) == window.most == 2
    with pytest.raises(RuntimeError, match="2 operations are under way"):
        next(window.send(Outgoing(3, CT, "1", BytesStream(b"")), {**STORE, "MessageID": 9}, ""))


def test_one_after_the_other_unless_negotiated() -> None:
    requestor, acceptor = associated()
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 1, slice(None))
    one = Side(requestor, asking(window, "a", "b"))
    play(one, Side(acceptor, clerk.converse()))
    assert window.most == clerk.deepest == 1
    assert one.result == [("a", 0xB001), ("b", 0xB002)]


def test_no_limit_of_the_peer_is_a_limit_of_ours() -> None:
    assert Window(pair(0)[0], scp.answer).most == MOST


def test_a_message_id_under_way_is_not_used_again() -> None:
    requestor, _ = pair(3)
    window: Window[str] = Window(requestor, scp.answer)
    what = Outgoing(3, CT, "1.2.1", BytesStream(b""))
    list(window.send(what, dict(STORE), "a"))
    with pytest.raises(RuntimeError):
        next(window.send(what, dict(STORE), "b"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"MessageIDBeingRespondedTo": 9}, "response to message 9 from the peer instead of 1 or 2"),
        ({"CommandField": 0x8030}, "C-ECHO-RSP from the peer instead of C-STORE-RSP"),
    ],
)
def test_a_response_to_none_of_them_ends_it(changes: Command, why: str) -> None:
    requestor, acceptor = pair(2)
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 5, slice(None))
    one, other = Side(requestor, asking(window, "a", "b")), Side(acceptor, clerk.converse())
    play(one, other)
    clerk.answer({"MessageID": 1}, **changes)
    play(one, other)
    assert isinstance(one.error, Aborted)
    assert not one.error.by_peer
    assert why in str(one.error)


def test_a_response_twice_is_one_that_nobody_asked_for() -> None:
    requestor, acceptor = pair(2)
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 5, slice(None))
    one, other = Side(requestor, asking(window, "a", "b")), Side(acceptor, clerk.converse())
    play(one, other)
    for _ in range(2):
        clerk.answer({"MessageID": 2})
    play(one, other)
    assert "response to message 2 from the peer instead of 1" in str(one.error)


def test_what_the_peer_asks_meanwhile_is_answered() -> None:
    requestor, acceptor = pair(2)
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 2, slice(None))
    one, other = Side(requestor, asking(window, "a")), Side(acceptor, clerk.converse())
    play(one, other)
    feed(requestor, message(1, dict(ECHO)))
    play(one, other)
    assert [command["CommandField"] for command in responses(one)] == [0x0001, 0x8030]
    assert len(window) == 1


def test_an_end_ends_the_wait() -> None:
    requestor, acceptor = pair(2)
    window: Window[str] = Window(requestor, scp.answer)
    clerk = Clerk(acceptor, 5, slice(None))
    one, other = Side(requestor, asking(window, "a", "b")), Side(acceptor, clerk.converse())
    play(one, other)
    feed(requestor, Abort(0, 0).encode())
    play(one, other)
    assert isinstance(one.error, Ended)
    window.forget()
    assert not window


def test_a_window_is_for_the_side_that_invokes() -> None:
    item = AsynchronousOperationsWindow(4, 7)
    requestor, acceptor = associated(item, answer=(item,))
    mosts: Iterator[int] = (Window(each, scp.answer).most for each in (requestor, acceptor))
    assert list(mosts) == [4, 7]
