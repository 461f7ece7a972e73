"""Servers and associations that a program makes of its own classes.

boxes: 2.13
"""

import contextlib
import threading

from pynetdicom import AE
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import CTImageStorage, Verification
from pynetdicom.transport import AssociationServer, RequestHandler

LOCAL = "127.0.0.1"


class Handler(RequestHandler):
    """Lets each association know one more context."""

    def _create_association(self):
        assoc = super()._create_association()
        handled.append((self.ae, self.remote.address, self.local.port, assoc.is_acceptor))
        assoc.acceptor.supported_contexts = [
            build_context(Verification),
            build_context(CTImageStorage),
        ]
        return assoc


class Server(AssociationServer):
    """Counts."""

    request_queue_size = 3
    allow_reuse_address = True

    def server_bind(self):
        steps.append("bind")
        super().server_bind()

    def get_request(self):
        steps.append("request")
        return super().get_request()

    def service_actions(self):
        acted.set()

    def server_close(self):
        steps.append("close")
        super().server_close()


handled, steps, acted = [], [], threading.Event()
scp = AE(ae_title="SERVER")
scp.add_supported_context(Verification)
server = scp.make_server((LOCAL, 0), server_class=Server, request_handler=Handler, ae_title="NAMED")
assert isinstance(server, AssociationServer)
assert server.ae is scp
assert server.ae_title == "NAMED"
assert [each.abstract_syntax for each in server.contexts] == [Verification]
assert server.ssl_context is None
assert server.request_queue_size == 3
assert server.active_associations == []
thread = threading.Thread(target=server.serve_forever)
thread.start()
port = server.server_address[1]
ae = AE(ae_title="CLIENT")
ae.add_requested_context(Verification)
ae.add_requested_context(CTImageStorage)
assoc = ae.associate(LOCAL, port)
assert assoc.is_established
assert len(assoc.accepted_contexts) == 2
assert handled == [(scp, LOCAL, port, True)]
assert acted.wait(10)
assoc.release()
with contextlib.suppress(ValueError):  # pynetdicom misses it among the AE's servers
    server.shutdown()
thread.join(10)
assert not thread.is_alive()
assert steps == ["bind", "request", "close"], steps
