"""A modality performed procedure step: created, set, and then the server's record of it.

boxes: 17.3 3.24 3.28
"""

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import ModalityPerformedProcedureStep
from pynetdicom.status import code_to_category

steps = {}


def on_create(event):
    request = event.request
    if request.AffectedSOPInstanceUID is None:
        return 0x0106, None
    if request.AffectedSOPInstanceUID in steps:
        return 0x0111, None
    attributes = event.attribute_list
    if "PerformedProcedureStepStatus" not in attributes:
        return 0x0120, None
    attributes.SOPInstanceUID = request.AffectedSOPInstanceUID
    steps[request.AffectedSOPInstanceUID] = attributes
    return 0x0000, attributes


def on_set(event):
    step = steps.get(event.request.RequestedSOPInstanceUID)
    if step is None:
        return 0x0112, None
    step.update(event.modification_list)
    return 0x0000, step


ae = AE()
ae.add_supported_context(ModalityPerformedProcedureStep)
ae.add_requested_context(ModalityPerformedProcedureStep)
server = ae.start_server(
    ("127.0.0.1", 0),
    block=False,
    evt_handlers=[(evt.EVT_N_CREATE, on_create), (evt.EVT_N_SET, on_set)],
)
assoc = ae.associate("127.0.0.1", server.server_address[1])
assert assoc.is_established

uid = generate_uid()
begin = Dataset()
begin.PerformedProcedureStepStatus = "IN PROGRESS"
begin.Modality = "CT"
status, attributes = assoc.send_n_create(begin, ModalityPerformedProcedureStep, uid)
assert status.Status == 0x0000
assert attributes.SOPInstanceUID == uid
status, attributes = assoc.send_n_create(begin, ModalityPerformedProcedureStep, uid)
assert status.Status == 0x0111
assert code_to_category(status.Status) == "Failure"
assert attributes is None

end = Dataset()
end.PerformedProcedureStepStatus = "COMPLETED"
status, attributes = assoc.send_n_set(end, ModalityPerformedProcedureStep, uid)
assert status.Status == 0x0000
assert attributes.PerformedProcedureStepStatus == "COMPLETED"
status, attributes = assoc.send_n_set(end, ModalityPerformedProcedureStep, generate_uid())
assert status.Status == 0x0112
assoc.release()
ae.shutdown()
