"""An association made by hand, as AE.associate makes one.

boxes: 3.9
"""

from pynetdicom import AE, Association
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification
from pynetdicom.transport import AddressInformation, AssociationSocket

LOCAL = "127.0.0.1"


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


scp = AE(ae_title="SERVER")
scp.add_supported_context(Verification)
ae = AE(ae_title="CLIENT")
server = scp.start_server((LOCAL, 0), block=False)
port = server.server_address[1]
assoc = Association(ae, "requestor")
assoc.acceptor.ae_title = "CALLED"
assoc.acceptor.address_info = AddressInformation.from_tuple((LOCAL, port))
assoc.requestor.ae_title = "BY HAND"
assoc.requestor.maximum_length = 4096
assoc.requestor.implementation_class_uid = "1.2.3"
assoc.requestor.implementation_version_name = "HAND"
assoc.requestor.address_info = AddressInformation.from_tuple((LOCAL, 0))
wanted = build_context(Verification)
wanted.context_id = 1
assoc.requestor.requested_contexts = [wanted]
socket = AssociationSocket(assoc, address=assoc.requestor.address_info)
assoc.set_socket(socket)
assert refused(RuntimeError, assoc.set_socket, socket)
assert refused(ValueError, AssociationSocket, assoc)
assoc.request()
assert assoc.is_established
assert assoc.send_c_echo().Status == 0x0000
assoc.kill()
assoc.join(10)
assert not assoc.is_alive()
scp.shutdown()
