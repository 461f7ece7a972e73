"""Verification as a user of pynetdicom writes it: a server with a handler, and a client.

boxes: 17.3 3.16
"""

from pynetdicom import AE, debug_logger, evt
from pynetdicom.sop_class import Verification

debug_logger()
seen = []


def on_echo(event, note):
    seen.append((event.assoc.requestor.ae_title, event.message_id, note))
    return 0x0000


scp = AE(ae_title="ECHO_SCP")
scp.add_supported_context(Verification)
server = scp.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, on_echo, ["hello"])]
)

scu = AE()
assert scu.ae_title == "PYNETDICOM"
assert scu.maximum_associations == 10
scu.add_requested_context("1.2.840.10008.1.1")
assoc = scu.associate("127.0.0.1", server.server_address[1], ae_title="ECHO_SCP")
if not assoc.is_established:
    raise SystemExit("no association")
status = assoc.send_c_echo(msg_id=7)
assert status
assert status.Status == 0x0000
assoc.release()
assert assoc.is_released
server.shutdown()
assert seen == [("PYNETDICOM", 7, "hello")], seen
