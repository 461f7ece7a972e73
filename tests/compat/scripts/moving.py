"""C-GET and C-MOVE, with what handlers may yield.

boxes: 3.19 3.20 8.4 8.5
"""

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    CompositeInstanceRetrieveWithoutBulkDataGet,
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
)

LOCAL = "127.0.0.1"
GET = PatientRootQueryRetrieveInformationModelGet
MOVE = PatientRootQueryRetrieveInformationModelMove


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


ct = dcmread(get_testdata_file("CT_small.dcm"))
script, answers, stored = [], [], []
where = []


def on_retrieve(event):
    for each in script:
        if isinstance(each, Exception):
            raise each
        yield each


def on_move(event):
    yield from where
    yield from on_retrieve(event)


def on_store(event):
    stored.append(event)
    answer = answers.pop(0) if answers else 0x0000
    if isinstance(answer, Exception):
        raise answer
    return answer


destination = AE(ae_title="STORE")
destination.add_supported_context(CTImageStorage)
there = destination.start_server(
    (LOCAL, 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)]
)

qr = AE(ae_title="QR")
for uid in (GET, MOVE, CompositeInstanceRetrieveWithoutBulkDataGet):
    qr.add_supported_context(uid)
qr.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
qr.add_requested_context(CTImageStorage)
server = qr.start_server(
    (LOCAL, 0),
    block=False,
    evt_handlers=[(evt.EVT_C_GET, on_retrieve), (evt.EVT_C_MOVE, on_move)],
)
ae = AE(ae_title="ASKING")
for uid in (GET, MOVE, CompositeInstanceRetrieveWithoutBulkDataGet, CTImageStorage):
    ae.add_requested_context(uid)
assoc = ae.associate(
    LOCAL,
    server.server_address[1],
    ext_neg=[build_role(CTImageStorage, scp_role=True)],
    evt_handlers=[(evt.EVT_C_STORE, on_store)],
)
assert assoc.is_established
query = Dataset()
query.QueryRetrieveLevel = "PATIENT"
query.PatientID = "1CT1"
PENDING = (0xFF00, ct)


def counts(status):
    """Completed, failed, warning."""
    return tuple(
        status.get(f"NumberOf{kind}Suboperations") for kind in ("Completed", "Failed", "Warning")
    )


def both(*steps, replies=()):
    """The status codes, the last counts, and whether there is a list of what failed."""
    found = []
    for name in ("get", "move"):
        script[:], answers[:] = steps, replies
        where[:] = [(LOCAL, there.server_address[1])]
        stored.clear()
        if name == "get":
            responses = list(assoc.send_c_get(query, GET, msg_id=5))
        else:
            responses = list(assoc.send_c_move(query, "STORE", MOVE, msg_id=5))
        status, identifier = responses[-1]
        listed = None if identifier is None else "FailedSOPInstanceUIDList" in identifier
        if identifier is not None and identifier.get("FailedSOPInstanceUIDList") == "1.2.3":
            listed = "1.2.3"
        codes = [status.Status for status, _ in responses]
        found.append((codes, counts(status), listed))
    return found


def check(expected, *steps, replies=()):
    """Both give what is expected, each with the codes of its own."""
    got = both(*steps, replies=replies)
    assert got == [expected, expected], (got, expected)


check(([0xFF00, 0x0000], (1, 0, 0), None), 1, PENDING)
assert stored[0].request.MoveOriginatorMessageID == 5
assert stored[0].dataset.PatientName == ct.PatientName
check(([0xFF00, 0xFF00, 0x0000], (2, 0, 0), None), 2, PENDING, PENDING)
check(([0xFF00, 0xFF00, 0xB000], (1, 1, 0), True), 2, PENDING, PENDING, replies=(0, 0xA700))
check(([0xFF00, 0xFF00, 0xB000], (1, 0, 1), True), 2, PENDING, PENDING, replies=(0, 0xB000))
check(([0xFF00, 0xA702], (0, 1, 0), True), 1, PENDING, replies=(0xC000,))
check(([0xFF00, 0xA702], (0, 1, 0), True), 1, PENDING, replies=(ValueError(),))
check(([0xFF00, 0x0000], (1, 0, 0), None), 1, PENDING, PENDING)  # one more than announced
check(([0xFF00, 0x0000], (1, 0, 0), None), 3, PENDING)  # fewer than announced
check(([0xFF00, 0x0000], (1, 0, 0), None), 2, PENDING, (0x0000, None))
for code in (0xFE00, 0xA701, 0xC123):
    got = both(2, PENDING, (code, None))
    assert [each[0] for each in got] == [[0xFF00, code]] * 2, got
got = both(2, PENDING, (0xFE00, None))
assert all(each[1][0] == 1 for each in got)
got = both(3, PENDING, (0xA701, None))
assert all(each[1] == (1, 2, 0) for each in got), got
own = Dataset()
own.FailedSOPInstanceUIDList = ["1.2.3"]
got = both(2, PENDING, (0xC000, own))
assert all(each[2] == "1.2.3" for each in got), got
check(([0x0000], (0, 0, 0), None), 0)
got = both("many")
assert [each[0] for each in got] == [[0xC413], [0xC513]], got
got = both(65536, PENDING)
assert [each[0] for each in got] == [[0xC416], [0xC516]], got
got = both(1, ValueError("no"))
assert [each[0] for each in got] == [[0xC411], [0xC511]], got
both(1, (0xFF00, None))  # nothing to be sent counts as failed
script[:] = [1, (0xFF00, "no data set")]
last = list(assoc.send_c_get(query, GET))[-1][0]
assert (last.Status, last.NumberOfFailedSuboperations) == (0xA702, 1)

# pending responses count down
script[:] = [2, PENDING, PENDING]
left = [status.get("NumberOfRemainingSuboperations") for status, _ in assoc.send_c_get(query, GET)]
assert left[:2] == [1, 0], left

# without bulk data
script[:], answers[:] = [1, PENDING], []
stored.clear()
model = CompositeInstanceRetrieveWithoutBulkDataGet
assert [s.Status for s, _ in assoc.send_c_get(query, model)] == [0xFF00, 0x0000]
assert "PixelData" not in stored[0].dataset

# where C-MOVE may not go
script[:] = [1, PENDING]
for value, code in (
    ((None, None), 0xA801),
    ((LOCAL, 1), 0xA801),
    ("nowhere", 0xC514),
):
    where[:] = [value]
    ((status, identifier),) = assoc.send_c_move(query, "STORE", MOVE)
    assert status.Status == code, (value, hex(status.Status))
heard = []
where[:] = [
    (
        LOCAL,
        there.server_address[1],
        {
            "ae_title": "OTHER",
            "contexts": [qr.requested_contexts[0]],
            "evt_handlers": [(evt.EVT_ESTABLISHED, heard.append)],
        },
    )
]
stored.clear()
responses = list(assoc.send_c_move(query, "STORE", MOVE))
assert [status.Status for status, _ in responses] == [0xFF00, 0x0000]
assert stored[0].assoc.acceptor.primitive.called_ae_title.strip() == "OTHER"
assert len(heard) == 1
for wrong in ("", "A" * 17):
    assert refused(ValueError, assoc.send_c_move, query, wrong, MOVE)
assoc.release()
assert refused(RuntimeError, assoc.send_c_get, query, GET)
qr.shutdown()
destination.shutdown()
