"""Turns settings of an AE into what it proposes, supports and says of itself."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydicom.uid import UID

from dicomwire import AE, DEFAULT_TRANSFER_SYNTAXES, Options, build_context, evt
from dicomwire.protocol.errors import LocalError
from tests.network.ends import (
    CT,
    EXPLICIT,
    IMPLICIT,
    LOCAL,
    MR,
    VERIFICATION,
    Box,
    call,
    entity,
    established,
    image,
    lines,
    serving,
)


def test_the_defaults() -> None:
    ae = AE()
    assert ae.ae_title == "DICOMWIRE"
    assert (ae.acse_timeout, ae.dimse_timeout, ae.network_timeout) == (30, 30, 60)
    assert ae.connection_timeout is None
    assert ae.maximum_pdu_size == 16382
    assert ae.maximum_associations >= 10
    assert (ae.require_calling_aet, ae.require_called_aet) == ([], False)
    assert (ae.requested_contexts, ae.supported_contexts, ae.active_associations) == ([], [], [])
    assert ae.options == Options()


# -- titles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["A", "A" * 16, " A B ", "a.b-c_d", "~!@#$%^&*()"])
def test_a_title_is_kept_as_given(title: str) -> None:
    assert AE(title).ae_title == title


@pytest.mark.parametrize("title", ["", "   ", "A" * 17, "a\\b", "a\nb", "ü", "a\0", None])
def test_a_title_that_cannot_be_is_a_value_error(
    title: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="ae_title"):
        AE(title)
    assert title is None or len(lines(caplog, logging.ERROR)) == 1


@pytest.mark.parametrize("title", [7, ["A"], 1.0])
def test_a_title_of_another_type_is_a_type_error(title: Any) -> None:
    with pytest.raises(TypeError):
        AE(title)


def test_bytes_as_a_title_are_taken_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="should be str"):
        assert AE(b"OLD").ae_title == "OLD"  # type: ignore[arg-type]
    ae = AE()
    with pytest.warns(DeprecationWarning, match="should be str"):
        ae.require_calling_aet = [b"OLD"]  # type: ignore[list-item]
    assert ae.require_calling_aet == ["OLD"]


def test_spaces_around_titles_do_not_matter() -> None:
    scp = entity(" SCP ")
    scp.require_called_aet = True
    scp.require_calling_aet = ["  SCU  "]
    with established(scp=scp, scu=entity("SCU  "), ae_title="SCP ") as (assoc, acceptor):
        assert acceptor.requestor.ae_title == "SCU"
        assert acceptor.acceptor.ae_title == "SCP"
        assert assoc.acceptor.ae_title == "SCP"


def test_a_called_title_that_cannot_be_is_refused_before_anything_is_sent() -> None:
    with serving() as server:
        for wrong in ("", "a\\b", "A" * 17):
            with pytest.raises(ValueError, match="ae_title"):
                call(server, ae_title=wrong)
        with pytest.raises(TypeError):
            call(server, ae_title=7)


# -- numbers ---------------------------------------------------------------------------------------


def test_other_numbers_have_their_limits(caplog: pytest.LogCaptureFixture) -> None:
    ae = AE()
    for value, kept in ((5, 5), (0, 1), (-1, 1), ("7", 1)):
        ae.maximum_associations = value  # type: ignore[assignment]
        assert ae.maximum_associations == kept
    for value, kept in ((5, 5), (0, 0), (-1, 0), ("7", 0)):
        ae.maximum_pdu_size = value  # type: ignore[assignment]
        assert ae.maximum_pdu_size == kept
    assert len(lines(caplog, logging.WARNING)) == 3 + 2


@pytest.mark.parametrize("maximum", [0, 5000, 16382, 1_000_000])
def test_the_maximum_length_is_announced_and_kept_to(maximum: int) -> None:
    box = Box()
    scp = entity("SCP")
    scp.maximum_pdu_size = maximum
    bound = (evt.EVT_DATA_RECV, lambda event: box.put(len(event.data)))
    store = (evt.EVT_C_STORE, lambda event: 0)
    from tests.network.ends import image

    with established(bound, store, scp=scp, max_pdu=maximum) as (assoc, acceptor):
        assert assoc.acceptor.maximum_length == maximum
        assert acceptor.requestor.maximum_length == maximum
        assert assoc.send_c_store(image(size=300_000)).Status == 0
    assert max(box.things) <= (maximum or 0x20000) + 6


def test_without_max_pdu_the_requestor_announces_what_the_ae_has() -> None:
    ae = entity()
    ae.maximum_pdu_size = 7000
    with established(scu=ae) as (_, acceptor):
        assert acceptor.requestor.maximum_length == 7000


def test_the_implementation_can_be_told_otherwise() -> None:
    ae = entity()
    ae.implementation_class_uid = "1.2.3"
    ae.implementation_version_name = "MINE"
    with established(scu=ae) as (_, acceptor):
        assert acceptor.requestor.implementation_class_uid == "1.2.3"
        assert acceptor.requestor.implementation_version_name == "MINE"
    ae.implementation_version_name = None
    with established(scu=ae) as (_, acceptor):
        assert acceptor.requestor.implementation_version_name is None
    for wrong in ("", "A" * 17, "ü"):
        with pytest.raises(ValueError, match="implementation_version_name"):
            ae.implementation_version_name = wrong
    for wrong, error in (("", ValueError), (None, TypeError), ("abc", ValueError), (7, TypeError)):
        with pytest.raises(error):
            ae.implementation_class_uid = wrong  # type: ignore[assignment]
    assert isinstance(ae.implementation_class_uid, UID)


# -- contexts --------------------------------------------------------------------------------------


def syntaxes(contexts: Any) -> list[tuple[str, list[str]]]:
    return [(c.abstract_syntax, list(c.transfer_syntax)) for c in contexts]


def test_requested_contexts_are_kept_in_order_and_never_merged() -> None:
    ae = AE()
    ae.add_requested_context(MR)
    ae.add_requested_context(CT, IMPLICIT)
    ae.add_requested_context(UID(CT), [EXPLICIT, IMPLICIT])
    assert syntaxes(ae.requested_contexts) == [
        (MR, list(DEFAULT_TRANSFER_SYNTAXES)),
        (CT, [IMPLICIT]),
        (CT, [EXPLICIT, IMPLICIT]),
    ]
    ae.remove_requested_context(CT, IMPLICIT)
    assert syntaxes(ae.requested_contexts)[1:] == [(CT, [EXPLICIT])]
    ae.remove_requested_context(CT)
    ae.remove_requested_context("1.2.3")
    assert syntaxes(ae.requested_contexts) == [(MR, list(DEFAULT_TRANSFER_SYNTAXES))]


def test_supported_contexts_are_merged_and_sorted() -> None:
    ae = AE()
    ae.add_supported_context(MR, IMPLICIT)
    ae.add_supported_context(CT, IMPLICIT, scu_role=True, scp_role=False)
    ae.add_supported_context(CT, [IMPLICIT, EXPLICIT])
    assert syntaxes(ae.supported_contexts) == [(CT, [IMPLICIT, EXPLICIT]), (MR, [IMPLICIT])]
    assert ae.supported_contexts[0].scu_role is None
    ae.remove_supported_context(CT, EXPLICIT)
    ae.remove_supported_context(MR, IMPLICIT)
    assert syntaxes(ae.supported_contexts) == [(CT, [IMPLICIT])]
    for wrong in ("yes", 1):
        with pytest.raises(TypeError):
            ae.add_supported_context(CT, scu_role=wrong)  # type: ignore[arg-type]


def test_lists_of_contexts_replace_what_was_there_and_keep_roles() -> None:
    ae = entity()
    context = build_context(CT, IMPLICIT)
    context.scu_role, context.scp_role = True, True
    ae.supported_contexts = [context]
    ae.requested_contexts = [context]
    assert syntaxes(ae.supported_contexts) == syntaxes(ae.requested_contexts) == [(CT, [IMPLICIT])]
    assert (ae.supported_contexts[0].scu_role, ae.supported_contexts[0].scp_role) == (True, True)
    for nothing in ([], None):
        ae.supported_contexts = nothing  # type: ignore[assignment]
        ae.requested_contexts = nothing  # type: ignore[assignment]
        assert (ae.supported_contexts, ae.requested_contexts) == ([], [])
    for wrong in ([CT], ["x"]):
        with pytest.raises(ValueError, match="PresentationContext"):
            ae.requested_contexts = wrong  # type: ignore[assignment]
        with pytest.raises(ValueError, match="PresentationContext"):
            ae.supported_contexts = wrong  # type: ignore[assignment]


def test_128_contexts_are_the_most() -> None:
    ae = AE()
    for _ in range(128):
        ae.add_requested_context(CT)
    with pytest.raises(ValueError, match="maximum allowed number"):
        ae.add_requested_context(CT)
    with pytest.raises(ValueError, match="128"):
        ae.requested_contexts = [build_context(CT)] * 129
    with serving() as server:
        with pytest.raises(ValueError, match="128"):
            call(server, contexts=[build_context(CT)] * 129)
        with call(server, ae) as assoc:
            assert len(assoc.accepted_contexts) == 128
            assert [c.context_id for c in assoc.accepted_contexts] == list(range(1, 256, 2))


def test_contexts_can_be_given_for_one_association() -> None:
    with serving() as server:
        with call(server, contexts=[build_context(CT, EXPLICIT)]) as assoc:
            assert syntaxes(assoc.accepted_contexts) == [(CT, [EXPLICIT])]
            assert syntaxes(assoc.requestor.requested_contexts) == [(CT, [EXPLICIT])]
        for nothing in ([], None):
            with pytest.raises(RuntimeError, match="At least one requested presentation context"):
                call(server, AE(), contexts=nothing)
        with pytest.raises(ValueError, match="PresentationContext"):
            call(server, contexts=[CT])


def test_a_proposal_that_cannot_be_sent_is_refused_and_leaves_nothing() -> None:
    from dicomwire.protocol.items import UserIdentity

    ae = entity()
    with serving() as server:
        with pytest.raises(LocalError):
            call(server, ae, ext_neg=[UserIdentity(1, False, b"x" * 70_000)])
        assert ae.active_associations == []


# -- what it says ----------------------------------------------------------------------------------


def test_an_ae_describes_itself() -> None:
    ae = entity("ME", VERIFICATION)
    ae.require_calling_aet = ["YOU", "THEM"]
    ae.require_called_aet = True
    ae.remove_requested_context(VERIFICATION)
    text = str(ae)
    assert text.startswith("\nApplication Entity ME\n")
    for part in ("Verification SOP Class", "Implicit VR Little Endian", "ACSE timeout: 30 s",
                 "YOU, THEM", "Require called AE title: True", "Association(s): 0/",
                 "Requested Presentation Contexts:\n\tNone"):  # fmt: skip
        assert part in text
    ae.require_calling_aet, ae.require_called_aet = [], False
    with serving(ae) as server, call(server, entity("YOU")) as assoc:
        port = assoc.requestor.port
        assert f"\tPeer: YOU on {LOCAL}:{port}" in str(ae)
        assert "Association(s): 1/" in str(ae)


def test_active_associations_are_of_both_kinds() -> None:
    ae = entity("BOTH")
    with serving(ae) as server:
        assoc = call(server, ae)
        assert len(ae.active_associations) == 2
        assert {a.mode for a in ae.active_associations} == {"requestor", "acceptor"}
        assert [a.mode for a in server.active_associations] == ["acceptor"]
        assoc.release()
        for each in server.active_associations:
            each.join(10)
        assert ae.active_associations == []


def test_a_version_name_that_is_no_text_is_a_type_error() -> None:
    ae = AE()
    with pytest.raises(TypeError, match="must be a str or None, not int"):
        ae.implementation_version_name = 1  # type: ignore[assignment]  # the mistake


def test_titles_in_commands_are_padded_when_the_options_say_so() -> None:
    for pads in (False, True):
        sent = Box()
        more = {"evt_handlers": [(evt.EVT_DATA_SENT, lambda e, box=sent: box.put(e.data))]}
        stored = (evt.EVT_C_STORE, lambda event: 0x0000)
        with established(stored, scu=entity(pad_titles=pads), **more) as (assoc, _):
            assert assoc.send_c_store(image(), originator_aet="ME", originator_id=1).Status == 0
        assert any(b"ME" + b" " * 14 in data for data in sent.wait()) is pads
