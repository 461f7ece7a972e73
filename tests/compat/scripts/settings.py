"""The settings of `_config`, loggers and the small tools that programs import."""

import logging
from io import BytesIO

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pynetdicom import AE, _config, evt
from pynetdicom.dsutils import decode, encode, pretty_dataset, split_dataset
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import CTImageStorage, Verification
from pynetdicom.utils import pretty_bytes

logging.getLogger("pynetdicom").setLevel(logging.DEBUG)
lines = []


class Keep(logging.Handler):
    """Keeps the text of each record."""

    def emit(self, record):
        lines.append(record.getMessage())


logging.getLogger("pynetdicom").addHandler(Keep())
_config.UNRESTRICTED_STORAGE_SERVICE = True
_config.STORE_RECV_CHUNKED_DATASET = True
kept = []


def on_store(event):
    kept.append(dcmread(event.dataset_path).PatientName)
    return 0x0000


ae = AE()
ae.add_supported_context(Verification)
server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
ct = dcmread(get_testdata_file("CT_small.dcm"))
context = build_context(CTImageStorage, ct.file_meta.TransferSyntaxUID)
assert isinstance(context, PresentationContext)
assoc = ae.associate("127.0.0.1", server.server_address[1], contexts=[context])
assert assoc.is_established
assert assoc.send_c_store(ct).Status == 0
assoc.release()
ae.shutdown()
assert kept == [ct.PatientName]
assert "Association Accepted" in lines
assert any("A-ASSOCIATE-RQ PDU" in line for line in lines)

_config.LOG_HANDLER_LEVEL = "none"
lines.clear()
server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
ae.associate("127.0.0.1", server.server_address[1], contexts=[context]).release()
ae.shutdown()
assert lines
assert not any("A-ASSOCIATE-RQ PDU" in line for line in lines), lines

meta, offset = split_dataset(get_testdata_file("CT_small.dcm"))
assert (meta.TransferSyntaxUID, offset) == ("1.2.840.10008.1.2.1", 336)
again = decode(BytesIO(encode(ct, True, True)), True, True)
assert again.PatientID == ct.PatientID
assert any("PatientID" in line for line in pretty_dataset(again))
assert pretty_bytes(b"\x00\x10")[0].split() == ["00", "10"]
