"""Turns floods of connections that come to nothing into a log that accounts for each of them."""

from __future__ import annotations

import logging
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, Limits, evt
from dicomwire.network.refusals import IN_FULL
from dicomwire.protocol.items import UserIdentity
from dicomwire.protocol.pdus import AssociateRJ, AssociateRQ
from tests.faults.two_servers import KINDS, served
from tests.network.ends import LOCAL, VERIFICATION, dial, entity, until
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


def asking(title: str, user: UserIdentity) -> AssociateRQ:
    """A request by a user."""
    return pairs.request(user).replace(calling_ae_title=title)


@every
@pytest.mark.parametrize("flood", ["a scan", "strangers"])
def test_a_sum_does_not_wait_for_anything_else_to_happen(
    kind: str, flood: str, log: Callable[[], list[str]]
) -> None:
    make, knock, words = FLOODS[flood]
    with served(kind, make()) as port:
        for _ in range(MANY):
            knock(port)
        until(lambda: sum(account(log(), words)) == MANY)


@every
def test_a_thousand_guesses_keep_nobody_waiting(kind: str, log: Callable[[], list[str]]) -> None:
    """X13: as fast as they come, of titles and of passcodes, from one address."""

    def verify(event: Any) -> tuple[bool, None]:
        return event.has_passcode("right"), None

    ae = entity("SCP", VERIFICATION, limits=Limits(failures_per_minute=20))
    ae.require_calling_aet = ["SCU", "KNOWN"]
    answers = Counter[tuple[int, ...]]()
    with served(kind, ae, (evt.EVT_USER_ID, verify)) as port:
        for number in range(1000):
            with dial(port) as peer:
                user = UserIdentity(2, False, b"ada", b"%d" % number)
                title = "SCU" if number % 2 else f"GUESS{number}"
                peer.send(asking(title, user))
                answer = peer.read()
                assert isinstance(answer, AssociateRJ)
                answers[answer.result, answer.source, answer.reason] += 1
            if number % 250 == 249:
                assoc = entity("KNOWN", VERIFICATION).associate(
                    LOCAL, port, bind_address=("127.0.0.2", 0)
                )
                assert assoc.send_c_echo().Status == 0
                assoc.release()
    # what is forgotten meanwhile may be tried again
    assert answers[2, 3, 1] > 900
    assert answers[1, 1, 3] >= 10
    assert answers[1, 2, 1] >= 10
    assert answers.total() == 1000
    told, summed_up = account(log(), "")
    assert told + summed_up == 1000


def account(lines: list[str], words: str) -> tuple[int, int]:
    """How many connections have lines of their own, and how many are in sums."""
    sums = [
        re.match(r"(\d+) more connections from 127\.0\.0\.1 in the last", each) for each in lines
    ]
    single = [each for each in lines if re.search(r"127\.0\.0\.1(:| port )\d+", each)]
    assert all(words in each for each in single), single
    assert all(words in each.string for each in sums if each), sums
    ports = {re.split(r"127\.0\.0\.1(?::| port )", each)[1].split()[0] for each in single}
    return len({each.rstrip(":") for each in ports}), sum(int(each[1]) for each in sums if each)


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
