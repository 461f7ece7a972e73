"""`utils`, `dsutils`, `timer` and `_handlers`.

boxes: 14.1 14.2 14.3 14.4 14.5
"""

import contextlib
import io
from io import BytesIO

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, _config, _handlers, evt
from pynetdicom.dsutils import (
    create_file_meta,
    decode,
    encode,
    encode_file_meta,
    pretty_dataset,
    pretty_element,
    split_dataset,
)
from pynetdicom.sop_class import CTImageStorage, Verification
from pynetdicom.timer import Timer
from pynetdicom.utils import (
    decode_bytes,
    make_target,
    pretty_bytes,
    set_ae,
    set_timer_resolution,
    set_uid,
    validate_uid,
)


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


assert decode_bytes(b"ABC") == "ABC"
assert refused(ValueError, decode_bytes, b"\xe9")
_config.CODECS = ("ascii", "latin-1")
assert isinstance(decode_bytes(b"\xe9"), str)
_config.CODECS = ("ascii",)
assert make_target(len) is len
assert len(pretty_bytes(bytes(20))) == 2
assert "00" in pretty_bytes(bytes(20))[0]
assert "Only dumping 16 bytes." in pretty_bytes(bytes(20), max_size=16)[0]
assert set_ae("A", "title") == "A"
assert set_ae(None, "title") is None
assert refused(ValueError, set_ae, "", "title", False)
assert refused((TypeError, ValueError), set_ae, None, "title", True, False)
assert refused(TypeError, set_ae, 1, "title")
assert refused(ValueError, set_ae, "A" * 17, "title")
assert isinstance(set_uid("1.2.3", "uid"), UID)
assert set_uid(b"1.2.3", "uid") == "1.2.3"
assert set_uid(None, "uid") is None
assert refused(ValueError, set_uid, "1" * 65, "uid")
assert refused(TypeError, set_uid, 1, "uid")
with set_timer_resolution(1):
    pass
assert validate_uid(UID("1.2.3"))
assert not validate_uid(UID("1" * 65))

# validators of one's own
before = dict(_config.VALIDATORS)
_config.VALIDATORS["AE"] = lambda value: (value == "GOOD", "not good")
assert AE(ae_title="GOOD").ae_title == "GOOD"
assert refused(ValueError, AE, "BAD")
_config.VALIDATORS.update(before)
_config.VALIDATORS["UI"] = lambda value: (value != "1.2.3", "not this one")
assert refused(ValueError, AE().add_requested_context, "1.2.3")
AE().add_requested_context("1.2.4")
_config.VALIDATORS.update(before)

path = get_testdata_file("CT_small.dcm")
ct = dcmread(path)
for implicit, little, deflated in ((True, True, False), (False, True, True), (False, True, False)):
    data = encode(ct, implicit, little, deflated)
    assert isinstance(data, bytes)
    assert decode(BytesIO(data), implicit, little, deflated).PatientName == ct.PatientName
bad = Dataset()
bad.PatientName = "A"
bad["PatientName"].VR = "US"
assert encode(bad, True, True) is None
meta = create_file_meta(
    sop_class_uid=CTImageStorage,
    sop_instance_uid=UID("1.2.3"),
    transfer_syntax=UID("1.2.840.10008.1.2"),
    implementation_uid=UID("1.2.4"),
    implementation_version="V",
)
assert meta.MediaStorageSOPInstanceUID == "1.2.3"
assert encode_file_meta(meta).startswith(b"\x02\x00\x00\x00UL\x04\x00")
meta, offset = split_dataset(path)
assert (meta.TransferSyntaxUID, offset) == ("1.2.840.10008.1.2.1", 336)

ds = Dataset()
ds.PatientName = "A^B"
ds.PatientID = ""
ds.ImageType = ["ORIGINAL", "PRIMARY"]
ds.PixelData = bytes(64)
ds["PixelData"].VR = "OB"
ds.ReferencedStudySequence = [Dataset()]
ds.ReferencedStudySequence[0].ReferencedSOPInstanceUID = "1.2"
assert pretty_element(ds["PatientName"]) == (
    "(0010,0010) PN [A^B]                                    # 1 PatientName"
)
assert "(no value available)" in pretty_element(ds["PatientID"])
assert r"[ORIGINAL\PRIMARY]" in pretty_element(ds["ImageType"])
assert "(64 bytes of binary data)" in pretty_element(ds["PixelData"])
shown = list(pretty_dataset(ds))
assert any("(Sequence with 1 item)" in line for line in shown)
assert any("(Sequence item #1)" in line for line in shown)
assert any("ReferencedSOPInstanceUID" in line and line.startswith("  ") for line in shown)

timer = Timer(10)
assert timer.timeout == 10
assert not timer.expired
timer.start()
assert 0 < timer.remaining <= 10
timer.restart()
timer.stop()
assert not timer.expired
timer.timeout = None
assert not timer.expired
assert timer.remaining == 1

ae = AE()
ae.add_supported_context(Verification)
ae.add_requested_context(Verification)
server = ae.start_server(("127.0.0.1", 0), block=False)
said = io.StringIO()
with contextlib.redirect_stdout(said):
    assoc = ae.associate(
        "127.0.0.1",
        server.server_address[1],
        evt_handlers=[
            (evt.EVT_FSM_TRANSITION, _handlers.debug_fsm),
            (evt.EVT_DATA_SENT, _handlers.debug_data),
            (evt.EVT_DATA_RECV, _handlers.debug_data, [2]),
        ],
    )
    assoc.release()
ae.shutdown()
documented = [name for name in dir(_handlers) if name.startswith("doc_handle_")]
assert len(documented) >= 20, len(documented)
