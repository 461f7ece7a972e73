"""What is proposed and supported leads to the answer that PS3.8 9.3.3 and PS3.7 Annex D have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.errors import InvalidParameter
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    MaximumLength,
    RoleSelection,
)
from dicomwire.protocol.negotiation import (
    AcceptedContext,
    Roles,
    SupportedContext,
    agreed_window,
    answer_contexts,
    check_request,
    fragment_length,
    grant_window,
    items_of,
    maximum_length,
    negotiate_roles,
    proposed_roles,
    read_answer,
)
from dicomwire.protocol.pdus import (
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ProposedContext,
)
from tests.protocol.pairs import CT, EXPLICIT, IMPLICIT, request

T, F, N = True, False, None
DEFAULT, INVERTED, BOTH, REJECTED = (T, F), (F, T), (T, T), None
PAIRS = [(T, T), (T, F), (F, T), (F, F)]

# proposal, the acceptor's setting, the requestor's roles
ROLES = [
    *((None, (scu, scp), DEFAULT) for scu in (T, F, N) for scp in (T, F, N)),
    *((pair, (N, N), DEFAULT) for pair in PAIRS),
    *((pair, (N, T), DEFAULT) for pair in PAIRS),
    *((pair, (T, N), DEFAULT) for pair in PAIRS),
    ((T, T), (T, T), BOTH),
    ((T, T), (T, F), DEFAULT),
    ((T, T), (F, T), INVERTED),
    ((T, T), (F, F), REJECTED),
    ((T, F), (T, T), DEFAULT),
    ((T, F), (T, F), DEFAULT),
    ((T, F), (F, T), REJECTED),
    ((T, F), (F, F), REJECTED),
    ((F, T), (T, T), INVERTED),
    ((F, T), (T, F), REJECTED),
    ((F, T), (F, T), INVERTED),
    ((F, T), (F, F), REJECTED),
    *(((F, F), pair, REJECTED) for pair in PAIRS),
]


@pytest.mark.parametrize(("proposal", "setting", "outcome"), ROLES)
def test_role_selection(
    proposal: tuple[bool, bool] | None,
    setting: tuple[bool | None, bool | None],
    outcome: tuple[bool, bool] | None,
) -> None:
    supported = SupportedContext((IMPLICIT,), *setting)
    found = negotiate_roles(proposal, supported)
    if outcome is None:
        assert found is None
    else:
        silent = proposal is None or None in setting
        assert found == Roles(*outcome, None if silent else outcome)


@pytest.mark.parametrize(("proposal", "setting", "outcome"), ROLES)
def test_role_selection_as_both_sides_see_it(
    proposal: tuple[bool, bool] | None,
    setting: tuple[bool | None, bool | None],
    outcome: tuple[bool, bool] | None,
) -> None:
    asked = request(contexts=[ProposedContext(5, CT, (IMPLICIT,))])
    if proposal is not None:
        asked.user_information.append(RoleSelection(CT, *proposal))
    answer = answer_contexts(
        asked.presentation_contexts,
        {CT: SupportedContext((IMPLICIT,), *setting)},
        proposed_roles(asked.user_information),
    )
    came = AssociateAC("SCP", "SCU", answer.results, [*answer.roles])
    seen = read_answer(asked, came)
    if outcome is None:
        assert answer.results == seen.rejected == [ContextResult(5, 1, IMPLICIT)]
        assert not answer.accepted
        assert not answer.roles
        assert not seen.accepted
        return
    scu, scp = outcome
    assert seen.accepted == [AcceptedContext(5, CT, IMPLICIT, scu, scp)]
    assert answer.accepted == [AcceptedContext(5, CT, IMPLICIT, as_scu=scp, as_scp=scu)]
    for role in answer.roles:  # PS3.7 D.3.3.4: never 1 where 0 was proposed
        assert proposal is not None
        assert role.scu_role <= proposal[0]
        assert role.scp_role <= proposal[1]


def test_the_first_of_several_role_items_counts() -> None:
    items = [RoleSelection("1.2", T, F), RoleSelection("1.2", F, T), RoleSelection("1.3", F, T)]
    assert proposed_roles(items) == {"1.2": (T, F), "1.3": (F, T)}


def test_one_role_item_for_a_class_in_several_contexts() -> None:
    contexts = [ProposedContext(n, CT, (IMPLICIT,)) for n in (1, 3, 5)]
    answer = answer_contexts(contexts, {CT: SupportedContext((IMPLICIT,), T, T)}, {CT: (F, T)})
    assert answer.roles == [RoleSelection(CT, F, T)]
    assert [each.as_scu for each in answer.accepted] == [T, T, T]


def test_roles_for_what_was_not_proposed_are_not_answered() -> None:
    supported = {CT: SupportedContext((IMPLICIT,), T, T)}
    answer = answer_contexts([ProposedContext(1, CT, (IMPLICIT,))], supported, {"1.9": (T, T)})
    assert answer.roles == []


def test_a_role_that_was_not_asked_for_is_not_taken() -> None:
    contexts = [ProposedContext(1, CT, (IMPLICIT,))]
    results = [ContextResult(1, 0, IMPLICIT)]
    for asked, given_roles, expected in (
        ((T, F), (T, T), (T, F)),
        ((F, T), (T, T), (F, T)),
        (None, (T, T), (T, F)),
        ((T, T), None, (T, F)),
    ):
        sent = AssociateRQ("SCP", "SCU", contexts, [RoleSelection(CT, *asked)] if asked else [])
        came = AssociateAC(
            "SCP", "SCU", results, [RoleSelection(CT, *given_roles)] if given_roles else []
        )
        (found,) = read_answer(sent, came).accepted
        assert (found.as_scu, found.as_scp) == expected


def test_every_result() -> None:
    proposed = [
        ProposedContext(9, "1.1", (IMPLICIT, EXPLICIT)),
        ProposedContext(1, "1.2", (EXPLICIT,)),
        ProposedContext(255, "1.3", (EXPLICIT, "1.9")),
        ProposedContext(3, "1.4", ("1.8", "1.9")),
    ]
    supported = {
        "1.1": SupportedContext((EXPLICIT, IMPLICIT)),
        "1.2": SupportedContext((EXPLICIT,), F, F),
        "1.4": SupportedContext((IMPLICIT,)),
    }
    answer = answer_contexts(proposed, supported, {"1.2": (T, F)})
    assert answer.results == [  # in the order of the IDs; each proposed context is answered
        ContextResult(1, 1, EXPLICIT),
        ContextResult(3, 4, "1.8"),
        ContextResult(9, 0, EXPLICIT),
        ContextResult(255, 3, EXPLICIT),
    ]
    assert answer.accepted == [AcceptedContext(9, "1.1", EXPLICIT, as_scu=F, as_scp=T)]


@pytest.mark.parametrize("offered", [(IMPLICIT, EXPLICIT), (EXPLICIT, IMPLICIT)])
@pytest.mark.parametrize("ours", [(IMPLICIT, EXPLICIT), (EXPLICIT, IMPLICIT), (IMPLICIT,)])
def test_the_acceptors_order_decides(offered: tuple[str, ...], ours: tuple[str, ...]) -> None:
    answer = answer_contexts([ProposedContext(1, CT, offered)], {CT: SupportedContext(ours)})
    assert answer.results == [ContextResult(1, 0, ours[0])]


def test_accept_any_takes_the_first_that_was_proposed() -> None:
    proposed = [
        ProposedContext(1, "1.1", (EXPLICIT, IMPLICIT)),
        ProposedContext(3, "1.2", (EXPLICIT,)),
        ProposedContext(5, "2.1", ("1.9", EXPLICIT)),
    ]
    supported = {"1.1": SupportedContext((IMPLICIT,)), "1.2": SupportedContext((IMPLICIT,))}
    answer = answer_contexts(proposed, supported, None, lambda uid: uid.startswith(("1", "2.")))
    # what is supported is negotiated as always, also when it is refused for that
    assert answer.results == [
        ContextResult(1, 0, IMPLICIT),
        ContextResult(3, 4, EXPLICIT),
        ContextResult(5, 0, "1.9"),
    ]
    nothing = answer_contexts(proposed, {}, None, lambda uid: False)
    assert {each.result for each in nothing.results} == {3}


def test_an_acceptor_without_contexts_answers_3() -> None:
    answer = answer_contexts(request().presentation_contexts, {})
    assert [each.result for each in answer.results] == [3, 3]
    assert answer.accepted == []


@pytest.mark.parametrize("junk", ["", "1" * 65, "1.ü", "1..2", "x" * 60000])
def test_the_answer_to_any_uid_can_be_sent(junk: str) -> None:
    uid = junk.encode("ascii", "backslashreplace").decode()
    for context in (ProposedContext(1, uid, (IMPLICIT,)), ProposedContext(1, CT, (uid,))):
        answer = answer_contexts([context], {CT: SupportedContext((IMPLICIT,))})
        assert answer.results[0].result == (4 if context.abstract_syntax == CT else 3)
        assert len(answer.results[0].encode()) < 100


# -- the requestor's side ------------------------------------------------------------------


def answered(*results: ContextResult) -> AssociateAC:
    return AssociateAC("SCP", "SCU", [*results], [])


def test_contexts_that_are_not_answered_are_rejected() -> None:
    outcome = read_answer(request(), answered(ContextResult(3, 0, EXPLICIT)))
    assert outcome.accepted == [AcceptedContext(3, CT, EXPLICIT, T, F)]
    assert outcome.rejected == [ContextResult(1, 2)]


def test_every_reason_for_a_rejection_is_kept() -> None:
    contexts = [ProposedContext(n, CT, (IMPLICIT,)) for n in (1, 3, 5, 7)]
    results = [ContextResult(2 * n - 1, n, "") for n in (4, 3, 2, 1)]
    outcome = read_answer(request(contexts=contexts), answered(*results))
    assert outcome.accepted == []
    assert {each.context_id: each.result for each in outcome.rejected} == {1: 1, 3: 2, 5: 3, 7: 4}


@pytest.mark.parametrize(
    "result",
    [
        ContextResult(5, 0, IMPLICIT),
        ContextResult(5, 3, IMPLICIT),
        ContextResult(1, 5, IMPLICIT),
        ContextResult(1, 255, IMPLICIT),
        ContextResult(1, 0, EXPLICIT),
        ContextResult(1, 0, ""),
    ],
)
def test_bogus_answers(result: ContextResult) -> None:
    with pytest.raises(InvalidParameter):
        read_answer(request(), answered(ContextResult(3, 0, EXPLICIT), result))


def test_the_transfer_syntax_of_a_rejected_context_is_not_significant() -> None:
    outcome = read_answer(request(), answered(ContextResult(1, 4, "9.9.9")))
    assert [each.result for each in outcome.rejected] == [4, 2]


contexts = st.lists(
    st.builds(
        ProposedContext,
        st.integers(0, 127).map(lambda n: 2 * n + 1),
        st.sampled_from(["1.1", "1.2", "1.3"]),
        st.lists(st.sampled_from(["2.1", "2.2", "2.3"]), min_size=1, max_size=4).map(tuple),
    ),
    max_size=10,
    unique_by=lambda context: context.context_id,
)
flag = st.sampled_from([None, True, False])
supports = st.dictionaries(
    st.sampled_from(["1.1", "1.2", "1.3"]),
    st.builds(
        SupportedContext,
        st.lists(st.sampled_from(["2.1", "2.2", "2.3"]), max_size=3).map(tuple),
        flag,
        flag,
    ),
)
role_items = st.lists(
    st.builds(RoleSelection, st.sampled_from(["1.1", "1.2"]), st.booleans(), st.booleans()),
    max_size=3,
)


@given(contexts, supports, role_items)
def test_both_sides_agree_whatever_is_proposed(
    proposed: list[ProposedContext],
    supported: dict[str, SupportedContext],
    roles: list[RoleSelection],
) -> None:
    asked = AssociateRQ("SCP", "SCU", proposed, [*roles])
    answer = answer_contexts(proposed, supported, proposed_roles(roles))
    seen = read_answer(asked, AssociateAC("SCP", "SCU", answer.results, [*answer.roles]))
    mirrored = [each._replace(as_scu=each.as_scp, as_scp=each.as_scu) for each in answer.accepted]
    assert sorted(seen.accepted, key=lambda each: each.context_id) == mirrored
    assert len(seen.accepted) + len(seen.rejected) == len(proposed)
    assert all(each.as_scu or each.as_scp for each in seen.accepted)


# -- may it be accepted at all -------------------------------------------------------------


def test_nothing_against_it() -> None:
    for our_title in (None, "SCP", " SCP "):
        for callers in ((), ("OTHER", "SCU"), (" SCU ",)):
            assert check_request(request(), our_title, callers) is None


@pytest.mark.parametrize(
    ("asked", "rejection"),
    [
        (request().replace(application_context_name="1.2.3"), AssociateRJ(1, 1, 2)),
        (request().replace(calling_ae_title=""), AssociateRJ(1, 1, 3)),
        (request().replace(calling_ae_title="STRANGER"), AssociateRJ(1, 1, 3)),
        (request().replace(calling_ae_title="scu"), AssociateRJ(1, 1, 3)),
        (request().replace(called_ae_title=""), AssociateRJ(1, 1, 7)),
        (request().replace(called_ae_title="OTHER"), AssociateRJ(1, 1, 7)),
        (request().replace(presentation_contexts=[]), AssociateRJ(1, 2, 1)),
        (request(MaximumLength(1)), AssociateRJ(1, 2, 1)),
        (request(MaximumLength(31)), AssociateRJ(1, 2, 1)),
    ],
)
def test_every_reason_to_reject(asked: AssociateRQ, rejection: AssociateRJ) -> None:
    assert check_request(asked, "SCP", ["SCU", "SCU2"]) == rejection


@pytest.mark.parametrize("title", ["", " ", "A\r\nB", "\x1b[2J", "A\\xe9", "X" * 17, "A\0B"])
def test_titles_that_could_not_be_echoed_are_nobodys(title: str) -> None:
    assert check_request(request().replace(calling_ae_title=title)) == AssociateRJ(1, 1, 3)
    assert check_request(request().replace(called_ae_title=title)) == AssociateRJ(1, 1, 7)


@pytest.mark.parametrize("length", [0, 32, 16384, 0xFFFFFFFF])
def test_maximum_lengths_that_will_do(length: int) -> None:
    assert check_request(request(MaximumLength(length))) is None


# -- numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proposed", "supported", "granted"),
    [
        ((1, 1), (1, 1), (1, 1)),
        ((0, 0), (0, 0), (0, 0)),
        ((0, 0), (5, 3), (5, 3)),
        ((65535, 65535), (5, 0), (5, 65535)),
        ((4, 2), (0, 0), (4, 2)),
        ((4, 2), (8, 1), (4, 1)),
        ((0, 1), (1, 1), (1, 1)),
    ],
)
def test_grant_window(
    proposed: tuple[int, int], supported: tuple[int, int], granted: tuple[int, int]
) -> None:
    assert grant_window(proposed, supported) == granted


@pytest.mark.parametrize(
    ("proposed", "answered", "window"),
    [
        (None, None, (1, 1)),
        ((5, 6), None, (1, 1)),
        (None, (5, 6), (1, 1)),
        ((5, 6), (3, 4), (3, 4)),
        ((5, 6), (9, 0), (5, 6)),
        ((0, 0), (7, 0), (7, 0)),
    ],
    ids=["nobody", "no answer", "unasked", "less", "more than proposed", "unlimited"],
)
def test_agreed_window(
    proposed: tuple[int, int] | None, answered: tuple[int, int] | None, window: tuple[int, int]
) -> None:
    asked, given = (
        [AsynchronousOperationsWindow(*numbers)] if numbers else []
        for numbers in (proposed, answered)
    )
    assert agreed_window(asked, given) == window


def test_maximum_length() -> None:
    assert maximum_length([]) == 16384
    assert maximum_length([RoleSelection(), MaximumLength(7)]) == 7
    assert maximum_length([MaximumLength(0)]) == 0
    items: list[AnyUserItem] = [RoleSelection("1"), MaximumLength(1), RoleSelection("2")]
    assert items_of(items, RoleSelection) == [items[0], items[2]]


@pytest.mark.parametrize(
    ("peer", "cap", "fragment"),
    [
        (16382, 0x20000, 16370),
        (16384, 0x20000, 16372),
        (0, 0x20000, 0x20000 - 12),
        (0xFFFFFFFF, 0x20000, 0x20000 - 12),
        (0, 4096, 4084),
        (33, 0x20000, 20),
        (14, 0x20000, 2),
        (1, 0x20000, 2),
    ],
)
def test_fragment_length(peer: int, cap: int, fragment: int) -> None:
    assert fragment_length(peer, cap) == fragment


@given(st.integers(14, 1 << 32), st.integers(14, 1 << 20))
def test_a_fragment_with_its_headers_never_overruns(peer: int, cap: int) -> None:
    fragment = fragment_length(peer, cap)
    assert fragment % 2 == 0
    assert fragment + 12 <= min(peer, cap)
