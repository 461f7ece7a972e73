"""The rows of groups N and P against servers: the answer of the table, and nothing else suffers."""

from __future__ import annotations

import pytest

from tests.faults.established import ESTABLISHED
from tests.faults.negotiation import NEGOTIATION
from tests.faults.rows import Case, numbered
from tests.faults.servers import Served, heard, port_of
from tests.protocol.pairs import VERIFICATION


def parameters(cases: tuple[Case, ...]) -> list[object]:
    return [pytest.param(case, id=name) for name, case in numbered(cases)]


@pytest.mark.parametrize("case", parameters(NEGOTIATION))
def test_negotiation(server: Served, case: Case) -> None:
    with server.dialled() as peer:
        port = port_of(peer)
        peer.send(case.sent)
        assert heard(peer, 1) == case.answer
        if case.answer.startswith("AC 0"):
            server.goes_on(peer)
        elif case.answer.startswith("AC"):
            server.release(peer)
    server.is_well(*[port] * case.refused, words=case.says)


@pytest.mark.parametrize("case", parameters(ESTABLISHED))
def test_established(server: Served, case: Case) -> None:
    has_storage = server.storage != VERIFICATION
    if case.storage and not has_storage:
        return  # there it is no fault
    expected = case.answer
    if not has_storage:  # context 3 is for Verification
        expected = expected.replace("C-STORE-RSP 0000", "C-STORE-RSP 0122")
    with server.established() as peer:
        port = port_of(peer)
        peer.send(case.sent)
        assert heard(peer, 1 if case.refused else case.count) == expected
        if not case.refused and expected != "ReleaseRP":
            server.goes_on(peer)
    server.is_well(*[port] * (case.refused or case.logged), at_most=["1.2.3"])
