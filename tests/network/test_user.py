"""Turns what each side of an association said into attributes."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire import build_context, build_role, evt
from dicomwire.network.rejected import Rejection
from dicomwire.pdu_primitives import A_ASSOCIATE
from dicomwire.protocol.items import (
    AsynchronousOperationsWindow,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentity,
)
from dicomwire.protocol.pdus import AssociateAC
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    Box,
    call,
    entity,
    established,
    scripted,
    serving,
)


def test_both_sides_are_known_on_both_ends() -> None:
    scu, scp = entity("ASKER"), entity("ASKED")
    with established(scu=scu, scp=scp, ae_title="ASKED", max_pdu=20000) as (assoc, acceptor):
        for end in (assoc, acceptor):
            requestor, accepting = end.requestor, end.acceptor
            assert (requestor.mode, accepting.mode) == ("requestor", "acceptor")
            assert (requestor.is_requestor, requestor.is_acceptor) == (True, False)
            assert (requestor.ae_title, accepting.ae_title) == ("ASKER", "ASKED")
            assert (requestor.address, accepting.address) == (LOCAL, LOCAL)
            assert (requestor.maximum_length, accepting.maximum_length) == (20000, 16382)
            asked, answered = requestor.primitive, accepting.primitive
            assert isinstance(asked, A_ASSOCIATE)
            assert (asked.calling_ae_title, asked.result) == ("ASKER", None)
            assert (answered.maximum_length_received, answered.result) == (16382, 0)
            contexts = answered.presentation_context_definition_results_list
            assert [each.abstract_syntax for each in contexts] == [VERIFICATION, CT]
            assert requestor.implementation_class_uid == scu.implementation_class_uid
            assert accepting.implementation_version_name == scp.implementation_version_name
            assert [c.abstract_syntax for c in requestor.requested_contexts] == [VERIFICATION, CT]
            assert requestor.supported_contexts == []
            assert accepting.requested_contexts == []
            assert requestor.info["pdv_size"] == 20000
            assert requestor.info["port"] == requestor.port
        assert len(acceptor.acceptor.supported_contexts) == 2
        assert assoc.requestor.port == acceptor.requestor.port


def test_extended_negotiation_is_listed_apart() -> None:
    items = [
        build_role(CT, scu_role=True),
        AsynchronousOperationsWindow(2, 3),
        SOPClassExtendedNegotiation(CT, b"\1"),
        UserIdentity(1, False, b"me"),
    ]
    with established(ext_neg=items) as (assoc, acceptor):
        for end in (assoc, acceptor):
            assert end.requestor.extended_negotiation == items
            assert end.requestor.role_selection == {CT: items[0]}
            assert end.requestor.asynchronous_operations == (2, 3)
            assert end.requestor.sop_class_extended == {CT: b"\1"}
            assert end.requestor.user_identity == items[3]
            assert end.acceptor.user_identity is None
            assert len(end.requestor.user_information) == len(items) + 3


def test_before_anything_is_said_there_is_what_we_will_say() -> None:
    box = Box()

    def on_open(event: object) -> None:
        assoc = event.assoc  # type: ignore[attr-defined]
        box.put((assoc.acceptor.ae_title, assoc.acceptor.maximum_length, assoc.local["ae_title"]))

    with established((evt.EVT_CONN_OPEN, on_open), scp=entity("ASKED")):
        assert box.wait() == [("ASKED", 16382, "ASKED")]


def test_an_address_that_is_not_known_yet_is_a_value_error() -> None:
    from dicomwire.network.user import ServiceUser
    from dicomwire.protocol.connection import Connection

    user = ServiceUser(Connection(True), "acceptor", None)
    for name in ("address", "port"):
        with pytest.raises(ValueError, match="not known yet"):
            getattr(user, name)
    user.set_up("TITLE", [build_context(CT)])
    assert user.ae_title == "TITLE"
    assert len(user.supported_contexts) == 1
    assert user.maximum_length is None
    assert user.implementation_class_uid is None
    assert user.asynchronous_operations == (1, 1)
    assert user.info == {"ae_title": "TITLE", "address": None, "port": None, "mode": "acceptor"}


def test_a_peer_that_presents_nothing_is_taken_as_it_is() -> None:
    def script(peer: object) -> None:
        request = peer.read()  # type: ignore[attr-defined]
        from dicomwire.protocol.pdus import ContextResult

        results = [ContextResult(c.context_id, 0, c.transfer_syntaxes[0])
                   for c in request.presentation_contexts]  # fmt: skip
        peer.send(AssociateAC("A", "B", results, []))  # type: ignore[attr-defined]
        peer.read()  # type: ignore[attr-defined]

    with scripted(script) as port:
        assoc = entity(linger=0.1).associate(LOCAL, port)
        assert assoc.is_established
        assert assoc.acceptor.maximum_length is None
        assert assoc.acceptor.implementation_class_uid is None
        assoc.abort()


def test_a_rejection_is_what_the_acceptor_said() -> None:
    scp = entity("ASKED")
    scp.require_called_aet = True
    with serving(scp) as server:
        assoc = call(server, ae_title="OTHER")
        assert assoc.is_rejected
        said = assoc.acceptor.primitive
        assert (said.result, said.result_source, said.diagnostic) == (1, 1, 7)
        assert (said.result_str, said.source_str) == ("Rejected Permanent", "Service User")
        assert said.reason_str == "Called AE title not recognised"
        assert assoc.requestor.primitive.called_ae_title == "OTHER"
        assert assoc.acceptor.user_information == []


def test_a_rejection_with_reserved_codes_shows_them() -> None:
    said = Rejection(9, 8, 7)
    assert (said.result_str, said.source_str, said.reason_str) == ("9", "8", "Reserved reason 7")


def test_contexts_by_kind() -> None:
    scp = entity("SCP", CT)
    with established(scp=scp) as (assoc, acceptor):
        for end in (assoc, acceptor):
            uids = [c.abstract_syntax for c in end.requestor.get_contexts("requested")]
            assert uids == [VERIFICATION, CT]
            assert end.requestor.get_contexts("pcdl") == end.requestor.requested_contexts
            answered = end.acceptor.get_contexts("pcdrl")
            assert [(c.context_id, c.result) for c in answered] == [(1, 3), (3, 0)]
            assert len(answered[1].transfer_syntax) == 1
            for side, kinds in (
                (end.requestor, ("supported", "pcdrl", "other")),
                (end.acceptor, ("requested", "pcdl", "other")),
            ):
                assert side.assoc is end
                for kind in kinds:
                    with pytest.raises(ValueError, match=kind):
                        side.get_contexts(kind)
        assert [c.abstract_syntax for c in acceptor.acceptor.get_contexts("supported")] == [CT]


def test_common_extended_negotiation_is_kept_as_the_handler_accepted_it() -> None:
    item = SOPClassCommonExtendedNegotiation(CT, "1.2.840.10008.4.2", [VERIFICATION])

    def accept(event: Any) -> Any:
        return {**event.items, "1.2": "no item"}

    with established((evt.EVT_SOP_COMMON, accept), ext_neg=[item]) as (assoc, acceptor):
        kept = acceptor.acceptor.accepted_common_extended
        assert kept == {CT: ("1.2.840.10008.4.2", [VERIFICATION])}
        assert assoc.acceptor.accepted_common_extended == {}
        with pytest.raises(RuntimeError, match="Only the acceptor"):
            _ = acceptor.requestor.accepted_common_extended


def test_nothing_can_be_changed_any_more() -> None:
    with established() as (assoc, _):
        user = assoc.requestor
        assert not user.writeable
        item = build_role(CT)
        for change in (
            lambda: user.add_negotiation_item(item),
            lambda: user.remove_negotiation_item(item),
            user.reset_negotiation_items,
        ):
            with pytest.raises(RuntimeError, match="cannot be changed"):
                change()
