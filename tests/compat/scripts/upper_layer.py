"""What handlers see of PDUs, primitives and messages, by their classes and attributes.

boxes: 9.2 9.3 11.2 11.3 11.4 11.5 11.6 11.7 11.8 D.pdu.A_ASSOCIATE_RQ D.pdu.A_ASSOCIATE_AC
D.pdu.A_ASSOCIATE_RJ D.pdu.P_DATA_TF D.pdu.A_RELEASE_RQ D.pdu.A_RELEASE_RP D.pdu.A_ABORT_RQ
D.pdu_primitives.A_ASSOCIATE D.pdu_primitives.A_RELEASE D.pdu_primitives.A_ABORT
D.dimse_primitives.C_STORE D.dimse_primitives.C_ECHO
"""

from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.dimse_messages import C_ECHO_RQ, C_ECHO_RSP, C_STORE_RQ, C_STORE_RSP, DIMSEMessage
from pynetdicom.dimse_primitives import C_ECHO, C_STORE, DIMSEPrimitive
from pynetdicom.pdu import (
    A_ABORT_RQ,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
    PDU,
)
from pynetdicom.pdu_items import (
    AsynchronousOperationsWindowSubItem,
    PDUItem,
    PresentationContextItemAC,
    PresentationContextItemRQ,
    PresentationDataValueItem,
    SOPClassCommonExtendedNegotiationSubItem,
    SOPClassExtendedNegotiationSubItem,
    UserIdentitySubItemRQ,
)
from pynetdicom.pdu_primitives import (
    A_ABORT,
    A_ASSOCIATE,
    A_RELEASE,
    AsynchronousOperationsWindowNegotiation,
    SCP_SCU_RoleSelectionNegotiation,
    ServiceParameter,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.sop_class import CTImageStorage, Verification

seen = []
PRIVATE = "1.2.826.0.1.3680043.9.9.9"


def keep(kind):
    def handler(event):
        seen.append((event.event.name, getattr(event, kind)))

    return handler


watching = [
    (evt.EVT_PDU_RECV, keep("pdu")),
    (evt.EVT_PDU_SENT, keep("pdu")),
    (evt.EVT_DATA_RECV, keep("data")),
    (evt.EVT_DATA_SENT, keep("data")),
    (evt.EVT_ACSE_RECV, keep("primitive")),
    (evt.EVT_ACSE_SENT, keep("primitive")),
    (evt.EVT_DIMSE_RECV, keep("message")),
    (evt.EVT_DIMSE_SENT, keep("message")),
]


def of(name):
    return [what for event, what in seen if event == name]


requests = []


def on_store(event):
    requests.append(event.request)
    return 0


def on_echo(event):
    requests.append(event.request)
    return 0


user = UserIdentityNegotiation()
user.user_identity_type = 2
user.primary_field = b"ann"
user.secondary_field = b"secret"
more = SOPClassExtendedNegotiation()
more.sop_class_uid = PRIVATE
more.service_class_application_information = b"\x01\x02"
common = SOPClassCommonExtendedNegotiation()
common.sop_class_uid = PRIVATE
common.service_class_uid = "1.2.840.10008.4.2"
common.related_general_sop_class_identification = ["1.2.3", "1.2.4"]
window = AsynchronousOperationsWindowNegotiation()
window.maximum_number_operations_invoked = 5

scp = AE(ae_title="SEEN")
scp.add_supported_context(Verification)
scp.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
scp.require_called_aet = True
server = scp.start_server(
    ("127.0.0.1", 0),
    block=False,
    evt_handlers=[(evt.EVT_C_STORE, on_store), (evt.EVT_C_ECHO, on_echo)],
)
port = server.server_address[1]
scu = AE(ae_title="LOOKING")
scu.add_requested_context(Verification)
scu.add_requested_context(CTImageStorage, ImplicitVRLittleEndian)
scu.add_requested_context(PRIVATE)
assoc = scu.associate(
    "127.0.0.1",
    port,
    ae_title="SEEN",
    ext_neg=[user, more, common, window, build_role(CTImageStorage, True, True)],
    evt_handlers=watching,
)
assert assoc.is_established
ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3"
assert assoc.send_c_store(ds, msg_id=7).Status == 0
assert assoc.send_c_echo(msg_id=8).Status == 0

# the PDUs, each with its bytes
sent, received = of("EVT_PDU_SENT"), of("EVT_PDU_RECV")
assert {type(each) for each in sent} == {A_ASSOCIATE_RQ, P_DATA_TF}
assert {type(each) for each in received} == {A_ASSOCIATE_AC, P_DATA_TF}
assert [each.encode() for each in sent] == [bytes(each) for each in of("EVT_DATA_SENT")]
assert [each.encode() for each in received] == [bytes(each) for each in of("EVT_DATA_RECV")]
for pdu in sent + received:
    assert isinstance(pdu, PDU)
    assert len(pdu) == len(pdu.encode()) == pdu.pdu_length + 6
    assert pdu.pdu_type == pdu.encode()[0]
    assert f"PDU length: {pdu.pdu_length} bytes" in str(pdu)
    again = type(pdu)()
    again.decode(pdu.encode())
    assert again.encode() == pdu.encode()
    third = type(pdu)()
    third.from_primitive(pdu.to_primitive())
    assert type(third.to_primitive()) is type(pdu.to_primitive())

rq = sent[0]
assert (rq.called_ae_title.strip(), rq.calling_ae_title.strip()) == ("SEEN", "LOOKING")
assert rq.protocol_version == 1
assert rq.application_context_name == "1.2.840.10008.3.1.1.1"
assert [item.context_id for item in rq.presentation_context] == [1, 3, 5]
assert all(isinstance(item, PresentationContextItemRQ) for item in rq.presentation_context)
second = rq.presentation_context[1]
assert second.abstract_syntax == CTImageStorage
assert second.transfer_syntax == [ImplicitVRLittleEndian]
assert second.item_length == len(second.encode()) - 4 == len(second) - 4
asked = rq.user_information
assert asked.maximum_length == 16382
assert asked.implementation_class_uid == scu.implementation_class_uid
assert asked.implementation_version_name == scu.implementation_version_name
assert isinstance(asked.async_ops_window, AsynchronousOperationsWindowSubItem)
assert asked.async_ops_window.max_operations_invoked == 5
assert asked.async_ops_window.max_operations_performed == 1
role = asked.role_selection[CTImageStorage]
assert (role.scu, role.scp, role.uid, role.uid_length) == (1, 1, CTImageStorage, 25)
(extended,) = asked.ext_neg
assert isinstance(extended, SOPClassExtendedNegotiationSubItem)
assert (extended.uid, extended.app_info) == (PRIVATE, b"\x01\x02")
(general,) = asked.common_ext_neg
assert isinstance(general, SOPClassCommonExtendedNegotiationSubItem)
assert general.service_class_uid == "1.2.840.10008.4.2"
assert general.related_general_sop_class_identification == ["1.2.3", "1.2.4"]
identity = asked.user_identity
assert isinstance(identity, UserIdentitySubItemRQ)
assert (identity.id_type, identity.id_type_str) == (2, "Username/Password")
assert (identity.primary, identity.secondary) == (b"ann", b"secret")
assert (identity.primary_field_length, identity.secondary_field_length) == (3, 6)
assert identity.response_requested == 0
for item in asked.user_data:
    assert isinstance(item, PDUItem)
    assert item.encode()[0] == item.item_type
    assert len(item.encode()) == item.item_length + 4
    assert isinstance(item.to_primitive(), ServiceParameter)
    assert item.to_primitive().from_primitive().encode() == item.encode()
    assert f"Item length: {item.item_length} bytes" in str(item)

ac = received[0]
assert (ac.called_ae_title.strip(), ac.reserved_aec.strip()) == ("SEEN", "LOOKING")
assert all(isinstance(item, PresentationContextItemAC) for item in ac.presentation_context)
assert [(item.context_id, item.result) for item in ac.presentation_context] == [
    (1, 0),
    (3, 0),
    (5, 3),
]
assert ac.presentation_context[1].transfer_syntax == ImplicitVRLittleEndian
assert ac.presentation_context[0].result_str == "Accepted"
assert "Not Supported" in ac.presentation_context[2].result_str

value = sent[1].presentation_data_value_items[0]
assert isinstance(value, PresentationDataValueItem)
assert value.context_id == 3
assert value.message_control_header_byte == "00000011"
assert value.item_length == len(value.data) + 1

# the primitives
proposed, answered = of("EVT_ACSE_SENT")[0], of("EVT_ACSE_RECV")[0]
for primitive in (proposed, assoc.requestor.primitive):
    assert isinstance(primitive, A_ASSOCIATE)
    assert (primitive.calling_ae_title.strip(), primitive.called_ae_title.strip()) == (
        "LOOKING",
        "SEEN",
    )
    assert primitive.result is None
    assert primitive.maximum_length_received == 16382
    contexts = primitive.presentation_context_definition_list
    assert [each.abstract_syntax for each in contexts] == [Verification, CTImageStorage, PRIVATE]
    kinds = {type(each) for each in primitive.user_information}
    assert {SCP_SCU_RoleSelectionNegotiation, UserIdentityNegotiation} < kinds
for primitive in (answered, assoc.acceptor.primitive):
    assert isinstance(primitive, A_ASSOCIATE)
    assert (primitive.result, primitive.result_str) == (0, "Accepted")
    contexts = primitive.presentation_context_definition_results_list
    assert [(each.context_id, each.result) for each in contexts] == [(1, 0), (3, 0), (5, 3)]
    assert primitive.implementation_class_uid == scp.implementation_class_uid

# the messages
messages = of("EVT_DIMSE_SENT") + of("EVT_DIMSE_RECV")
assert [type(each) for each in messages] == [C_STORE_RQ, C_ECHO_RQ, C_STORE_RSP, C_ECHO_RSP]
assert all(isinstance(each, DIMSEMessage) for each in messages)
store = messages[0]
assert store.command_set.MessageID == 7
assert store.command_set.AffectedSOPInstanceUID == "1.2.3"
assert store.command_set.CommandDataSetType == 1
assert isinstance(store.data_set, BytesIO)
assert store.context_id == 3 or store.context_id is None
assert messages[2].command_set.Status == 0
primitive = store.message_to_primitive()
assert isinstance(primitive, C_STORE)
assert primitive.DataSet.getvalue() == requests[0].DataSet.getvalue()

# the requests
assert [type(each) for each in requests] == [C_STORE, C_ECHO]
assert all(isinstance(each, DIMSEPrimitive) for each in requests)
assert requests[0].is_valid_request
assert not requests[0].is_valid_response
assert (requests[0].msg_type, requests[0].MessageID) == ("C-STORE", 7)
assert requests[0].AffectedSOPClassUID.name == "CT Image Storage"
assert requests[0].MoveOriginatorMessageID is None
assert requests[0].Status is None

# the end
seen.clear()
assoc.release()
assert [type(each) for each in of("EVT_PDU_SENT") + of("EVT_PDU_RECV")] == [
    A_RELEASE_RQ,
    A_RELEASE_RP,
]
(going,), (gone,) = of("EVT_ACSE_SENT"), of("EVT_ACSE_RECV")
assert isinstance(going, A_RELEASE)
assert isinstance(gone, A_RELEASE)
assert (going.result, gone.result, going.reason) == (None, "affirmative", "normal")

seen.clear()
assoc = scu.associate("127.0.0.1", port, ae_title="OTHER", evt_handlers=watching)
assert assoc.is_rejected
rj = of("EVT_PDU_RECV")[0]
assert isinstance(rj, A_ASSOCIATE_RJ)
assert (rj.result, rj.source, rj.reason_diagnostic) == (1, 1, 7)
assert (rj.result_str, rj.source_str) == ("Rejected (Permanent)", "DUL service-user")
assert rj.reason_str == "Called AE title not recognised"
for primitive in (of("EVT_ACSE_RECV")[0], assoc.acceptor.primitive):
    assert (primitive.result, primitive.result_source, primitive.diagnostic) == (1, 1, 7)
    assert primitive.reason_str == "Called AE title not recognised"
    assert (primitive.result_str, primitive.source_str) == ("Rejected Permanent", "Service User")

seen.clear()
assoc = scu.associate("127.0.0.1", port, ae_title="SEEN", evt_handlers=watching)
seen.clear()
assoc.abort()
(abort,) = of("EVT_PDU_SENT")
assert isinstance(abort, A_ABORT_RQ)
assert (abort.source, abort.source_str) == (0, "DUL service-user")
(primitive,) = of("EVT_ACSE_SENT")
assert isinstance(primitive, A_ABORT)
assert primitive.abort_source == 0
server.shutdown()
