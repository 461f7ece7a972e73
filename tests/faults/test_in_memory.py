"""What a broken or hostile peer sends leads to the one answer that was fixed for it beforehand.

The rows of groups N and P against a connection alone, without a socket.
"""

from __future__ import annotations

import pytest

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, Rejected
from dicomwire.protocol.items import MaximumLength, RoleSelection
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import (
    SupportedContext,
    answer_contexts,
    check_request,
    proposed_roles,
)
from dicomwire.protocol.pdus import (
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ReleaseRP,
    ReleaseRQ,
)
from tests.faults.established import ESTABLISHED, STORING, asking, command, element, of_command
from tests.faults.negotiation import NEGOTIATION
from tests.faults.rows import CLOSED, Case, numbered, said
from tests.protocol.pairs import (
    CT,
    EXPLICIT,
    IMPLICIT,
    STORE,
    VERIFICATION,
    data_of,
    feed,
    in_state,
    pdus_of,
    raw_acceptor,
    request,
    taken,
    values,
)

pytestmark = pytest.mark.no_socket

SUPPORTED = {
    VERIFICATION: SupportedContext((EXPLICIT, IMPLICIT)),
    CT: SupportedContext((EXPLICIT, IMPLICIT), True, True),
}


def parameters(cases: tuple[Case, ...]) -> list[object]:
    return [pytest.param(case, id=name) for name, case in numbered(cases)]


def answer(connection: Connection) -> None:
    """Do with a request what an acceptor does that accepts anybody."""
    while connection.events:
        asked = connection.events.popleft()
        assert isinstance(asked, AssociateRQ)
        rejection = check_request(asked)
        if rejection:
            connection.step(rejection)
            return
        roles = proposed_roles(asked.user_information)
        found = answer_contexts(asked.presentation_contexts, SUPPORTED, roles)
        titles = asked.called_ae_title, asked.calling_ae_title
        connection.accept(AssociateAC(*titles, found.results, [*found.roles]), found.accepted)


def answered(raw: bytes, step: int = 0) -> tuple[Connection, str]:
    """A connection that was sent this first, and what it said."""
    connection = in_state("Sta2")
    feed(connection, raw, step)
    answer(connection)
    return connection, said(pdus_of(taken(connection)))


@pytest.mark.parametrize("step", [0, 7])
@pytest.mark.parametrize("case", parameters(NEGOTIATION))
def test_negotiation(case: Case, step: int) -> None:
    step *= 1000 if len(case.sent) > 20_000 else 1
    connection, words = answered(case.sent, step)
    assert (words or CLOSED) == case.answer
    if not case.refused:
        assert connection.machine.state == "Sta6"
        assert connection.ended is None
    else:
        assert connection.machine.state == ("Sta13" if words else "Sta1")
        assert isinstance(connection.ended, Rejected | Aborted)
        assert connection.artim or connection.wants_close


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((RoleSelection(CT, False, False),), "AC 01"),
        ((RoleSelection(CT, True, False), RoleSelection(CT, False, False)), "AC 00"),
    ],
    ids=["N36", "N37"],
)
def test_roles_where_they_are_supported(items: tuple[RoleSelection, ...], expected: str) -> None:
    assert answered(request(*items).encode())[1] == expected


def test_n34_no_byte_of_it_is_kept() -> None:
    connection = in_state("Sta2")
    feed(connection, b"\1\0\x80\0\0\0")
    for _ in range(400):
        feed(connection, bytes(8192))
    assert len(connection.get_buffer()) < 0x10000


