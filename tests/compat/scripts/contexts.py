"""Presentation contexts and their negotiation, as functions.

boxes: 5.1 5.2 5.3 5.4 5.5 5.6 5.t
"""

from pydicom.uid import UID
from pynetdicom import build_context, build_role
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import *  # noqa: F403
from pynetdicom.presentation import (
    PresentationContext,
    PresentationContextTuple,
    negotiate_as_acceptor,
    negotiate_as_requestor,
    negotiate_unrestricted,
)

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
VERIFICATION = "1.2.840.10008.1.1"


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


assert len(StoragePresentationContexts) == 120  # noqa: F405
assert len(VerificationPresentationContexts) == 1  # noqa: F405

pair = PresentationContextTuple(1, CT, IMPLICIT)
assert (pair.context_id, pair.abstract_syntax, pair.transfer_syntax) == (1, CT, IMPLICIT)
assert tuple(pair) == (1, CT, IMPLICIT)

context = PresentationContext()
assert (context.context_id, context.abstract_syntax, context.result) == (None, None, None)
assert context.transfer_syntax == []
for wrong in (0, 2, 256, 257, -1):
    assert refused(ValueError, setattr, context, "context_id", wrong), wrong
context.context_id = 255
for given in (CT, CT.encode(), UID(CT)):
    context.abstract_syntax = given
    assert isinstance(context.abstract_syntax, UID)
    assert context.abstract_syntax == CT
assert refused(TypeError, setattr, context, "abstract_syntax", 1.2)
assert refused(ValueError, setattr, context, "abstract_syntax", "1" * 65)
context.abstract_syntax = "1.2.03"  # only a warning
assert refused(TypeError, setattr, context, "transfer_syntax", IMPLICIT)
context.transfer_syntax = [IMPLICIT, EXPLICIT, IMPLICIT]
assert context.transfer_syntax == [IMPLICIT, EXPLICIT]
context.add_transfer_syntax(None)
context.add_transfer_syntax(1234)
context.add_transfer_syntax(BIG.encode())
assert context.transfer_syntax == [IMPLICIT, EXPLICIT, BIG]
assert context.status == "Pending"
texts = ["Accepted", "User Rejected", "Provider Rejected", "Abstract Syntax Not Supported"]
for number, text in enumerate([*texts, "Transfer Syntax(es) Not Supported"]):
    context.result = number
    assert context.status == text, number
context.result = None
assert (context.scu_role, context.scp_role) == (None, None)
context.scu_role = True
assert refused(TypeError, setattr, context, "scp_role", "yes")
assert (context.as_scu, context.as_scp) == (None, None)
same, other = build_context(CT), build_context(CT)
assert same == other
assert hash(same) == hash(other)
other.context_id = 3
assert same != other
assert repr(same) == "CT Image Storage"
one = build_context(CT, IMPLICIT)
one.context_id = 3
assert one.as_tuple == (3, CT, IMPLICIT)
lines = str(one).splitlines()
assert lines[0] == "ID: 3"
assert lines[1] == "Abstract Syntax: CT Image Storage"
assert lines[2].startswith("Transfer Syntax")
assert lines[3] == "    =Implicit VR Little Endian"

assert len(build_context(CT).transfer_syntax) == 4
assert build_context(CT, EXPLICIT).transfer_syntax == [EXPLICIT]
assert build_context(CT, [EXPLICIT, BIG]).transfer_syntax == [EXPLICIT, BIG]
role = build_role(CT, scu_role=True, scp_role=True)
assert isinstance(role, SCP_SCU_RoleSelectionNegotiation)
assert (role.sop_class_uid, role.scu_role, role.scp_role) == (CT, True, True)
role = build_role(CT)
assert (role.scu_role, role.scp_role) == (False, False)


def numbered(*contexts):
    """Contexts with IDs."""
    for index, each in enumerate(contexts):
        each.context_id = 2 * index + 1
    return list(contexts)


def asked(*pairs):
    """Contexts as a requestor proposes them."""
    return numbered(*(build_context(*pair) for pair in pairs))


