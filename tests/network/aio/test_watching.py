"""Turns a loop that cannot watch sockets into one that serves associations all the same."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from dicomwire import aio, evt
from dicomwire.network.aio.watching import READ, WRITE, WatchingThread, wait_for, watcher_of
from tests.network.aio import loops
from tests.network.aio.loops import ended, served, soon
from tests.network.aio.test_server import big, tls_exchange
from tests.network.ends import CT, LOCAL, VERIFICATION, until


class Blind(asyncio.SelectorEventLoop):
    """A loop that watches no sockets for others, as the Proactor of Windows."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
        raise NotImplementedError

    add_writer = add_reader

    def remove_reader(self, fd: Any) -> bool:
        if fd in self._selector.get_map():  # type: ignore[attr-defined]  # what it watches itself
            return self._remove_reader(fd)  # type: ignore[attr-defined,no-any-return]
        raise NotImplementedError

    def remove_writer(self, fd: Any) -> bool:
        if fd in self._selector.get_map():  # type: ignore[attr-defined]
            return self._remove_writer(fd)  # type: ignore[attr-defined,no-any-return]
        raise NotImplementedError


def watchers() -> list[str]:
    return [each.name for each in threading.enumerate() if "asyncio watcher" in each.name]


def test_a_loop_that_cannot_watch_serves_and_asks(tmp_path: Path) -> None:
    async def exchange() -> None:
        async with (
            served((evt.EVT_C_STORE, lambda event: 0x0000)) as server,
            aio.connect(LOCAL, server.port, [VERIFICATION, CT]) as assoc,
        ):
            for _ in range(3):
                assert (await assoc.c_echo()).status == 0
                assert (await assoc.c_store(big(tmp_path))).status == 0
            assert len(watchers()) == 1
            await server.active_associations[0].abort()
            await ended(assoc)
        await tls_exchange(tmp_path)
        await soon(lambda: not watchers())

    loops.run(exchange(), Blind)


def test_the_loop_itself_watches_if_it_can() -> None:
    async def look() -> None:
        with socket.socket() as sock:
            loop = asyncio.get_running_loop()
            assert watcher_of(loop, sock) is loop

    loops.run(look())


def test_what_is_watched_may_change_while_the_thread_waits() -> None:
    async def change() -> None:
        watching = WatchingThread(asyncio.get_running_loop())
        one, other = socket.socketpair()
        told: list[str] = []
        with one, other:
            watching.add_reader(one.fileno(), lambda: told.append("read"))
            other.send(b"x")
            await soon(lambda: len(told) > 2)  # again and again, while it is not read
            assert set(told) == {"read"}
            watching.remove_reader(one.fileno())
            seen = len(told)
            watching.add_writer(one.fileno(), lambda: told.append("write"))
            await soon(lambda: "write" in told)
            assert told[seen:].count("read") == 0
            watching.remove_writer(one.fileno())
        await soon(lambda: not watchers())

    loops.run(change())


@pytest.mark.parametrize("with_poll", [True, False])
def test_ready_sockets_by_either_call(with_poll: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not with_poll:
        monkeypatch.delattr(select, "poll")
    one, other = socket.socketpair()
    with one, other:
        other.send(b"x")
        found = wait_for({one.fileno(): READ | WRITE, other.fileno(): READ})
        assert found == {one.fileno(): READ | WRITE}
        closed = one.fileno()
    assert wait_for({closed: READ}) == {}
    until(lambda: not watchers())
