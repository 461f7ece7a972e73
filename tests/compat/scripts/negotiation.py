"""User identity, extended negotiation and what a rejected or refused peer is told.

boxes: 6.4
"""

from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation, UserIdentityNegotiation
from pynetdicom.sop_class import PatientRootQueryRetrieveInformationModelFind, Verification

extended = []


def on_user(event):
    assert event.user_id_type == 2
    return event.primary_field == b"ann" and event.secondary_field == b"secret", None


def on_extended(event):
    extended.append(dict(event.app_info))
    return event.app_info


scp = AE(ae_title="GUARDED")
scp.add_supported_context(Verification)
scp.add_supported_context(PatientRootQueryRetrieveInformationModelFind)
scp.require_called_aet = True
server = scp.start_server(
    ("127.0.0.1", 0),
    block=False,
    evt_handlers=[(evt.EVT_USER_ID, on_user), (evt.EVT_SOP_EXTENDED, on_extended)],
)
port = server.server_address[1]

scu = AE()
scu.add_requested_context(Verification)
scu.add_requested_context(PatientRootQueryRetrieveInformationModelFind)

user = UserIdentityNegotiation()
user.user_identity_type = 2
user.primary_field = b"ann"
user.secondary_field = b"secret"
more = SOPClassExtendedNegotiation()
more.sop_class_uid = PatientRootQueryRetrieveInformationModelFind
more.service_class_application_information = b"\x01\x01"
assoc = scu.associate("127.0.0.1", port, ae_title="GUARDED", ext_neg=[user, more])
assert assoc.is_established
assert assoc.send_c_echo().Status == 0
assert extended == [{PatientRootQueryRetrieveInformationModelFind: b"\x01\x01"}], extended
answered = assoc.acceptor.sop_class_extended
assert answered == {PatientRootQueryRetrieveInformationModelFind: b"\x01\x01"}, answered
assoc.release()

user.secondary_field = b"wrong"
assoc = scu.associate("127.0.0.1", port, ae_title="GUARDED", ext_neg=[user])
assert assoc.is_rejected
assoc = scu.associate("127.0.0.1", port, ae_title="STRANGER")
assert assoc.is_rejected
assert not assoc.is_established
try:
    assoc.send_c_echo()
except RuntimeError:
    pass
else:
    raise AssertionError("an association that is none was used")
server.shutdown()
assoc = scu.associate("127.0.0.1", port, ae_title="GUARDED")
assert assoc.is_aborted