# the acceptor's order decides; each context is answered, in the order of the IDs
rq = asked((CT, [IMPLICIT, EXPLICIT]), (MR, [BIG]), (VERIFICATION, [IMPLICIT]))
ac = [build_context(CT, [EXPLICIT, IMPLICIT]), build_context(MR, [IMPLICIT])]
answered, roles = negotiate_as_acceptor(rq[::-1], ac)
assert [(each.context_id, each.result) for each in answered] == [(1, 0), (3, 4), (5, 3)]
assert answered[0].transfer_syntax == [EXPLICIT]
assert answered[1].transfer_syntax[0] == BIG
assert roles == []
answered, roles = negotiate_as_acceptor(rq, [])
assert [each.result for each in answered] == [3, 3, 3]
assert (negotiate_as_acceptor([], ac)) == ([], [])

# the requestor's side of it
rq = asked((CT, [IMPLICIT, EXPLICIT]), (MR, [IMPLICIT]))
answer = numbered(build_context(CT, [EXPLICIT]))
answer[0].result = 0
found = negotiate_as_requestor(rq, answer)
assert [(each.context_id, each.result) for each in found] == [(1, 0), (3, 2)]
assert found[0].transfer_syntax == [EXPLICIT]
assert (found[0].as_scu, found[0].as_scp) == (True, False)
assert refused(ValueError, negotiate_as_requestor, [], answer)

# role selection: what is proposed, what the acceptor allows, what the requestor may be
YES, NO = True, False
TABLE = {
    ((YES, YES), (YES, YES)): (YES, YES, YES, YES),
    ((YES, YES), (YES, NO)): (YES, NO, NO, YES),
    ((YES, YES), (NO, YES)): (NO, YES, YES, NO),
    ((YES, YES), (NO, NO)): None,
    ((YES, NO), (YES, NO)): (YES, NO, NO, YES),
    ((YES, NO), (YES, YES)): (YES, NO, NO, YES),
    ((YES, NO), (NO, NO)): None,
    ((YES, NO), (NO, YES)): None,
    ((NO, YES), (NO, YES)): (NO, YES, YES, NO),
    ((NO, YES), (YES, YES)): (NO, YES, YES, NO),
    ((NO, YES), (NO, NO)): None,
    ((NO, YES), (YES, NO)): None,
}
for (proposal, allowed), outcome in TABLE.items():
    rq, ac = asked((CT, [IMPLICIT])), [build_context(CT, IMPLICIT)]
    ac[0].scu_role, ac[0].scp_role = allowed
    answered, roles = negotiate_as_acceptor(rq, ac, {UID(CT): proposal})
    assert answered[0].result == (1 if outcome is None else 0), (proposal, allowed)
    for item in roles:
        assert not (item.scu_role and not proposal[0])
        assert not (item.scp_role and not proposal[1])
    if outcome is None:
        continue
    back = numbered(build_context(CT, [IMPLICIT]))
    back[0].result = 0
    given = {UID(CT): (item.scu_role, item.scp_role) for item in roles}
    mine = asked((CT, [IMPLICIT]))
    mine[0].scu_role, mine[0].scp_role = proposal
    shown = negotiate_as_requestor(mine, back, given)[0]
    have = (shown.as_scu, shown.as_scp, answered[0].as_scu, answered[0].as_scp)
    assert have == outcome, (proposal, allowed, have)
for proposal in (None, (YES, YES)):
    ac = [build_context(CT, IMPLICIT)]
    proposed = {UID(CT): proposal} if proposal else None
    answered, roles = negotiate_as_acceptor(asked((CT, [IMPLICIT])), ac, proposed)
    assert (answered[0].as_scu, answered[0].as_scp, roles) == (False, True, [])

# storage, private and unknown ones are accepted as they are proposed
rq = asked((CT, [BIG, IMPLICIT]), ("1.2.3.4", [EXPLICIT]), (VERIFICATION, [IMPLICIT]))
answered, roles = negotiate_unrestricted(rq, [])
assert [(each.context_id, each.result) for each in answered] == [(1, 0), (3, 0), (5, 3)]
assert [each.transfer_syntax[0] for each in answered[:2]] == [BIG, EXPLICIT]
