"""Patient root C-FIND: a server that yields, a client that loops and one that cancels.

boxes: 17.3 3.18 8.2
"""

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    ModalityWorklistInformationFind,
    PatientRootQueryRetrieveInformationModelFind,
)

NAMES = ["Adams^Ann", "Brown^Bob", "Cole^Cy"]


def on_find(event):
    ds = event.identifier
    assert event.request.Priority == 2
    if "QueryRetrieveLevel" not in ds:
        yield 0xC000, None
        return
    for name in NAMES:
        if event.is_cancelled:
            yield 0xFE00, None
            return
        found = Dataset()
        found.QueryRetrieveLevel = ds.QueryRetrieveLevel
        found.PatientName = name
        yield 0xFF00, found


def on_worklist(event):
    item = Dataset()
    item.ScheduledStationAETitle = "CT1"
    found = Dataset()
    found.PatientName = "Work^List"
    found.ScheduledProcedureStepSequence = [item]
    yield 0xFF00, found


def dispatch(event):
    if event.context.abstract_syntax == ModalityWorklistInformationFind:
        yield from on_worklist(event)
    else:
        yield from on_find(event)


ae = AE()
for model in (PatientRootQueryRetrieveInformationModelFind, ModalityWorklistInformationFind):
    ae.add_supported_context(model)
    ae.add_requested_context(model)
server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, dispatch)])
assoc = ae.associate("127.0.0.1", server.server_address[1])
assert assoc.is_established

query = Dataset()
query.PatientName = "*"
query.QueryRetrieveLevel = "PATIENT"
names, last = [], None
for status, identifier in assoc.send_c_find(query, PatientRootQueryRetrieveInformationModelFind):
    assert status
    if status.Status in (0xFF00, 0xFF01):
        names.append(str(identifier.PatientName))
    else:
        last = (status.Status, identifier)
assert names == NAMES, names
assert last == (0x0000, None), last

del query.QueryRetrieveLevel
answers = list(assoc.send_c_find(query, PatientRootQueryRetrieveInformationModelFind))
assert [s.Status for s, _ in answers] == [0xC000]

worklist = list(assoc.send_c_find(query, ModalityWorklistInformationFind))
assert worklist[0][1].ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "CT1"
assert [s.Status for s, _ in worklist] == [0xFF00, 0x0000]
assoc.release()
ae.shutdown()
