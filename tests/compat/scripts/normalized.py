"""The six N-services, from both sides.

boxes: 3.23 3.24 3.25 3.26 3.27 3.28 8.6 7.8
"""

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    BasicFilmSession,
    BasicGrayscalePrintManagementMeta,
    Printer,
    PrinterInstance,
    StorageCommitmentPushModel,
)

LOCAL = "127.0.0.1"


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


def named(name):
    found = Dataset()
    found.PatientName = name
    return found


answers, seen = {}, []


def handle(event):
    seen.append(event)
    answer = answers[event.event.name[4:]]
    if isinstance(answer, Exception):
        raise answer
    return answer


NAMES = ["N_ACTION", "N_CREATE", "N_DELETE", "N_EVENT_REPORT", "N_GET", "N_SET"]
ae = AE()
for uid in (BasicFilmSession, Printer, BasicGrayscalePrintManagementMeta):
    ae.add_supported_context(uid)
    ae.add_requested_context(uid)
server = ae.start_server(
    (LOCAL, 0), block=False, evt_handlers=[(getattr(evt, f"EVT_{name}"), handle) for name in NAMES]
)
assoc = ae.associate(LOCAL, server.server_address[1])
assert assoc.is_established
DATA, UID = named("sent"), "1.2.3.4"


def ask(name, answer, data=DATA, **more):
    """The status code and what comes with it."""
    answers[name] = answer
    where = (BasicFilmSession, UID)
    return {
        "N_ACTION": lambda: assoc.send_n_action(data, 3, *where, **more),
        "N_CREATE": lambda: assoc.send_n_create(data, *where, **more),
        "N_DELETE": lambda: (assoc.send_n_delete(*where, **more), None),
        "N_EVENT_REPORT": lambda: assoc.send_n_event_report(data, 4, *where, **more),
        "N_GET": lambda: assoc.send_n_get([(0x0010, 0x0010)], *where, **more),
        "N_SET": lambda: assoc.send_n_set(data, *where, **more),
    }[name]()


for name in NAMES:
    reply = named("reply")
    if name == "N_DELETE":
        status, _ = ask(name, 0x0000)
        assert status.Status == 0x0000
        status, _ = ask(name, 0x0112)
        assert status.Status == 0x0112
    else:
        status, got = ask(name, (0x0000, reply), msg_id=9)
        assert status.Status == 0x0000
        assert got.PatientName == "reply", name
        assert seen[-1].message_id == 9
        status, got = ask(name, (0x0000, None))
        assert (status.Status, got) == (0x0000, Dataset()), name
        status, got = ask(name, (0x0107, reply))
        assert (status.Status, got.PatientName) == (0x0107, "reply"), name
        status, got = ask(name, (0x0110, reply))
        assert (status.Status, got) == (0x0110, None), name
        bad = named("A")
        bad["PatientName"].VR = "US"
        status, got = ask(name, (0x0000, bad))
        assert (status.Status, got) == (0x0110, None), name
    status, got = ask(name, ValueError("no"))
    assert status.Status == 0x0110, name
    said = Dataset()
    said.Status = 0x0110
    said.ErrorComment = "why"
    said.ErrorID = 7
    status, _ = ask(name, said if name == "N_DELETE" else (said, None))
    assert (status.Status, status.ErrorComment, status.ErrorID) == (0x0110, "why", 7), name

by_name = {each.event.name: each for each in seen}
assert by_name["EVT_N_ACTION"].action_type == 3
assert by_name["EVT_N_ACTION"].action_information.PatientName == "sent"
assert by_name["EVT_N_EVENT_REPORT"].event_type == 4
assert by_name["EVT_N_EVENT_REPORT"].event_information.PatientName == "sent"
assert by_name["EVT_N_CREATE"].attribute_list.PatientName == "sent"
assert by_name["EVT_N_SET"].modification_list.PatientName == "sent"
assert by_name["EVT_N_GET"].attribute_identifiers == [Tag(0x0010, 0x0010)]
assert by_name["EVT_N_GET"].request.RequestedSOPInstanceUID == UID
ask("N_ACTION", (0x0000, None), data=None)
assert seen[-1].action_information == Dataset()

# an instance without a name
answers["N_CREATE"] = (0x0000, None)
status, got = assoc.send_n_create(None, BasicFilmSession)
assert (status.Status, got) == (0x0110, None)
given = named("made")
given.AffectedSOPInstanceUID = "1.2.9"
answers["N_CREATE"] = (0x0000, given)
status, got = assoc.send_n_create(DATA, BasicFilmSession)
assert status.Status == 0x0000
assert got.PatientName == "made"
assert "AffectedSOPInstanceUID" not in got

# over the context of a Meta SOP Class
answers["N_GET"] = (0x0000, named("printer"))
meta = BasicGrayscalePrintManagementMeta
status, got = assoc.send_n_get(None, Printer, PrinterInstance, meta_uid=meta)
assert (status.Status, got.PatientName) == (0x0000, "printer")
assert seen[-1].context.abstract_syntax == meta
assert seen[-1].attribute_identifiers == []

assert refused(ValueError, assoc.send_n_delete, StorageCommitmentPushModel, UID)
assert refused(ValueError, assoc.send_n_delete, BasicFilmSession, UID, 65536)
bad = named("A")
bad["PatientName"].VR = "US"
assert refused(ValueError, assoc.send_n_set, bad, BasicFilmSession, UID)
assoc.release()
assert refused(RuntimeError, assoc.send_n_delete, BasicFilmSession, UID)
ae.shutdown()
