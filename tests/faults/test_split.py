"""T18: however the bytes of a peer are cut, the same comes of them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from dicomwire.protocol.connection import Connection
from tests.examples import examples, share_of
from tests.faults.established import ESTABLISHED, asking
from tests.faults.negotiation import NEGOTIATION
from tests.faults.rows import Case, numbered
from tests.faults.test_in_memory import answer
from tests.protocol.pairs import ECHO, STORE, feed, in_state, message, plain, taken

pytestmark = pytest.mark.no_socket

SHORT = 400  # bytes: every place to cut is tried, or each fifth in a quick run
STRIDE = 100 // share_of(100)
CASES = [*numbered(NEGOTIATION), *numbered(ESTABLISHED)]


def played(case: Case, *cuts: int) -> tuple[object, ...]:
    """What comes of a case whose bytes arrive in pieces: what is said, told, and the state."""
    connection = in_state("Sta2")
    if case.row.startswith("P"):
        feed(connection, asking())
        answer(connection)
        connection.out.clear()
    return outcome(connection, case.sent, *cuts)


def outcome(connection: Connection, raw: bytes, *cuts: int) -> tuple[object, ...]:
    for begin, end in zip((0, *cuts), (*cuts, len(raw)), strict=True):
        feed(connection, raw[begin:end])
        if connection.machine.state == "Sta3":
            answer(connection)
    events = [plain(each) for each in connection.events]
    ended = connection.ended
    reason = (type(ended), str(ended))
    return taken(connection), events, connection.machine.state, reason, connection.wants_close


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in CASES if len(case.sent) <= SHORT]
)
def test_every_place_to_cut(case: Case) -> None:
    whole = played(case)
    for position in range(1, len(case.sent), STRIDE):
        assert played(case, position) == whole, position
    assert played(case, *range(1, len(case.sent))) == whole


DIALOGUE = b"".join(
    message(1, {**ECHO, "MessageID": number})
    + message(3, {**STORE, "MessageID": number + 100}, bytes(range(256)) * number)
    for number in range(1, 30)
)


@examples(100)
@given(strategies.lists(strategies.integers(1, len(DIALOGUE) - 1), max_size=40))
def test_any_places_to_cut(cuts: list[int]) -> None:
    def connection() -> Connection:
        found = in_state("Sta2")
        feed(found, asking())
        answer(found)
        found.out.clear()
        return found

    assert outcome(connection(), DIALOGUE, *sorted(set(cuts))) == outcome(connection(), DIALOGUE)
