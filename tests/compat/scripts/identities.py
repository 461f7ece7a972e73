"""User identities of each type.

boxes: 6.4
"""

from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import Verification

LOCAL = "127.0.0.1"

# user identities: who is let in, and who gets an answer
answers = {
    1: (True, None),
    2: (True, None),
    3: (True, "no bytes"),
    4: (True, b"saml"),
    5: (False, None),
}
asked = []


def judge(event):
    asked.append(event.user_id_type)
    return answers[event.user_id_type]


def identity(kind):
    item = UserIdentityNegotiation()
    item.user_identity_type = kind
    item.positive_response_requested = kind > 2
    item.primary_field = b"who"
    item.secondary_field = b"pass" if kind == 2 else None
    return item


scp = AE()
scp.add_supported_context(Verification)
ae = AE()
ae.add_requested_context(Verification)
server = scp.start_server((LOCAL, 0), block=False, evt_handlers=[(evt.EVT_USER_ID, judge)])
for kind, (verified, _) in answers.items():
    assoc = ae.associate(LOCAL, server.server_address[1], ext_neg=[identity(kind)])
    assert assoc.is_established == verified, (kind, assoc.is_rejected, assoc.is_aborted)
    assert assoc.is_rejected != verified, kind
    if kind == 4:
        assert assoc.acceptor.user_identity.server_response == b"saml"
    assoc.release()
assert asked == [1, 2, 3, 4, 5]
server.shutdown()
server = scp.start_server((LOCAL, 0), block=False)
assoc = ae.associate(LOCAL, server.server_address[1], ext_neg=[identity(1)])
assert assoc.is_established  # nobody cares
assoc.release()
scp.shutdown()
