"""What a program finds in the log at level INFO.

boxes: 15.5 15.6 6.5
"""

import logging
import socket
import threading

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    Verification,
)

LOCAL = "127.0.0.1"
lines = []


class Keep(logging.Handler):
    """Keeps the text of each record."""

    def emit(self, record):
        lines.append(f"{record.levelname[0]}: {record.getMessage()}")


logging.getLogger("pynetdicom").addHandler(Keep())
logging.getLogger("pynetdicom").setLevel(logging.INFO)
ct = dcmread(get_testdata_file("CT_small.dcm"))
over = threading.Event()


def on_find(event):
    yield 0xFF00, person


def on_get(event):
    yield 1
    yield 0xFF00, ct


def on_move(event):
    yield LOCAL, server.server_address[1] if event.move_destination == "BOTH" else 1
    yield from on_get(event)


def on_user(event):
    return False, None


def on_store(event):
    return 0x0000


def ended(event):
    over.set()


person = Dataset()
person.QueryRetrieveLevel = "PATIENT"
person.PatientName = "A"
ae = AE(ae_title="BOTH")
models = [
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
]
for uid in (Verification, *models):
    ae.add_supported_context(uid)
    ae.add_requested_context(uid)
ae.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
ae.add_requested_context(CTImageStorage)
handlers = [
    (evt.EVT_C_FIND, on_find),
    (evt.EVT_C_GET, on_get),
    (evt.EVT_C_MOVE, on_move),
    (evt.EVT_C_STORE, on_store),
    (evt.EVT_RELEASED, ended),
]
server = ae.start_server((LOCAL, 0), block=False, evt_handlers=handlers)
port = server.server_address[1]
assoc = ae.associate(
    LOCAL,
    port,
    ext_neg=[build_role(CTImageStorage, scu_role=True, scp_role=True)],
    evt_handlers=[(evt.EVT_C_STORE, on_store)],
)
assoc.send_c_echo()
assoc.send_c_store(ct)
list(assoc.send_c_find(person, models[0]))
list(assoc.send_c_get(person, models[1]))
list(assoc.send_c_move(person, "BOTH", models[2]))
list(assoc.send_c_move(person, "NONE", models[2]))
assoc.send_c_cancel(1, query_model=models[0])
assoc.release()
assert over.wait(10)
for wanted in (
    "I: Requesting Association",
    "I: Accepting Association",
    "I: Association Accepted",
    "I: Releasing Association",
    "I: Association Released",
    "I: Sending Echo Request: MsgID 1",
    "I: Received Echo Request (MsgID 1)",
    "I: Received Echo Response (Status: 0x0000 - Success)",
    "I: Sending Store Request: MsgID 1, (CT)",
    "I: Received Store Request",
    "I: Received Store Response (Status: 0x0000 - Success)",
    "I: Sending Find Request: MsgID 1",
    "I: Find SCP Request Identifier:",
    "I: Find SCP Response: 1 - 0xFF00 (Pending)",
    "I: Find SCP Result: 0x0000 (Success)",
    "I: Sending Get Request: MsgID 1",
    "I: Get SCP Response: 1 - 0xFF00 (Pending)",
    "I: Get SCP: Received Store SCP response 0x0000 (Success)",
    "I: Get SCP Result: 0x0000 (Success)",
    "I: Sending Move Request: MsgID 1",
    "I: Move SCP: Received Store SCP response 0x0000 (Success)",
    "I: Move SCP Result: 0x0000 (Success)",
    "I: Sub-Operations Remaining: 0, Completed: 1, Failed: 0, Warning: 0",
    "I: Sending C-CANCEL request",
    "E: Move SCP: Unable to associate with destination AE",
):
    assert wanted in lines, (wanted, lines)

lines.clear()
ae.require_called_aet = True
assert ae.associate(LOCAL, port).is_rejected
ae.require_called_aet = False
assert ae.associate(LOCAL, port, contexts=[build_context(MRImageStorage)]).is_aborted
ae.associate(LOCAL, port).abort()
ae.acse_timeout = 0.2
with socket.create_server((LOCAL, 0)) as deaf:
    assert ae.associate(LOCAL, deaf.getsockname()[1]).is_aborted
ae.acse_timeout = 30
with socket.socket() as closed:
    closed.bind((LOCAL, 0))
    assert ae.associate(LOCAL, closed.getsockname()[1]).is_aborted
assoc = ae.associate(LOCAL, port)
said = ""
try:
    assoc.send_c_store(dcmread(get_testdata_file("MR_small.dcm")))
except ValueError as error:
    said = str(error)
assert "No presentation context for 'MR Image Storage'" in said
assoc.release()
for wanted in (
    "E: Association Rejected",
    "E: Result: Rejected Permanent, Source: Service User",
    "E: Reason: Called AE title not recognised",
    "I: Rejecting Association",
    "E: No accepted presentation contexts",
    "I: Aborting Association",
    "I: Association Aborted",
    "E: ACSE timeout reached while waiting for response to association request",
    "E: Association request failed: unable to connect to remote",
    "E: TCP Initialisation Error: ",
):
    assert any(line.startswith(wanted) for line in lines), (wanted, lines)
ae.shutdown()
