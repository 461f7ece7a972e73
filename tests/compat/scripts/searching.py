"""C-FIND and C-CANCEL, with what handlers may yield.

boxes: 3.18 3.21 7.13 8.2 8.3
"""

import threading

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    GeneralRelevantPatientInformationQuery,
    PatientRootQueryRetrieveInformationModelFind,
    RepositoryQuery,
    StudyRootQueryRetrieveInformationModelFind,
)

LOCAL = "127.0.0.1"
MODEL = PatientRootQueryRetrieveInformationModelFind


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


def person(name):
    found = Dataset()
    found.QueryRetrieveLevel = "PATIENT"
    found.PatientName = name
    return found


script = []
cancelled, seen = [], []
go_on = threading.Event()


def on_find(event):
    seen.append(event)
    for each in script:
        if each == "cancel?":
            go_on.set()
            while not event.is_cancelled:
                pass
            cancelled.append(event.message_id)
            yield 0xFE00, None
            return
        if isinstance(each, Exception):
            raise each
        yield each


def nothing(event):
    return None


ae = AE()
for uid in (MODEL, GeneralRelevantPatientInformationQuery, RepositoryQuery):
    ae.add_supported_context(uid)
    ae.add_requested_context(uid)
server = ae.start_server((LOCAL, 0), block=False, evt_handlers=[(evt.EVT_C_FIND, on_find)])
assoc = ae.associate(LOCAL, server.server_address[1])
assert assoc.is_established
query = person("*")


def ask(*steps, model=MODEL):
    """What comes back: (status, name or None)."""
    script[:] = steps
    return [
        (status.Status, None if identifier is None else str(identifier.get("PatientName")))
        for status, identifier in assoc.send_c_find(query, model)
    ]


A, B = person("A"), person("B")
assert ask() == [(0x0000, None)]
assert ask((0xFF00, A), (0xFF01, B)) == [(0xFF00, "A"), (0xFF01, "B"), (0x0000, None)]
assert ask((0xFF00, A), (0x0000, None), (0xFF00, B)) == [(0xFF00, "A"), (0x0000, None)]
for code in (0xA700, 0xA900, 0xC123, 0x0122, 0xFE00):
    assert ask((0xFF00, A), (code, None), (0xFF00, B)) == [(0xFF00, "A"), (code, None)]
assert ask((0xFF00, None)) == [(0xC312, None)]
assert ask((0xFF00, A), ValueError("no")) == [(0xFF00, "A"), (0xC311, None)]
detailed = Dataset()
detailed.Status = 0xC000
detailed.ErrorComment = "broken"
script[:] = [(detailed, None)]
((status, identifier),) = assoc.send_c_find(query, MODEL)
assert (status.Status, status.ErrorComment, identifier) == (0xC000, "broken", None)
event = seen[0]
assert event.identifier.PatientName == "*"
assert event.identifier is event.identifier
assert event.request.Identifier.getvalue()
assert event.request.AffectedSOPClassUID == MODEL
assert not event.is_cancelled

# a repository may warn and go on
found = ask((0xFF00, A), (0xB001, None), (0xFF00, B), model=RepositoryQuery)
assert [code for code, _ in found] == [0xFF00, 0xB001, 0xFF00, 0x0000], found

# relevant patient: one match at most
found = ask((0xFF00, A), model=GeneralRelevantPatientInformationQuery)
assert [code for code, _ in found] == [0xFF00, 0x0000]
assert ask(model=GeneralRelevantPatientInformationQuery) == [(0x0000, None)]
found = ask((0xC100, None), model=GeneralRelevantPatientInformationQuery)
assert found == [(0xC100, None)]

# cancelled, by model and by context
for by in ({"query_model": MODEL}, {"context_id": 1}):
    script[:] = [(0xFF00, A), "cancel?"]
    go_on.clear()
    responses = assoc.send_c_find(query, MODEL, msg_id=21, priority=1)
    assert go_on.wait(10)  # it was sent at once
    assoc.send_c_cancel(21, **by)
    assert [status.Status for status, _ in responses] == [0xFF00, 0xFE00]
assert cancelled == [21, 21]
assert seen[-1].request.Priority == 1
assert refused(ValueError, assoc.send_c_cancel, 1)
assert refused(ValueError, assoc.send_c_find, query, StudyRootQueryRetrieveInformationModelFind)
assert refused(ValueError, assoc.send_c_find, query, MODEL, 1, 7)
bad = person("A")
bad.PatientName = b"\xff\xfe" * 3
bad["PatientName"].VR = "US"
assert refused((ValueError, AttributeError), assoc.send_c_find, bad, MODEL)

server.bind(evt.EVT_C_FIND, nothing)
assert ask() == [(0x0000, None)]
server.unbind(evt.EVT_C_FIND, nothing)
assert ask() == [(0xC311, None)]


def abort(event):
    event.assoc.abort()
    yield 0xFF00, A


server.bind(evt.EVT_C_FIND, abort)
answers = list(assoc.send_c_find(query, MODEL))
assert answers[-1] == (Dataset(), None)
assert len(answers) == 1
assoc.join(10)
assert refused(RuntimeError, assoc.send_c_find, query, MODEL)
ae.shutdown()
