"""Turns two drivers and a wire in memory, narrow and slow, into conversations: no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from dicomwire.network.aio import line as line_module
from dicomwire.network.aio.driver import Driver
from dicomwire.network.aio.line import Line
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, DimseTimedOut, LimitReached, Lost, Released
from dicomwire.protocol.limits import Limits
from dicomwire.services import association as conversations
from dicomwire.services import scp, scu
from dicomwire.services.association import Identity, Policy
from dicomwire.services.wants import Timer, Unbound
from tests.network.aio.loops import asynchronous
from tests.protocol import pairs

pytestmark = pytest.mark.no_socket

IDENTITY = Identity(16382, "1.2.3", "TEST")


class End:
    """One end of a wire in memory.

    It takes at most `width` bytes at once, and holds no more than `room` that the other end has not
    read yet.
    """

    sock: Any = None
    peer: End

    def __init__(self, width: int, room: int) -> None:
        self.arrived = bytearray()
        self.closed = self._is_due = False
        self._width, self._room = width, room
        self._reading: Callable[[], object] | None = None
        self._writing: Callable[[], object] | None = None
        self._loop = asyncio.get_running_loop()

    def read(self, buffer: memoryview) -> int | None:
        count = min(len(buffer), len(self.arrived), self._width)
        if not count:
            return 0 if self.peer.closed else None
        buffer[:count] = self.arrived[:count]
        del self.arrived[:count]
        self.peer.poke()
        return count

    def write(self, buffers: Sequence[Any], more_follows: bool = False) -> Sequence[Any]:
        if self.peer.closed:
            raise ConnectionResetError("closed")
        data = b"".join(buffers)
        count = max(min(len(data), self._width, self._room - len(self.peer.arrived)), 0)
        self.peer.arrived += data[:count]
        self.peer.poke()
        return [data[count:]] if count < len(data) else ()

    def poke(self) -> None:
        """Have the call-backs called that are due, in a turn of the loop."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._call)

    def _call(self) -> None:
        self._is_due = False
        if self._reading is not None and (self.arrived or self.peer.closed):
            self._reading()
            self.poke()
        if self._writing is not None and len(self.peer.arrived) < self._room:
            self._writing()
            self.poke()

    def has_more(self) -> bool:
        return False

    def watch_reading(self, callback: Callable[[], object] | None) -> None:
        self._reading = callback
        self.poke()

    def watch_writing(self, callback: Callable[[], object] | None) -> None:
        self._writing = callback
        self.poke()

    def acknowledge(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
        self._reading = self._writing = None
        self.peer.poke()


class Port:
    """What a driver needs, without an association."""

    has_untold = False

    def __init__(self, end: End | None, seconds: float | None) -> None:
        self._end, self._seconds = end, seconds
        self.called: list[str] = []

    def timeout(self, timer: Timer) -> float | None:
        return self._seconds

    async def open_transport(self) -> Any:
        return self._end

    def call(self, event: str, attributes: dict[str, Any]) -> Any:
        if event == "EVT_C_STORE":
            data = attributes["message"].data.data
            self.called.append(f"{event} {len(data)}")
            return 0x0000
        raise Unbound

    def advance(self, event: str, values: Any) -> Any: ...

    def close(self, values: Any) -> Any: ...

    async def open_destination(self, host: str, port: int, settings: dict[str, Any]) -> Any: ...

    async def send_there(self, destination: Any, want: Any) -> None: ...

    async def settle_there(self, destination: Any) -> Any: ...

    async def hang_up(self, destination: Any) -> None: ...

    def notify(self, event: str, attributes: dict[str, Any]) -> None: ...

    async def tell(self) -> None: ...

    def dispatch(self) -> None: ...

    async def give_up(self) -> None: ...


def wire(width: int, room: int, seconds: float | None = None) -> tuple[Driver, Driver]:
    """The drivers of a requestor and of an acceptor, which has a transport already."""
    one, other = End(width, room), End(width, room)
    one.peer, other.peer = other, one
    requestor = Driver(Connection(True), Port(one, seconds))
    acceptor = Driver(Connection(False), Port(None, seconds))
    acceptor.transport = other
    return requestor, acceptor


async def serve(driver: Driver) -> None:
    policy = Policy(IDENTITY, pairs.SUPPORTED)
    try:
        if await driver.run(conversations.accept(driver.connection, policy)):
            await driver.run(scp.serve(driver.connection))
    except Aborted:
        pass
    finally:
        await driver.close(1.0)


@pytest.mark.parametrize(("width", "room"), [(1 << 20, 1 << 20), (1000, 3000), (7, 20)])
@asynchronous
async def test_whatever_the_wire_takes_at_once_the_conversation_is_the_same(
    width: int, room: int
) -> None:
    requestor, acceptor = wire(width, room)
    serving = asyncio.create_task(serve(acceptor))
    connection = requestor.connection
    await requestor.run(conversations.request(connection, pairs.request()))
    data = bytes(20_000)
    for number in range(2):
        command = {**pairs.STORE, "MessageID": number}
        asking = scu.request(connection, 3, command, scp.answer, data)
        assert (await requestor.run(asking)).command["Status"] == 0
        echo = scu.request(connection, 1, dict(pairs.ECHO), scp.answer)
        assert (await requestor.run(echo)).command["Status"] == 0
    await requestor.run(conversations.release(connection))
    await requestor.close(1.0)
    await serving
    assert isinstance(connection.ended, Released)
    assert isinstance(acceptor.connection.ended, Released)
    assert acceptor.port.called == ["EVT_C_STORE 20000"] * 2  # type: ignore[attr-defined]


@asynchronous
async def test_a_wire_that_is_cut_ends_whatever_waits() -> None:
    requestor, acceptor = wire(1000, 1000)
    serving = asyncio.create_task(serve(acceptor))
    await requestor.run(conversations.request(requestor.connection, pairs.request()))
    echo = scu.response_to(requestor.connection, dict(pairs.ECHO), scp.answer)
    waiting = asyncio.create_task(requestor.run(echo))
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(Lost, match="closed by the peer"):
        await waiting
    await requestor.close(0.0)


@asynchronous
async def test_a_timeout_is_counted_from_the_last_byte() -> None:
    requestor, acceptor = wire(1000, 1000, seconds=0.1)
    accepting = asyncio.create_task(
        acceptor.run(conversations.accept(acceptor.connection, Policy(IDENTITY, pairs.SUPPORTED)))
    )
    await requestor.run(conversations.request(requestor.connection, pairs.request()))
    assert await accepting
    echo = scu.request(requestor.connection, 1, dict(pairs.ECHO), scp.answer)
    with pytest.raises(Aborted) as caught:
        await requestor.run(echo)
    assert isinstance(caught.value.__cause__, DimseTimedOut)
    for driver in (requestor, acceptor):
        await driver.close(0.0)


@asynchronous
async def test_who_waits_on_an_idle_line_is_told_once() -> None:
    requestor, acceptor = wire(1000, 1000)
    serving = asyncio.create_task(serve(acceptor))
    await requestor.run(conversations.request(requestor.connection, pairs.request()))
    told: list[str] = []
    requestor.park(lambda: told.append("idle"))
    acceptor.abort()
    for _ in range(20):
        await asyncio.sleep(0)
    assert told == ["idle"]
    requestor.unpark()
    requestor.poll()
    assert isinstance(requestor.connection.ended, Aborted)
    await requestor.close(0.0)
    await serving


class Late:
    """The end of a wire on which something arrives when it has been looked at some times."""

    sock: Any = None

    def __init__(self, data: bytes, looks: int) -> None:
        self.data, self.looks = data, looks
        self._loop = asyncio.get_running_loop()

    def read(self, buffer: memoryview) -> int | None:
        self.looks -= 1
        if self.looks > 0:
            return None
        buffer[: len(self.data)] = self.data
        return len(self.data)

    def watch_reading(self, callback: Callable[[], object] | None) -> None:
        if callback is not None:
            self._loop.call_later(0.01, callback)

    def acknowledge(self) -> None:
        pass

    def has_more(self) -> bool:
        return False


class Part(Late):
    """One on which nothing more arrives after that."""

    def read(self, buffer: memoryview) -> int | None:
        return super().read(buffer) if self.looks > 0 else None

    def watch_reading(self, callback: Callable[[], object] | None) -> None:
        pass

    def write(self, buffers: Sequence[Any], more_follows: bool = False) -> Sequence[Any]:
        return ()


async def turns_until_read(looks: int) -> int:
    """How often the loop goes around until what has arrived is read."""
    line = Line(Connection(False), Port(None, None))
    line.connection.connected()
    line.transport = Late(pairs.request().encode(), looks)  # type: ignore[assignment]
    line._is_prompt = True
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    await line.wait(Timer.ACSE)
    assert line.connection.events
    counting.cancel()
    with suppress(asyncio.CancelledError):
        await counting
    return turns


@asynchronous
async def test_while_nobody_else_has_anything_to_do_the_loop_waits_for_who_answers_soon() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_module, "LOOK", 60.0)
        patch.setattr(line_module, "BRIEF", 60.0)
        assert await turns_until_read(20) <= 2


@asynchronous
async def test_while_others_have_something_to_do_it_is_their_turn() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_module, "LOOK", 60.0)
        patch.setattr(line_module, "BRIEF", 0.0)
        assert await turns_until_read(2) > 2


@asynchronous
async def test_who_sends_a_part_while_it_is_looked_for_has_to_send_the_rest() -> None:
    connection = Connection(False, limits=Limits(stall=0.05))
    connection.connected()
    pairs.feed(connection, pairs.request().encode())
    pairs.accept(connection)
    connection.out.clear()
    line = Line(connection, Port(None, None))
    line.transport = Part(bytes((4, 0, 0, 0, 0, 100, 0, 0)), 3)  # type: ignore[assignment]
    line._is_prompt = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_module, "LOOK", 60.0)
        patch.setattr(line_module, "BRIEF", 0.02)
        await line.wait(Timer.NETWORK)
    assert isinstance(connection.ended, Aborted)
    assert isinstance(connection.ended.__cause__, LimitReached)
