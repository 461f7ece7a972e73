"""Turns floods of connections that come to nothing into a log that accounts for each of them."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dicomwire import AE
from dicomwire.network.refusals import IN_FULL
from tests.faults.two_servers import KINDS, served
from tests.network.ends import VERIFICATION, dial, entity
from tests.protocol import pairs

every = pytest.mark.parametrize("kind", [*KINDS, "workers"])
MANY = 60


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """What was logged from INFO on, by all processes of this test."""
    file = tmp_path / "log"
    handler = logging.FileHandler(file)  # appends, so that processes do not write over each other
    logger = logging.getLogger("dicomwire")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield lambda: file.read_text().splitlines()
    logger.removeHandler(handler)
    logger.setLevel(before)
    handler.close()


def account(lines: list[str], words: str) -> tuple[int, int]:
    """How many lines there are about single connections, and how many are in sums."""
    sums = [
        re.match(r"(\d+) more connections from 127\.0\.0\.1 in the last", each) for each in lines
    ]
    single = [each for each in lines if re.search(r"127\.0\.0\.1(:| port )\d+", each)]
    assert all(words in each for each in single), single
    assert all(words in each.string for each in sums if each), sums
    return len(single), sum(int(each[1]) for each in sums if each)


def silent(port: int) -> None:
    """Connect and close; the peer has taken note when it closes too."""
    with dial(port) as peer:
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == []


def disconnected(port: int) -> None:
    """Connect, and be disconnected."""
    with dial(port) as peer:
        assert peer.rest() == []


def rejected(port: int) -> None:
    """Be rejected."""
    with dial(port) as peer:
        peer.send(pairs.request())
        assert type(peer.read()).__name__ == "AssociateRJ"


def strict() -> AE:
    ae = entity("SCP", VERIFICATION)
    ae.require_calling_aet = ["KNOWN"]
    return ae


FLOODS: dict[str, tuple[Callable[[], AE], Callable[[int], None], str]] = {
    "a scan": (lambda: entity("SCP"), silent, "closed by the peer"),
    "strangers": (
        lambda: entity("SCP", networks=("192.0.2.1",)),
        disconnected,
        "it is in no network of the list. Setting: Options.networks",
    ),
    "unknown titles": (strict, rejected, "calling AE title not recognised"),
}


@every
@pytest.mark.parametrize("flood", FLOODS)
def test_each_connection_of_a_flood_is_in_a_line_or_in_a_sum(
    kind: str, flood: str, log: Callable[[], list[str]]
) -> None:
    """Also when the server ends before the second is over."""
    make, knock, words = FLOODS[flood]
    with served(kind, make()) as port:
        for _ in range(MANY):
            knock(port)
    told, summed_up = account(log(), words)
    assert told + summed_up == MANY
    assert told >= IN_FULL
    assert summed_up > 0
