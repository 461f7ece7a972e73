"""Turns requests and policies into associations that stand or do not, in memory."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import (
    Aborted,
    Ended,
    LocalError,
    Lost,
    NoContextAccepted,
    Rejected,
    Released,
)
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    MaximumLength,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentity,
    UserIdentityResponse,
)
from dicomwire.protocol.negotiation import SupportedContext, items_of
from dicomwire.protocol.pdus import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ReleaseRP,
    ReleaseRQ,
)
from dicomwire.services import association
from dicomwire.services.association import Identity, Policy
from dicomwire.services.wants import FLUSH, RECEIVE_IDLE, Conversation, Timer
from tests.protocol.pairs import ECHO, SUPPORTED, VERIFICATION, associated, feed, message, request
from tests.services.stage import Side, play

IDENTITY = Identity(16382, "1.2.3", "TEST")


def policy(**changes: Any) -> Policy:
    return Policy(**{"identity": IDENTITY, "supported": SUPPORTED, **changes})


def sides(
    asked: AssociateRQ | None = None, accepting: Policy | None = None, **handlers: Any
) -> tuple[Side, Side]:
    """A requestor and an acceptor that have talked as far as they can."""
    requestor, acceptor = Connection(True), Connection(False)
    one = Side(requestor, association.request(requestor, asked or request()))
    other = Side(acceptor, association.accept(acceptor, accepting or policy()), handlers)
    play(one, other)
    return one, other


def test_an_association_stands_when_it_is_accepted() -> None:
    one, other = sides()
    assert (one.error, other.error) == (None, None)
    assert isinstance(one.result, AssociateAC)
    assert other.result is True
    assert one.connection.established
    assert other.connection.established
    assert [type(pdu) for pdu in other.sent] == [AssociateAC]


def test_the_acceptance_echoes_titles_and_presents_the_acceptor() -> None:
    answer = sides()[0].result
    assert (answer.called_ae_title, answer.calling_ae_title) == ("SCP", "SCU")
    assert answer.user_information == IDENTITY.items()


def test_an_identity_without_version_name_has_no_such_item() -> None:
    assert len(Identity(0, "1.2", None).items()) == 2
    assert Identity(0, "1.2", None).items()[0] == MaximumLength(0)


def test_both_sides_hear_of_the_request_before_anything_is_decided() -> None:
    one, other = sides(accepting=policy(called_title="OTHER"))
    assert one.heard == ["EVT_REQUESTED"]
    assert other.heard == ["EVT_REQUESTED"]
    assert one.timers == other.timers == [Timer.ACSE]


REJECTIONS: list[tuple[str, AssociateRQ, dict[str, Any], tuple[int, int, int]]] = [
    ("application context", AssociateRQ("SCP", "SCU", [], [], "1.2.3"), {}, (1, 1, 2)),
    ("calling title", request(), {"calling_titles": ["OTHER"]}, (1, 1, 3)),
    ("called title", request(), {"called_title": "OTHER"}, (1, 1, 7)),
    ("both titles", request(), {"called_title": "X", "calling_titles": ["Y"]}, (1, 1, 3)),
    ("no contexts", AssociateRQ("SCP", "SCU", []), {}, (1, 2, 1)),
    ("empty called", AssociateRQ("", "SCU", request().presentation_contexts), {}, (1, 1, 7)),
    ("empty calling", AssociateRQ("SCP", "", request().presentation_contexts), {}, (1, 1, 3)),
    ("tiny PDUs", request(MaximumLength(11)), {}, (1, 2, 1)),
    ("no slot", request(), {"claim_slot": lambda: False}, (2, 3, 2)),
]


@pytest.mark.parametrize(
    ("asked", "changes", "codes"),
    [case[1:] for case in REJECTIONS],
    ids=[case[0] for case in REJECTIONS],
)
def test_a_rejection_has_its_reason(
    asked: AssociateRQ, changes: dict[str, Any], codes: tuple[int, int, int]
) -> None:
    one, other = sides(asked, policy(**changes))
    assert other.sent == [AssociateRJ(*codes)]
    assert other.result is False
    assert isinstance(one.error, Rejected)
    assert (one.error.result, one.error.source, one.error.reason) == codes
    for side in (one, other):
        assert isinstance(side.connection.ended, Rejected)
        assert side.connection.machine.state == "Sta1"


@pytest.mark.parametrize(
    ("version", "accepted"), [(0, False), (1, True), (2, False), (0xFFFF, True)]
)
@pytest.mark.box("6.3")
def test_only_bit_0_of_the_protocol_version_counts(version: int, accepted: bool) -> None:
    asked = request()
    asked.protocol_version = version
    one, other = sides(asked)
    assert one.connection.established is accepted
    if not accepted:
        assert other.sent == [AssociateRJ(1, 2, 2)]
        assert isinstance(other.error, Rejected)


def test_a_slot_is_only_taken_by_those_who_may_come_in() -> None:
    taken: list[bool] = []

    def claim() -> bool:
        taken.append(True)
        return True

    sides(accepting=policy(called_title="OTHER", claim_slot=claim))
    assert not taken
    sides(accepting=policy(claim_slot=claim))
    assert taken == [True]


def test_without_a_context_that_was_accepted_the_requestor_aborts() -> None:
    one, other = sides(accepting=policy(supported={"1.2": SupportedContext(("1.2",))}))
    assert isinstance(one.error, Aborted)
    assert isinstance(one.error.__cause__, NoContextAccepted)
    assert "No accepted presentation contexts" in str(one.error)
    assert one.sent[-1] == Abort(0, 0)
    assert isinstance(other.connection.ended, Aborted)
    assert other.connection.ended.by_peer


# -- handlers that decide ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_verified_user_is_answered_as_the_type_says(kind: int, wanted: bool) -> None:
    user = UserIdentity(kind, wanted, b"who", b"secret" if kind == 2 else b"")
    seen: list[UserIdentity] = []

    def verify(user_identity: UserIdentity) -> tuple[bool, bytes]:
        seen.append(user_identity)
        return True, b"ticket"

    one, _ = sides(request(user), EVT_USER_ID=verify)
    assert seen == [user]
    found = items_of(one.result.user_information, UserIdentityResponse)
    expected = [UserIdentityResponse(b"" if kind < 3 else b"ticket")] if wanted else []
    assert found == expected


def raising(**attributes: Any) -> None:
    raise KeyError("of a handler")


@pytest.mark.parametrize(
    "verify",
    [lambda user_identity: (False, None), raising, lambda user_identity: True,
     lambda user_identity: (True,), lambda user_identity: None],
    ids=["no", "raises", "no pair", "too short", "None"],
)  # fmt: skip
def test_a_user_who_is_not_verified_is_rejected(verify: Any) -> None:
    one, other = sides(request(UserIdentity(1, False, b"me")), EVT_USER_ID=verify)
    assert other.sent == [AssociateRJ(1, 2, 1)]
    assert isinstance(one.error, Rejected)


def test_nobody_to_verify_a_user_lets_them_in() -> None:
    one, _ = sides(request(UserIdentity(1, True, b"me")))
    assert one.connection.established
    assert items_of(one.result.user_information, UserIdentityResponse) == []


@pytest.mark.parametrize("response", [None, "text", 7])
def test_a_response_that_is_no_bytes_is_left_out(response: Any) -> None:
    asked = request(UserIdentity(3, True, b"ticket"))
    one, _ = sides(asked, EVT_USER_ID=lambda user_identity: (True, response))
    assert one.connection.established
    assert items_of(one.result.user_information, UserIdentityResponse) == []


EXTENDED = SOPClassExtendedNegotiation(VERIFICATION, b"\1\2")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({VERIFICATION: b"\1"}, [SOPClassExtendedNegotiation(VERIFICATION, b"\1")]),
        ({"1.2.3": b"\1"}, []),
        ({VERIFICATION: "text"}, []),
        (None, []),
        (7, []),
    ],
)
def test_extended_negotiation_is_answered_for_what_was_asked(answer: Any, expected: Any) -> None:
    one, _ = sides(request(EXTENDED), EVT_SOP_EXTENDED=lambda app_info: answer)
    assert items_of(one.result.user_information, SOPClassExtendedNegotiation) == expected


def test_extended_negotiation_shows_what_was_asked_even_if_nothing() -> None:
    seen: list[Any] = []
    sides(request(EXTENDED), EVT_SOP_EXTENDED=lambda app_info: seen.append(app_info))
    sides(request(), EVT_SOP_EXTENDED=lambda app_info: seen.append(app_info))
    assert seen == [{VERIFICATION: b"\1\2"}, {}]


def test_common_extended_negotiation_is_shown_and_never_answered() -> None:
    common = SOPClassCommonExtendedNegotiation(VERIFICATION, "1.2", ["1.3"])
    seen: list[Any] = []

    def take(items: Any) -> Any:
        seen.append(items)
        return items

    one, _ = sides(request(common), EVT_SOP_COMMON=take)
    assert seen == [{VERIFICATION: common}]
    assert items_of(one.result.user_information, SOPClassCommonExtendedNegotiation) == []


@pytest.mark.parametrize(
    ("proposed", "returns", "supported", "answered"),
    [
        ((5, 6), None, (1, 1), None),
        ((5, 6), None, (3, 0), (3, 6)),
        ((0, 0), None, (8, 2), (8, 2)),
        ((1, 1), (5, 6), (8, 2), None),
        ((5, 6), (3, 4), (1, 1), (3, 4)),
        ((5, 6), (9, 0), (1, 1), (5, 6)),
        ((5, 6), (1, 1), (8, 2), (1, 1)),
        ((5, 6), ValueError(), (8, 2), (1, 1)),
        ((5, 6), 7, (8, 2), (1, 1)),
        ((5, 6), (-1, 70000), (8, 2), (1, 1)),
        ((5, 6), ("3", 4), (8, 2), (1, 1)),
    ],
    ids=["off", "settings", "unlimited", "one by one", "handler", "at most what was proposed",
         "handler against settings", "raises", "no pair", "no such numbers", "no numbers"],
)  # fmt: skip
def test_an_operations_window_is_answered(
    proposed: tuple[int, int],
    returns: Any,
    supported: tuple[int, int],
    answered: tuple[int, int] | None,
) -> None:
    def handler(nr_invoked: int, nr_performed: int) -> Any:
        assert (nr_invoked, nr_performed) == proposed
        if isinstance(returns, Exception):
            raise returns
        return returns

    handlers = {} if returns is None else {"EVT_ASYNC_OPS": handler}
    asked = request(AsynchronousOperationsWindow(*proposed))
    one, other = sides(asked, policy(window=supported), **handlers)
    found = items_of(one.result.user_information, AsynchronousOperationsWindow)
    assert [each.numbers for each in found] == ([] if answered is None else [answered])
    assert ("EVT_ASYNC_OPS" in other.heard) is (proposed != (1, 1))
    invoked, performed = answered or (1, 1)
    assert one.connection.may_invoke == invoked
    assert other.connection.may_invoke == performed


def test_all_negotiations_are_answered_together() -> None:
    user, window = UserIdentity(1, True, b"me"), AsynchronousOperationsWindow(5, 6)
    one, other = sides(
        request(EXTENDED, user, window),
        EVT_USER_ID=lambda user_identity: (True, None),
        EVT_SOP_EXTENDED=lambda app_info: app_info,
        EVT_SOP_COMMON=lambda items: {},
        EVT_ASYNC_OPS=lambda nr_invoked, nr_performed: (2, 1),
    )
    kinds = (UserIdentityResponse, SOPClassExtendedNegotiation, AsynchronousOperationsWindow)
    answered = [items_of(one.result.user_information, kind) for kind in kinds]
    expected = UserIdentityResponse(b""), EXTENDED, AsynchronousOperationsWindow(2, 1)
    assert answered == [[each] for each in expected]
    assert [event for event in other.heard if event != "EVT_REQUESTED"] == [
        *("EVT_USER_ID", "EVT_SOP_EXTENDED", "EVT_SOP_COMMON", "EVT_ASYNC_OPS")
    ]


@pytest.mark.parametrize("event", ["EVT_SOP_EXTENDED", "EVT_SOP_COMMON"])
def test_a_negotiation_handler_that_raises_keeps_nobody_out(event: str) -> None:
    items: list[AnyUserItem] = [EXTENDED]
    one, _ = sides(request(*items), **{event: raising})
    assert one.connection.established


@pytest.mark.parametrize("event", ["EVT_REQUESTED", "EVT_SOP_COMMON"])
def test_a_handler_of_the_acceptor_may_abort(event: str) -> None:
    requestor, acceptor = Connection(True), Connection(False)

    def abort(**attributes: Any) -> None:
        acceptor.step(Abort())

    one = Side(requestor, association.request(requestor, request()))
    other = Side(acceptor, association.accept(acceptor, policy()), {event: abort})
    play(one, other)
    assert other.sent == [Abort(0, 0)]
    assert other.result is False
    assert isinstance(one.error, Aborted)


def test_a_handler_of_the_requestor_may_abort_before_anything_is_sent() -> None:
    connection = Connection(True)
    side = Side(
        connection,
        association.request(connection, request()),
        {"EVT_REQUESTED": lambda: connection.step(Abort())},
    )
    side.advance()
    assert isinstance(side.error, Aborted)
    assert side.sent == []


def test_a_peer_that_goes_away_ends_both_waits() -> None:
    requestor, acceptor = Connection(True), Connection(False)
    one = Side(requestor, association.request(requestor, request()))
    other = Side(acceptor, association.accept(acceptor, policy()))
    for side in (one, other):
        side.advance()
        side.connection.closed()
        side.advance()
        assert isinstance(side.error, Lost)


# -- the end -------------------------------------------------------------------------------


def waits(connection: Connection) -> Conversation[None]:
    """Answer a release, and nothing else."""
    while True:
        event = yield RECEIVE_IDLE
        if isinstance(event, ReleaseRQ):
            yield from association.answer_release(connection)
            return


@pytest.fixture(params=[True, False], ids=["requestor", "acceptor"])
def pair(request: pytest.FixtureRequest) -> tuple[Connection, Connection]:
    """Two associated connections; the first is the one that acts."""
    requestor, acceptor = associated()
    return (requestor, acceptor) if request.param else (acceptor, requestor)


def test_either_side_can_release(pair: tuple[Connection, Connection]) -> None:
    one, other = Side(pair[0], association.release(pair[0])), Side(pair[1], waits(pair[1]))
    play(one, other)
    assert one.done
    assert other.done
    assert (one.error, other.error) == (None, None)
    assert (one.sent, other.sent) == ([ReleaseRQ()], [ReleaseRP()])
    for connection, by_peer in zip(pair, (False, True), strict=True):
        assert isinstance(connection.ended, Released)
        assert connection.ended.by_peer is by_peer
        assert connection.machine.state == "Sta1"


def test_both_sides_can_release_at_once() -> None:
    requestor, acceptor = associated()
    one = Side(requestor, association.release(requestor))
    other = Side(acceptor, association.release(acceptor))
    one.advance()
    other.advance()
    play(one, other)
    for side in (one, other):
        assert (side.done, side.error) == (True, None)
        assert side.sent == [ReleaseRQ(), ReleaseRP()]
        assert isinstance(side.connection.ended, Released)
        assert side.connection.machine.state == "Sta1"


def test_a_message_during_a_release_is_ignored_and_told() -> None:
    requestor, acceptor = associated()
    one = Side(requestor, association.release(requestor))
    one.advance()
    requestor.events.clear()
    feed(requestor, message(1, ECHO))
    feed(requestor, ReleaseRP().encode())
    one.advance()
    assert one.heard == ["message ignored: it came during the release"]
    assert (one.done, one.error) == (True, None)
    assert isinstance(requestor.ended, Released)
    assert acceptor.established


def test_an_abort_instead_of_the_answer_to_a_release_is_the_end() -> None:
    requestor, acceptor = associated()

    def aborts() -> Conversation[Ended]:
        yield RECEIVE_IDLE
        return (yield from association.abort(acceptor))

    one, other = Side(requestor, association.release(requestor)), Side(acceptor, aborts())
    play(one, other)
    assert isinstance(one.error, Aborted)
    assert one.error.by_peer


def test_a_release_of_what_is_over_says_why() -> None:
    requestor, _ = associated()
    requestor.step(Abort())
    side = Side(requestor, association.release(requestor))
    side.advance()
    assert side.error is requestor.ended
    assert isinstance(side.error, Aborted)


def test_a_release_that_the_peer_asked_for_first_answers_it() -> None:
    requestor, acceptor = associated()
    other = Side(acceptor, association.release(acceptor))
    other.advance()
    feed(requestor, other.wire())
    one = Side(requestor, association.release(requestor))
    play(one, other)
    assert one.sent == [ReleaseRP()]
    assert (one.done, one.error) == (True, None)
    assert (other.done, other.error) == (True, None)


def test_an_abort_keeps_its_cause_and_happens_once() -> None:
    requestor, acceptor = associated()
    cause = LocalError("the disk is gone")
    one = Side(requestor, association.abort(requestor, cause))
    play(one, Side(acceptor, waits(acceptor)))
    assert one.result is requestor.ended
    assert one.result.__cause__ is cause
    assert one.sent == [Abort(0, 0)]
    again = Side(requestor, association.abort(requestor))
    again.advance()
    assert again.result is one.result
    assert again.sent == []


def test_what_a_side_flushes_is_what_it_wants() -> None:
    assert repr(FLUSH)  # one object, shared
    requestor, _ = associated()
    assert next(association.release(requestor)) is FLUSH


@pytest.mark.parametrize(
    ("changes", "user", "tries"),
    [
        ({}, False, 0),
        ({}, True, 1),
        ({"called_title": "SCP"}, False, 1),
        ({"calling_titles": ["SCU"]}, False, 1),
        ({"may_call": lambda title: True}, False, 1),
    ],
)
def test_an_attempt_is_what_could_fail(changes: dict[str, Any], user: bool, tries: int) -> None:
    said: list[str] = []
    accepting = policy(
        may_try=lambda: not said.append("tries"), passed=lambda: said.append("passed"), **changes
    )
    asked = request()
    if user:
        asked.user_information.append(UserIdentity(1, False, b"me"))
    assert sides(asked, accepting)[1].result is True
    assert said == ["tries", "passed"] * tries


def test_who_may_not_try_is_told_to_come_later_and_no_handler_is_asked() -> None:
    asked = request()
    asked.user_information.append(UserIdentity(1, False, b"me"))
    _, other = sides(asked, policy(may_try=lambda: False), EVT_USER_ID=lambda **_: 1 / 0)
    assert other.sent == [AssociateRJ(2, 3, 1)]
