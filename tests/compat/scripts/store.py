"""A storage server that keeps what it gets, and a client that sends data sets and files.

boxes: 17.3 3.17
"""

import tempfile
from pathlib import Path

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    StoragePresentationContexts,
    evt,
)
from pynetdicom.sop_class import CTImageStorage

folder = Path(tempfile.mkdtemp())


def save(event, where):
    ds = event.dataset
    ds.file_meta = event.file_meta
    ds.save_as(where / ds.SOPInstanceUID, enforce_file_format=True)
    raw = where / f"{event.request.AffectedSOPInstanceUID}.raw"
    raw.write_bytes(event.encoded_dataset())
    return 0x0000


ae = AE()
syntaxes = list(ALL_TRANSFER_SYNTAXES)
for context in AllStoragePresentationContexts:
    ae.add_supported_context(context.abstract_syntax, syntaxes)
server = ae.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, save, [folder])]
)

ae.requested_contexts = StoragePresentationContexts
assert len(ae.requested_contexts) == 120
assoc = ae.associate("127.0.0.1", server.server_address[1])
assert assoc.is_established
path = get_testdata_file("CT_small.dcm")
ct = dcmread(path)
assert assoc.send_c_store(ct).Status == 0
assert assoc.send_c_store(path, msg_id=2, originator_aet="MOVER", originator_id=5).Status == 0
ct.SOPClassUID = "1.2.3.4"
try:
    assoc.send_c_store(ct)
except ValueError:
    pass
else:
    raise AssertionError("nothing was raised")
assoc.release()
ae.shutdown()

saved = sorted(folder.iterdir())
assert len(saved) == 2, saved
for each in saved:
    kept = dcmread(each)
    assert kept.SOPClassUID == CTImageStorage
    assert kept.PatientName == ct.PatientName