@pytest.mark.parametrize(("announced", "most"), [(0, 0x20000), (0xFFFFFFFF, 0x20000), (32, 32)])
def test_n27_n29_our_own_cap_holds(announced: int, most: int) -> None:
    connection = raw_acceptor(MaximumLength(announced))
    connection.send_message(3, dict(STORE), bytes(300_000))
    lengths = [len(pdu.encode()) - 6 for pdu in pdus_of(taken(connection))]
    assert max(lengths) <= most
    assert sorted(lengths)[len(lengths) // 2] > most // 2  # and no fragments of next to nothing


def test_n52_a_second_request_after_the_release() -> None:
    connection = raw_acceptor()
    feed(connection, ReleaseRQ().encode())
    connection.step(ReleaseRP())
    connection.out.clear()
    connection.events.clear()
    feed(connection, request().encode())
    assert said(pdus_of(taken(connection))) == "ABORT(2,2)"  # AA-7
    assert not connection.events
    connection.timer_expired()
    assert connection.wants_close


def came(*results: ContextResult) -> bytes:
    """An acceptance."""
    return AssociateAC("SCP", "SCU", [*results], [MaximumLength(16384)]).encode()


@pytest.mark.parametrize(
    "case",
    parameters(
        (
            Case("N53", "", came(ContextResult(5, 0, IMPLICIT)), "ABORT(2,6)"),
            Case("N53", "", came(ContextResult(1, 7, IMPLICIT)), "ABORT(2,6)"),
            Case("N53", "", came(ContextResult(1, 0, EXPLICIT)), "ABORT(2,6)"),
            Case("N53", "", came(ContextResult(1, 0, IMPLICIT), ContextResult(1, 3)), "ABORT(2,6)"),
            Case("N54", "", came(ContextResult(1, 0, IMPLICIT)), ""),
            Case("N54", "", came(), ""),
            Case("N55", "", AssociateRJ(9, 8, 7).encode(), ""),
        )
    ),
)
def test_the_requestors_side(case: Case) -> None:
    connection, row = in_state("Sta5"), case.row
    feed(connection, case.sent)
    assert said(pdus_of(taken(connection))) == case.answer
    if row == "N53":
        assert connection.contexts == {}
        assert isinstance(connection.ended, Aborted)
        assert not connection.events
    elif row == "N54":
        assert connection.established
        assert len(connection.contexts) + len(connection.rejected) == 2
        assert {each.result for each in connection.rejected} == {2}
    else:
        assert isinstance(connection.ended, Rejected)
        assert "reserved" in str(connection.ended)
        assert connection.wants_close


# -- an association that stands ------------------------------------------------------------


@pytest.mark.parametrize("step", [0, 5, 1000])
@pytest.mark.parametrize("case", parameters(ESTABLISHED))
def test_established(case: Case, step: int) -> None:
    if len(case.sent) > 20_000 and step == 5:
        step = 777
    connection = in_state("Sta2")
    feed(connection, asking())
    answer(connection)
    connection.out.clear()
    feed(connection, case.sent, step)
    # what an A-ABORT of the service-user (PS3.8 Table 9-26) is about, the connection cannot know
    aborts = case.answer.startswith("ABORT(2")
    assert said(pdus_of(taken(connection))) == (case.answer if aborts else "")
    assert len(connection.events) == case.count
    state = "Sta13" if aborts else {CLOSED: "Sta1", "ReleaseRP": "Sta8"}.get(case.answer, "Sta6")
    assert connection.machine.state == state
    if aborts:
        assert isinstance(connection.ended, Aborted)
        assert not connection.ended.by_peer
        assert connection.artim
        assert not connection.reader.in_message


def test_p16_p18_the_data_is_whole_all_the_same() -> None:
    connection = raw_acceptor()
    feed(connection, STORING + values((3, 0xFC, b"dat"), (3, 0xFE, b"a")))
    (found,) = connection.events
    assert isinstance(found, Message)
    assert data_of(found) == b"data"


def test_p24_the_first_counts() -> None:
    connection = raw_acceptor()
    feed(connection, of_command(command() + element(0x0110, b"\x09\0")))
    (found,) = connection.events
    assert isinstance(found, Message)
    assert found.command["MessageID"] == 1
