"""C-ECHO and C-STORE, from both sides, with what may go wrong.

boxes: 3.11 3.12 3.13 3.14 3.15 3.16 3.17 7.1 7.2 7.3 7.4
7.5 7.6 7.7 7.8 7.9 7.10 7.11 7.12 7.14 7.15 7.18 8.1 17.5
"""

import tempfile
import threading
from pathlib import Path

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pynetdicom import AE, _config, evt
from pynetdicom.presentation import PresentationContextTuple, build_context
from pynetdicom.sop_class import CTImageStorage, Verification

LOCAL = "127.0.0.1"
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


# the events themselves
assert str(evt.EVT_C_STORE) == "EVT_C_STORE"
assert evt.EVT_C_STORE.is_intervention
assert not evt.EVT_C_STORE.is_notification
assert evt.EVT_RELEASED.is_notification
assert isinstance(evt.EVT_C_STORE, evt.InterventionEvent)
assert isinstance(evt.EVT_RELEASED, evt.NotificationEvent)
assert evt.EVT_RELEASED[0] == "EVT_RELEASED"
assert callable(evt.trigger)
assert callable(evt.get_default_handler(evt.EVT_C_ECHO))
events = [name for name in dir(evt) if name.startswith("EVT_")]
assert len(events) == 32, len(events)

replies, seen = {}, []
ends = []
over = threading.Event()


def on_echo(event):
    seen.append(event)
    return replies.get("echo", 0x0000)


def on_store(event, *more):
    seen.append(event)
    answer = replies.get("store", 0x0000)
    if callable(answer):
        answer = answer(event)
    if isinstance(answer, Exception):
        raise answer
    return answer


def first(event):
    ends.append("first")


def second(event):
    ends.append("second")
    over.set()


ae = AE(ae_title="BOTH")
for uid in (Verification, CTImageStorage):
    ae.add_supported_context(uid, [IMPLICIT, EXPLICIT])
    ae.add_requested_context(uid, [EXPLICIT])
server = ae.start_server(
    (LOCAL, 0),
    block=False,
    evt_handlers=[
        (evt.EVT_C_ECHO, refused),
        (evt.EVT_C_ECHO, on_echo),
        (evt.EVT_C_STORE, on_store, ["more"]),
        (evt.EVT_RELEASED, first),
        (evt.EVT_RELEASED, second),
    ],
)
port = server.server_address[1]
assoc = ae.associate(LOCAL, port)
assert assoc.is_established

# C-ECHO
for answer in (0x0000, 0x0122):
    replies["echo"] = answer
    status = assoc.send_c_echo(msg_id=7)
    assert isinstance(status, Dataset)
    assert status.Status == answer
said = Dataset()
said.Status = 0x0122
said.ErrorComment = "why"
said.PatientName = "not in a response"
replies["echo"] = said
status = assoc.send_c_echo()
assert (status.Status, status.ErrorComment) == (0x0122, "why")
assert "PatientName" not in status
event = seen[0]
assert event.message_id == 7
assert event.assoc.is_acceptor
assert event.event is evt.EVT_C_ECHO
assert event.timestamp.tzinfo is None
assert isinstance(event.context, PresentationContextTuple)
assert event.context == (1, Verification, EXPLICIT)
assert event.request.MessageID == 7
assert event.request.AffectedSOPClassUID == Verification
for name in ("dataset", "identifier", "action_type", "is_cancelled_", "attribute_list"):
    assert refused(AttributeError, getattr, event, name), name
for wrong in (-1, 65536):
    assert refused(ValueError, assoc.send_c_echo, wrong), wrong
assert refused(TypeError, assoc.send_c_echo, "1")

# C-STORE
path = get_testdata_file("CT_small.dcm")
ct = dcmread(path)
seen.clear()
assert assoc.send_c_store(ct, 3, 1, "MOVER", 11).Status == 0x0000
assert assoc.send_c_store(path, msg_id=4).Status == 0x0000
assert assoc.send_c_store(Path(path)).Status == 0x0000
event = seen[0]
assert event.request.MoveOriginatorApplicationEntityTitle.strip() == "MOVER"
assert event.request.MoveOriginatorMessageID == 11
assert event.request.Priority == 1
assert event.request.AffectedSOPInstanceUID == ct.SOPInstanceUID
assert event.dataset.PatientName == ct.PatientName
assert event.dataset is event.dataset
meta = event.file_meta
assert meta.FileMetaInformationVersion == b"\x00\x01"
assert meta.FileMetaInformationGroupLength == 0
assert meta.MediaStorageSOPClassUID == CTImageStorage
assert meta.MediaStorageSOPInstanceUID == ct.SOPInstanceUID
assert meta.TransferSyntaxUID == EXPLICIT
assert meta.ImplementationClassUID == ae.implementation_class_uid
assert meta.ImplementationVersionName == ae.implementation_version_name
raw = event.request.DataSet.getvalue()
whole = event.encoded_dataset()
assert whole[:128] == bytes(128)
assert whole[128:132] == b"DICM"
assert whole.endswith(raw)
assert event.encoded_dataset(include_meta=False) == raw
assert refused(AttributeError, lambda: seen[0].dataset_path) or event.dataset_path is None

