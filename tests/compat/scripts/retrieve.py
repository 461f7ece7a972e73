"""C-GET with role selection and C-MOVE to a second server.

boxes: 17.3 3.19 3.20
"""

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
)

ct = dcmread(get_testdata_file("CT_small.dcm"))
received = []


def on_store(event):
    received.append((event.assoc.is_requestor, event.request.MoveOriginatorMessageID))
    return 0x0000


def on_get(event):
    yield 1
    yield 0xFF00, ct


def on_move(event):
    if event.move_destination != "STORE_SCP":
        yield None, None
        return
    yield "127.0.0.1", store.server_address[1]
    yield 1
    yield 0xFF00, ct


destination = AE(ae_title="STORE_SCP")
destination.add_supported_context(CTImageStorage)
store = destination.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)]
)

qr = AE(ae_title="QR")
qr.add_supported_context(PatientRootQueryRetrieveInformationModelGet)
qr.add_supported_context(PatientRootQueryRetrieveInformationModelMove)
qr.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
qr.add_requested_context(CTImageStorage)
server = qr.start_server(
    ("127.0.0.1", 0),
    block=False,
    evt_handlers=[(evt.EVT_C_GET, on_get), (evt.EVT_C_MOVE, on_move)],
)

scu = AE()
scu.add_requested_context(PatientRootQueryRetrieveInformationModelGet)
scu.add_requested_context(PatientRootQueryRetrieveInformationModelMove)
scu.add_requested_context(CTImageStorage)
role = build_role(CTImageStorage, scp_role=True)
assoc = scu.associate(
    "127.0.0.1",
    server.server_address[1],
    ext_neg=[role],
    evt_handlers=[(evt.EVT_C_STORE, on_store)],
)
assert assoc.is_established
query = Dataset()
query.QueryRetrieveLevel = "PATIENT"
query.PatientID = "1CT1"

codes = []
for status, identifier in assoc.send_c_get(query, PatientRootQueryRetrieveInformationModelGet):
    codes.append(status.Status)
    assert identifier is None
assert codes == [0xFF00, 0x0000], codes
assert received == [(True, None)], received

codes = []
model = PatientRootQueryRetrieveInformationModelMove
for status, _ in assoc.send_c_move(query, "STORE_SCP", model, msg_id=9):
    codes.append(status.Status)
assert codes == [0xFF00, 0x0000], codes
assert status.NumberOfCompletedSuboperations == 1
assert received[1] == (False, 9), received

(answer,) = assoc.send_c_move(query, "NOWHERE", model)
assert answer[0].Status == 0xA801, answer
assoc.release()
qr.shutdown()
destination.shutdown()
