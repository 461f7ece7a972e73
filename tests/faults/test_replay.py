"""Recorded associations of other programs, changed, into connections that end and harm nobody.

What the fuzzer begins with in memory is replayed here over TCP, against each of the servers. With
DICOMWIRE_REPLAYS=100000 there are so many replays of each instead of a few.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from random import Random

import pytest

from fuzz.changing import change
from fuzz.corpus import SEEDS
from fuzz.targets import BY_NAME
from tests.faults.servers import BOUND, Served, port_of

REPLAYS = int(os.environ.get("DICOMWIRE_REPLAYS", "400"))
LOOK_EVERY = 100  # replays
LONGEST = 1 << 20  # bytes
ACCEPTED = b"\x02"  # the type of an A-ASSOCIATE-AC
pytestmark = pytest.mark.timeout(max(120, REPLAYS))


@cache
def streams() -> list[bytes]:
    """Return what callers said in the recorded associations."""
    target = BY_NAME["acceptor"]
    return [each.read_bytes()[target.head :] for each in sorted((SEEDS / target.name).iterdir())]


def scribbled(data: bytes, most: int, chance: Random) -> bytes:
    """Change bytes without knowing what they are: some of them, how many they are, or the end."""
    at = chance.randrange(len(data) + 1)
    kind = chance.randrange(4)
    if kind == 0:
        found = data[:at]
    elif kind == 1:
        found = data[:at] + chance.randbytes(chance.randrange(1, 40)) + data[at:]
    else:
        count = chance.randrange(1, 4) if kind == 2 else 4
        found = data[:at] + chance.choice((bytes(count), b"\xff" * count)) + data[at + count :]
    return found[: max(most, 0)]


def replay_of(number: int) -> bytes:
    """Return a recorded stream with one to four changes; the same for the same number."""
    chance = Random(number)
    found = chance.choice(streams())
    for _ in range(chance.randrange(1, 5)):
        found = change(
            "pdu", found, LONGEST, chance, lambda data, most: scribbled(data, most, chance)
        )
    return found


def replay(server: Served, stream: bytes) -> list[int]:
    """Say all of it and no more; whatever is answered, the server then ends the connection.

    Return our port if no association was accepted, for the account of those.
    """
    answer = b""
    with server.dialled() as peer:
        port = port_of(peer)
        with suppress(ConnectionError, BrokenPipeError):
            peer.send(stream)
            peer.socket.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            peer.socket.settimeout(BOUND)
            while more := peer.socket.recv(1 << 16):
                answer = answer or more
    return [] if answer[:1] == ACCEPTED else [port]


def test_replayed(server: Served) -> None:
    refused: list[int] = []
    for number in range(REPLAYS):
        refused += replay(server, replay_of(number))
        if (number + 1) % LOOK_EVERY == 0 or number + 1 == REPLAYS:
            server.is_well(*refused, at_most=None)  # some streams still make sense
            refused.clear()