for answer in (0x0000, 0xB000, 0xA700, 0xC123, 0x0117, 0x1234):
    replies["store"] = answer
    assert assoc.send_c_store(ct).Status == answer
detailed = Dataset()
detailed.Status = 0xA900
detailed.ErrorComment = "no"
detailed.OffendingElement = [0x00100010]
replies["store"] = detailed
status = assoc.send_c_store(ct)
assert (status.Status, status.ErrorComment) == (0xA900, "no")
assert status.OffendingElement == 0x00100010
for answer, code in ((Dataset(), 0xC001), ("text", 0xC002), (ValueError(), 0xC211)):
    replies["store"] = answer
    assert assoc.send_c_store(ct).Status == code, code
replies["store"] = 0x0000

# what cannot be sent is an error, and the association goes on
assert refused(ValueError, assoc.send_c_store, ct, 65536)
assert refused(ValueError, assoc.send_c_store, ct, 1, 3)
for keyword in ("SOPClassUID", "SOPInstanceUID"):
    less = dcmread(path)
    delattr(less, keyword)
    assert refused(AttributeError, assoc.send_c_store, less), keyword
less = dcmread(path)
del less.file_meta.TransferSyntaxUID
assert refused(AttributeError, assoc.send_c_store, less)
less = dcmread(path)
del less.file_meta
assert refused(AttributeError, assoc.send_c_store, less)
other = dcmread(path)
other.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
assert refused(ValueError, assoc.send_c_store, other)
packed = dcmread(get_testdata_file("JPEG2000.dcm"))
packed.SOPClassUID = CTImageStorage
assert refused(ValueError, assoc.send_c_store, packed)
folder = Path(tempfile.mkdtemp())
(folder / "text").write_text("no DICOM file, and long enough to be one" * 10)
assert refused(FileNotFoundError, assoc.send_c_store, folder / "missing")
assert refused(InvalidDicomError, assoc.send_c_store, folder / "text")
assert refused(OSError, assoc.send_c_store, folder)
assert assoc.send_c_store(ct).Status == 0x0000

# implicit and explicit are converted into each other
again = ae.associate(LOCAL, port, contexts=[build_context(CTImageStorage, IMPLICIT)])
assert again.send_c_store(ct).Status == 0x0000
assert seen[-1].context.transfer_syntax == IMPLICIT
assert seen[-1].dataset.PatientName == ct.PatientName
again.release()
assert over.wait(10)
over.clear()
assert ends == ["first", "second"]

# binding while it runs, on the server and on one association
extra = []
server.bind(evt.EVT_DIMSE_RECV, extra.append)
assert evt.EVT_DIMSE_RECV in server.get_events()
assert assoc.send_c_store(ct).Status == 0x0000
assert len(extra) == 1
assert extra[0].message.command_set.MessageID == 1
server.unbind(evt.EVT_DIMSE_RECV, extra.append)
server.unbind(evt.EVT_C_ECHO, on_echo)
replies["echo"] = 0x0122
assert assoc.send_c_echo().Status == 0x0000  # the default
server.bind(evt.EVT_C_ECHO, on_echo)
assert assoc.send_c_echo().Status == 0x0122
server.unbind(evt.EVT_C_STORE, on_store)
assert assoc.send_c_store(ct).Status == 0xC211
server.bind(evt.EVT_C_STORE, on_store)
assert assoc.send_c_store(ct).Status == 0x0000
assoc.release()
assert over.wait(10)
assert refused(RuntimeError, assoc.send_c_echo)
assert refused(RuntimeError, assoc.send_c_store, ct)

# a handler that aborts, and a peer that says nothing: an empty data set
replies["store"] = lambda event: event.assoc.abort()
assoc = ae.associate(LOCAL, port)
status = assoc.send_c_store(ct)
assert not status
assert isinstance(status, Dataset)
assert not hasattr(status, "Status")
waiting = threading.Event()
replies["store"] = lambda event: waiting.wait(10) or 0x0000
assoc = ae.associate(LOCAL, port)
assoc.dimse_timeout = 0.2
status = assoc.send_c_store(ct)
waiting.set()
assert not status
assoc.join(10)
assert assoc.is_aborted
replies["store"] = 0x0000

# data sets that go to files
_config.STORE_RECV_CHUNKED_DATASET = True
paths = []


def keep(event):
    paths.append(event.dataset_path)
    assert dcmread(event.dataset_path).PatientName == ct.PatientName
    assert event.dataset.PatientName == ct.PatientName
    return 0x0000


replies["store"] = keep
assoc = ae.associate(LOCAL, port)
assert assoc.send_c_store(ct).Status == 0x0000
assoc.release()
ae.shutdown()
assert isinstance(paths[0], Path)
assert not paths[0].exists()
