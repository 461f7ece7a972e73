"""PDUs out of primitives, into bytes, and back."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire import build_context, pdu
from dicomwire.compat.pdu import pdu_of
from dicomwire.pdu_items import (
    ApplicationContextItem,
    PresentationContextItemAC,
    PresentationContextItemRQ,
    PresentationDataValueItem,
    UserInformationItem,
)
from dicomwire.pdu_primitives import (
    A_ABORT,
    A_ASSOCIATE,
    A_P_ABORT,
    A_RELEASE,
    P_DATA,
    ServiceParameter,
    UserIdentityNegotiation,
)
from dicomwire.protocol import pdus as wire
from dicomwire.protocol.errors import RemoteError
from dicomwire.protocol.items import MaximumLength, UnknownItem
from tests.protocol import pairs


def primitive(kind: type[pdu.PDU]) -> Any:
    """A primitive for each kind of PDU."""
    context = build_context("1.2.840.10008.1.1", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
    context.context_id = 3
    user = UserIdentityNegotiation()
    user.user_identity_type, user.primary_field = 1, b"ann"
    made = A_ASSOCIATE()
    made.application_context_name = "1.2.840.10008.3.1.1.1"
    made.calling_ae_title, made.called_ae_title = "ME", "YOU"
    made.maximum_length_received = 5000
    made.implementation_class_uid = "1.2.3"
    if kind is pdu.A_ASSOCIATE_RQ:
        made.user_information = [*made.user_information, user]
        made.presentation_context_definition_list = [context]
    elif kind is pdu.A_ASSOCIATE_AC:
        context.result = 0
        made.result = 0
        made.presentation_context_definition_results_list = [context]
    elif kind is pdu.A_ASSOCIATE_RJ:
        made.result, made.result_source, made.diagnostic = 1, 1, 7
    elif kind is pdu.P_DATA_TF:
        data = P_DATA()
        data.presentation_data_value_list = [(1, b"\3command"), (1, b"\2data")]
        return data
    elif kind in (pdu.A_RELEASE_RQ, pdu.A_RELEASE_RP):
        going = A_RELEASE()
        going.result = "affirmative" if kind is pdu.A_RELEASE_RP else None
        return going
    elif kind is pdu.A_ABORT_RQ:
        broken = A_P_ABORT()
        broken.provider_reason = 6
        return broken
    return made


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.box(f"D.pdu.{kind.__name__}", "D.pdu.PDU"))
        for kind in pdu.PDU_TYPES
    ],
)
def test_a_primitive_becomes_a_pdu_becomes_bytes_and_comes_back(kind: type[pdu.PDU]) -> None:
    made = kind()
    made.from_primitive(primitive(kind))
    assert isinstance(made, pdu.PDU)
    assert made == kind(primitive(kind))
    encoded = made.encode()
    assert encoded[0] == made.pdu_type == pdu.PDU_TYPES[kind]
    assert len(made) == len(encoded) == made.pdu_length + 6
    assert wire.decode_pdu(encoded[0], memoryview(encoded)[6:]).encode() == encoded
    read = kind()
    read.decode(encoded)
    assert read == made
    assert f"PDU length: {made.pdu_length} bytes" in str(read)
    back = read.to_primitive()
    assert type(back) is type(primitive(kind))
    assert kind(back).encode() == encoded


@pytest.mark.box("D.pdu.A_ASSOCIATE_RQ", "D.pdu_items.UserInformationItem")
def test_a_request_shows_its_items() -> None:
    shown = pdu.A_ASSOCIATE_RQ(primitive(pdu.A_ASSOCIATE_RQ))
    assert [type(each) for each in shown.variable_items] == [
        ApplicationContextItem,
        PresentationContextItemRQ,
        UserInformationItem,
    ]
    assert shown.application_context_name == "1.2.840.10008.3.1.1.1"
    (context,) = shown.presentation_context
    assert (context.context_id, context.abstract_syntax.name) == (3, "Verification SOP Class")
    assert len(context.transfer_syntax) == 2
    user = shown.user_information
    assert user is not None
    assert (user.maximum_length, user.implementation_class_uid) == (5000, "1.2.3")
    assert user.user_identity is not None
    assert all(isinstance(each, ServiceParameter) for each in user.to_primitive())
    for text in ("Called AE title: YOU", "=Verification SOP Class", "5000", "=1.2.3", "b'ann'"):
        assert text in str(shown)


@pytest.mark.box("D.pdu.A_ASSOCIATE_RQ", "D.pdu.A_ASSOCIATE_AC")
@pytest.mark.parametrize("title", ["T" * 17, None, 5])
def test_a_title_that_does_not_fit_is_refused(title: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        pdu.A_ASSOCIATE_RQ().called_ae_title = title
    answer = pdu.A_ASSOCIATE_AC()
    answer.reserved_aet = b"YOU"  # type: ignore[assignment]  # bytes are taken too
    assert answer.called_ae_title == "YOU"


@pytest.mark.box("D.pdu.A_ASSOCIATE_AC", "D.pdu_items.PresentationContextItemAC")
@pytest.mark.parametrize(
    ("result", "words"),
    [
        (0, "Accepted"),
        (1, "User Rejection"),
        (2, "Provider Rejection"),
        (3, "Rejected - Abstract Syntax Not Supported"),
        (4, "Rejected - Transfer Syntax Not Supported"),
        (5, "(no value available)"),
    ],
)
def test_an_answer_shows_what_became_of_a_context(result: int, words: str) -> None:
    shown = pdu_of(wire.AssociateAC("YOU", "ME", [wire.ContextResult(1, result)], []))
    (context,) = shown.presentation_context  # type: ignore[attr-defined]
    assert isinstance(context, PresentationContextItemAC)
    assert (context.result, context.result_str) == (result, words)
    assert words in str(shown)
    assert shown.to_primitive().presentation_context_definition_results_list[0].result == result


@pytest.mark.box("D.pdu.A_ASSOCIATE_RJ")
@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ((1, 1, 7), ("Rejected (Permanent)", "DUL service-user", "Called AE title not recognised")),
        (
            (2, 3, 2),
            (
                "Rejected (Transient)",
                "DUL service-provider (presentation related)",
                "Local limit exceeded",
            ),
        ),
        ((1, 2, 5), ("Rejected (Permanent)", "DUL service-provider (ACSE related)", "Reserved")),
        ((3, 1, 1), None),
        ((1, 4, 1), None),
    ],
)
def test_a_rejection_is_shown_in_words(codes: tuple[int, ...], words: Any) -> None:
    shown: Any = pdu_of(wire.AssociateRJ(*codes))
    assert (shown.result, shown.source, shown.reason_diagnostic) == codes
    assert str(shown)
    if words:
        assert (shown.result_str, shown.source_str, shown.reason_str) == words
    else:
        with pytest.raises(ValueError):
            _ = shown.result_str, shown.source_str


@pytest.mark.box("D.pdu.A_ABORT_RQ")
@pytest.mark.parametrize(
    ("source", "reason", "words", "kind"),
    [
        (0, 6, ("DUL service-user", "(no value available)"), A_ABORT),
        (2, 0, ("DUL service-provider", "No reason given"), A_P_ABORT),
        (2, 3, ("DUL service-provider", "Reserved"), A_P_ABORT),
        (2, 6, ("DUL service-provider", "Invalid PDU parameter value"), A_P_ABORT),
        (2, 9, ("DUL service-provider", "(no value available)"), A_P_ABORT),
        (7, 9, ("(no value available)", "(no value available)"), A_ABORT),
    ],
)
def test_an_abort_is_shown_in_words(
    source: int, reason: int, words: tuple[str, str], kind: type
) -> None:
    shown: Any = pdu_of(wire.Abort(source, reason))
    assert (shown.source_str, shown.reason_str) == words
    assert isinstance(shown.to_primitive(), kind)


@pytest.mark.box("D.pdu.P_DATA_TF", "D.pdu_items.PresentationDataValueItem")
def test_fragments_are_shown_with_their_control_headers() -> None:
    shown = pdu.P_DATA_TF(primitive(pdu.P_DATA_TF))
    first, second = shown.presentation_data_value_items
    assert isinstance(first, PresentationDataValueItem)
    assert (first.context_id, first.data) == (1, b"\3command")
    assert first.message_control_header_byte == "00000011"
    assert second.message_control_header_byte == "00000010"
    assert (first.item_length, len(first)) == (9, 13)
    assert first.encode() == b"\0\0\0\x09\1\3command"
    read = PresentationDataValueItem()
    read.decode(first.encode())
    assert read == first
    assert "03 63 6f 6d" in str(shown)


def test_what_is_not_set_cannot_be_encoded() -> None:
    for made in (pdu.A_ASSOCIATE_RJ(), pdu.A_ABORT_RQ(), PresentationContextItemRQ()):
        with pytest.raises(ValueError, match="not set"):
            made.encode()


def test_what_breaks_the_standard_is_refused() -> None:
    for kind in pdu.PDU_TYPES:
        with pytest.raises(RemoteError):
            kind().decode(bytes((pdu.PDU_TYPES[kind], 0, 0, 0, 0, 1, 0)))


def test_what_a_peer_sent_is_shown_whatever_it_is() -> None:
    odd = pairs.request(MaximumLength(100), UnknownItem(0x99, b"?"))
    odd.calling_ae_title = "a\\b\n"
    odd.presentation_contexts[0].abstract_syntax = "1" * 70
    shown: Any = pdu_of(odd)
    assert shown.calling_ae_title == "a\\b\n"
    assert shown.presentation_context[0].abstract_syntax == "1" * 70
    assert [type(each).__name__ for each in shown.user_information.user_data] == [
        "MaximumLengthSubItem"
    ]
    asked = shown.to_primitive()
    assert asked.calling_ae_title == "a\\b\n"
    assert asked.presentation_context_definition_list[0].abstract_syntax == "1" * 70
