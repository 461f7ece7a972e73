"""Turns presentation contexts as users write them into negotiated ones."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydicom.uid import UID

from dicomwire import DEFAULT_TRANSFER_SYNTAXES, build_context, build_role, evt
from dicomwire.presentation import (
    PresentationContext,
    negotiate_as_acceptor,
    negotiate_as_requestor,
    negotiate_unrestricted,
)
from dicomwire.protocol.items import RoleSelection
from tests.network.ends import CT, EXPLICIT, IMPLICIT, MR, VERIFICATION, entity, established, lines

JPEG = "1.2.840.10008.1.2.4.50"


def context(number: int | None, uid: str, *syntaxes: str) -> PresentationContext:
    made = build_context(uid, list(syntaxes) or None)
    made.context_id = number
    return made


def test_a_context_is_built_from_uids_in_any_form() -> None:
    assert build_context(CT).transfer_syntax == DEFAULT_TRANSFER_SYNTAXES
    assert build_context(UID(CT), IMPLICIT).transfer_syntax == [IMPLICIT]
    assert build_context(CT, [EXPLICIT, IMPLICIT, EXPLICIT]).transfer_syntax == [EXPLICIT, IMPLICIT]
    assert isinstance(build_context(CT).abstract_syntax, UID)


def test_an_id_is_odd() -> None:
    made = build_context(CT)
    for fine in (None, 1, 3, 255):
        made.context_id = fine
        assert made.context_id == fine
    for wrong in (0, 2, 256, 257, -1):
        with pytest.raises(ValueError, match="odd"):
            made.context_id = wrong


def test_syntaxes_are_uids_in_a_list(caplog: pytest.LogCaptureFixture) -> None:
    made = PresentationContext()
    made.abstract_syntax = CT.encode()
    assert made.abstract_syntax == CT
    for wrong in (7, None, [CT]):
        with pytest.raises(TypeError):
            made.abstract_syntax = wrong  # type: ignore[assignment]
    for wrong in ("", "1" * 65):
        with pytest.raises(ValueError, match="64"):
            made.abstract_syntax = wrong
    with pytest.raises(TypeError):
        made.transfer_syntax = IMPLICIT  # type: ignore[assignment]
    made.transfer_syntax = [IMPLICIT, "", IMPLICIT, EXPLICIT]
    assert made.transfer_syntax == [IMPLICIT, EXPLICIT]
    assert lines(caplog, logging.WARNING) == []
    made.add_transfer_syntax(None)
    made.add_transfer_syntax(7)  # type: ignore[arg-type]
    assert made.transfer_syntax == [IMPLICIT, EXPLICIT]
    made.abstract_syntax = "1.02.3"
    assert len(lines(caplog, logging.WARNING)) == 2


def test_roles_are_bools() -> None:
    made = build_context(CT)
    for fine in (True, False, None):
        made.scu_role = made.scp_role = fine
        assert (made.scu_role, made.scp_role) == (fine, fine)
    for wrong in (1, "yes"):
        with pytest.raises(TypeError):
            made.scu_role = wrong  # type: ignore[assignment]
        with pytest.raises(TypeError):
            made.scp_role = wrong  # type: ignore[assignment]


def test_a_context_says_what_it_is() -> None:
    made = context(3, CT, IMPLICIT)
    assert repr(made) == "CT Image Storage"
    assert made.as_tuple == (3, CT, IMPLICIT)
    assert "ID: 3" in str(made)
    assert "    =Implicit VR Little Endian" in str(made)
    assert "Role" not in str(made)
    words = {None: "Pending", 0: "Accepted", 1: "User Rejected", 2: "Provider Rejected",
             3: "Abstract Syntax Not Supported", 4: "Transfer Syntax(es) Not Supported",
             9: "Unknown"}  # fmt: skip
    for result, status in words.items():
        made.result = result
        assert made.status == status
    assert context(3, CT) == context(3, CT)
    assert context(3, CT) != context(5, CT)
    assert len({context(3, CT), context(3, CT)}) == 1
    assert context(3, CT) != "CT"


def test_an_acceptor_answers_every_context_by_its_own_order() -> None:
    asked = [context(5, "1.2.3", IMPLICIT), context(1, CT, IMPLICIT, EXPLICIT),
             context(3, MR, JPEG)]  # fmt: skip
    supported = [build_context(CT, [EXPLICIT, IMPLICIT]), build_context(MR, IMPLICIT)]
    found, roles = negotiate_as_acceptor(asked, supported)
    assert [(c.context_id, c.result) for c in found] == [(1, 0), (3, 4), (5, 3)]
    assert found[0].transfer_syntax == [EXPLICIT]
    assert (found[0].as_scu, found[0].as_scp) == (False, True)
    assert roles == []
    assert [c.result for c in negotiate_as_acceptor(asked, [])[0]] == [3, 3, 3]


def test_a_requestor_reads_the_answer() -> None:
    asked = [context(1, CT, IMPLICIT), context(3, MR, IMPLICIT), context(5, MR, EXPLICIT)]
    answers = [context(1, CT, IMPLICIT), context(3, MR, IMPLICIT)]
    answers[0].result, answers[1].result = 0, 4
    found = negotiate_as_requestor(asked, answers)
    assert [(c.context_id, c.result) for c in found] == [(1, 0), (3, 4), (5, 2)]
    assert (found[0].as_scu, found[0].as_scp) == (True, False)
    with pytest.raises(ValueError, match="At least one"):
        negotiate_as_requestor([], answers)


DEFAULT, INVERTED, BOTH, REJECTED = (True, False), (False, True), (True, True), None
ROLES = [
    (None, (True, True), DEFAULT),
    ((True, True), (None, None), DEFAULT),
    ((True, True), (True, True), BOTH),
    ((True, True), (True, False), DEFAULT),
    ((True, True), (False, True), INVERTED),
    ((True, True), (False, False), REJECTED),
    ((True, False), (True, False), DEFAULT),
    ((True, False), (True, True), DEFAULT),
    ((True, False), (False, False), REJECTED),
    ((True, False), (False, True), REJECTED),
    ((False, True), (False, True), INVERTED),
    ((False, True), (True, True), INVERTED),
    ((False, True), (False, False), REJECTED),
    ((False, True), (True, False), REJECTED),
]


@pytest.mark.parametrize(("proposed", "allowed", "outcome"), ROLES)
def test_the_outcome_of_role_selection_is_the_same_over_the_wire(
    proposed: Any, allowed: Any, outcome: Any
) -> None:
    scp = entity("SCP", VERIFICATION)
    scp.add_supported_context(CT, None, *allowed)
    items = [build_role(CT, *proposed)] if proposed else []
    store = (evt.EVT_C_STORE, lambda event: 0)
    with established(store, scp=scp, ext_neg=items) as (assoc, acceptor):
        ours = [c for c in assoc.accepted_contexts if c.abstract_syntax == CT]
        theirs = [c for c in acceptor.accepted_contexts if c.abstract_syntax == CT]
        if outcome is REJECTED:
            assert (ours, theirs) == ([], [])
            assert [c.result for c in assoc.rejected_contexts] == [1]
        else:
            assert (ours[0].as_scu, ours[0].as_scp) == outcome
            assert (theirs[0].as_scu, theirs[0].as_scp) == (outcome[1], outcome[0])
        reply = assoc.acceptor.role_selection.get(CT)
        assert (reply is not None) == bool(proposed and None not in allowed and outcome)


def test_a_role_is_an_item() -> None:
    assert build_role(UID(CT), scp_role=True) == RoleSelection(CT, False, True)


@pytest.mark.no_socket
def test_contexts_without_an_id_are_negotiated_by_their_order() -> None:
    asked = [build_context(CT), build_context(MR), build_context(VERIFICATION)]
    found, _ = negotiate_as_acceptor(asked, [build_context(MR, EXPLICIT)])
    results = [(c.context_id, c.abstract_syntax, c.result) for c in found]
    assert results == [(1, CT, 3), (3, MR, 0), (5, VERIFICATION, 3)]
    answered = negotiate_as_requestor(asked, found)
    assert [(c.context_id, c.result) for c in answered] == [(1, 3), (3, 0), (5, 3)]


@pytest.mark.no_socket
def test_unrestricted_storage_takes_storage_private_and_unknown_classes() -> None:
    uids = [CT, "1.2.3.4", VERIFICATION, MR]
    asked = [build_context(uid, [EXPLICIT, IMPLICIT]) for uid in uids]
    found, roles = negotiate_unrestricted(asked, [build_context(MR, IMPLICIT)])
    assert [c.result for c in found] == [0, 0, 3, 0]
    assert [c.transfer_syntax for c in found if c.result == 0] == [[EXPLICIT]] * 2 + [[IMPLICIT]]
    assert roles == []


@pytest.mark.no_socket
@pytest.mark.parametrize("roles", [{"scu_role": 1}, {"scp_role": None}])
def test_a_role_is_a_bool(roles: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{next(iter(roles))} must be a bool"):
        build_role(CT, **roles)
