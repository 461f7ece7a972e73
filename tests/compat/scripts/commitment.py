"""Storage commitment: an N-ACTION, and the N-EVENT-REPORT on an association of its own.

boxes: 17.3 3.26
"""

import threading

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

reports, arrived = [], threading.Event()
asked = []


def on_action(event):
    assert event.action_type == 1
    asked.append(event.action_information)
    return 0x0000, None


def on_report(event):
    reports.append((event.event_type, event.event_information.TransactionUID))
    arrived.set()
    return 0x0000, None


archive = AE(ae_title="ARCHIVE")
archive.add_supported_context(StorageCommitmentPushModel)
archive_server = archive.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, on_action)]
)
modality = AE(ae_title="MODALITY")
modality.add_requested_context(StorageCommitmentPushModel)
modality.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
modality_server = modality.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, on_report)]
)

item = Dataset()
item.ReferencedSOPClassUID = CTImageStorage
item.ReferencedSOPInstanceUID = generate_uid()
request = Dataset()
request.TransactionUID = generate_uid()
request.ReferencedSOPSequence = [item]
assoc = modality.associate("127.0.0.1", archive_server.server_address[1])
assert assoc.is_established
status, reply = assoc.send_n_action(
    request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
)
assert status.Status == 0x0000
assoc.release()

archive.add_requested_context(StorageCommitmentPushModel)
role = build_role(StorageCommitmentPushModel, scp_role=True)
back = archive.associate("127.0.0.1", modality_server.server_address[1], ext_neg=[role])
assert back.is_established
status, reply = back.send_n_event_report(
    asked[0], 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
)
assert status.Status == 0x0000, status
back.release()
assert arrived.wait(10)
assert reports == [(1, request.TransactionUID)]
archive.shutdown()
modality.shutdown()
