"""T21: the clock of the machine stepped by an hour under associations: nothing is early or late."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import require_program
from tests.faults.established import ECHOED, asking
from tests.faults.servers import NAMES, PATIENT, Served, heard, port_of, waits_for_close
from tests.network.ends import Peer
from tests.protocol.pairs import ECHO, message

HOUR = 3600
ECHOING = message(1, dict(ECHO))


class Clock:
    """The clock of a process that can be stepped while it runs.

    Parameters
    ----------
    folder : Path
        Where it is written how far it is off.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._write(0)
        library = subprocess.check_output(
            [require_program("faketime"), "-f", "+0", "printenv", "LD_PRELOAD"], text=True
        )
        self.environment = {
            "LD_PRELOAD": library.strip(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as a real clock: it alone steps
        }

    def _write(self, seconds: int) -> None:
        """Replace the file: a process may be reading it."""
        other = self._file.with_suffix(".new")
        other.write_text(f"{seconds:+d}\n")
        other.rename(self._file)

    def step(self, seconds: int) -> None:
        """Set it so far off."""
        self._write(seconds)
        shown = subprocess.check_output(["date", "+%s"], env={**os.environ, **self.environment})
        assert abs(int(shown) - time.time() - seconds) < 60


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def started(clock: Clock, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    with ExitStack() as stack:

        def start(name: str, *options: str) -> Served:
            server = Served(name, tmp_path, options, environment=clock.environment)
            stack.callback(server.stop)
            assert "libfaketime" in Path(f"/proc/{server.process.pid}/maps").read_text()
            return server

        yield start


def half_ways(server: Served, stack: ExitStack) -> list[Peer]:
    """Half a request, an association that is idle, and half a message."""
    peers = [stack.enter_context(server.dialled())]
    peers += [stack.enter_context(server.established()) for _ in range(2)]
    peers[0].send(asking(server.storage)[:40])
    peers[2].send(ECHOING[:40])
    return peers


@pytest.mark.parametrize("name", NAMES)
def test_no_deadline_is_early(name: str, clock: Clock, started: Callable[..., Served]) -> None:
    server = started(name, *PATIENT)
    for step in (HOUR, -HOUR, 0):
        with ExitStack() as stack:
            asking_peer, idle, speaking = half_ways(server, stack)
            clock.step(step)
            asking_peer.send(asking(server.storage)[40:41])
            speaking.send(ECHOING[40:41])
            server.echo()  # the deadlines of the others have been looked at meanwhile
            asking_peer.send(asking(server.storage)[41:])
            assert heard(asking_peer, 1) == "AC 003"
            speaking.send(ECHOING[41:])
            assert heard(speaking, 1) == ECHOED
            server.release(speaking)
            for peer in (asking_peer, idle):
                server.goes_on(peer)
    server.is_well()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_no_deadline_is_late(
    name: str, step: int, clock: Clock, started: Callable[..., Served]
) -> None:
    server = started(name, "-ta", "1", "-tn", "1", "--stall-timeout", "0.5")
    with ExitStack() as stack:
        peers = half_ways(server, stack)
        ports = [port_of(peer) for peer in peers]
        clock.step(step)
        assert waits_for_close(peers[0]) == []
        assert [heard(peer, 1) for peer in peers[1:]] == ["ABORT(0,0)", "ABORT(2,0)"]
    server.is_well(*ports)
