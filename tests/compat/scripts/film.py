"""Print management over the context of its meta SOP class.

boxes: 17.3 3.23 3.24
"""

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    BasicFilmSession,
    BasicGrayscalePrintManagementMeta,
    Printer,
    PrinterInstance,
)


def on_get(event):
    wanted = event.attribute_identifiers
    assert [int(tag) for tag in wanted] == [0x21100010, 0x21100020], wanted
    ds = Dataset()
    ds.PrinterStatus = "NORMAL"
    ds.PrinterStatusInfo = ""
    return 0x0000, ds


def on_create(event):
    assert event.request.AffectedSOPClassUID == BasicFilmSession
    return 0x0000, event.attribute_list


def on_delete(event):
    return 0x0000


ae = AE()
ae.add_supported_context(BasicGrayscalePrintManagementMeta)
ae.add_requested_context(BasicGrayscalePrintManagementMeta)
server = ae.start_server(
    ("127.0.0.1", 0),
    block=False,
    evt_handlers=[
        (evt.EVT_N_GET, on_get),
        (evt.EVT_N_CREATE, on_create),
        (evt.EVT_N_DELETE, on_delete),
    ],
)
assoc = ae.associate("127.0.0.1", server.server_address[1])
assert assoc.is_established
meta = BasicGrayscalePrintManagementMeta
tags = [(0x2110, 0x0010), (0x2110, 0x0020)]
status, printer = assoc.send_n_get(tags, Printer, PrinterInstance, meta_uid=meta)
assert status.Status == 0x0000, status
assert printer.PrinterStatus == "NORMAL"

session = Dataset()
session.NumberOfCopies = "1"
uid = generate_uid()
status, made = assoc.send_n_create(session, BasicFilmSession, uid, meta_uid=meta)
assert status.Status == 0x0000, status
assert made.NumberOfCopies == 1
status = assoc.send_n_delete(BasicFilmSession, uid, meta_uid=meta)
assert status.Status == 0x0000, status
assoc.release()
ae.shutdown()
