"""How associations begin, are looked at, and end.

boxes: 2.4 2.5 2.6 2.7 2.8 2.10 2.11 2.12 2.13 2.14 2.15 2.16 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.10
"""

import socket
import ssl
import threading

from pynetdicom import AE, Association, build_context, build_role, evt
from pynetdicom.association import Association as FromModule
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, Verification

LOCAL = "127.0.0.1"


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


ended, came = threading.Event(), threading.Event()
accepted = []


def on_established(event):
    accepted.append(event.assoc)
    came.set()


def on_end(event):
    ended.set()


scp = AE(ae_title="SERVER")
scp.add_supported_context(Verification)
scp.add_supported_context(CTImageStorage)
assert refused(ValueError, AE().start_server, (LOCAL, 0), False)
half = build_context(Verification)
half.scu_role = True
assert refused(ValueError, scp.make_server, (LOCAL, 0), contexts=[half])
assert refused(ValueError, scp.make_server, (LOCAL, 0), ae_title="A" * 17)
server = scp.start_server(
    (LOCAL, 0),
    block=False,
    evt_handlers=[
        (evt.EVT_ESTABLISHED, on_established),
        (evt.EVT_RELEASED, on_end),
        (evt.EVT_ABORTED, on_end),
    ],
)
port = server.server_address[1]
assert server.socket.getsockname() == server.server_address
assert any(each.name.startswith("AcceptorServer@") for each in threading.enumerate())

ae = AE(ae_title="CLIENT")
assert refused(RuntimeError, ae.associate, LOCAL, port)
ae.add_requested_context(Verification)
for wrong in ((1234, port), (LOCAL, "port")):
    assert refused(TypeError, ae.associate, *wrong), wrong
assert refused(socket.gaierror, ae.associate, "no.such.host.invalid", port)
assert refused(ValueError, ae.associate, LOCAL, port, contexts=["1.2.3"])
many = [build_context(f"1.2.3.{number}") for number in range(129)]
assert refused(ValueError, ae.associate, LOCAL, port, contexts=many)
assert refused(ValueError, ae.associate, LOCAL, port, ae_title="A" * 17)
assert refused(TypeError, ae.associate, LOCAL, port, ext_neg=["none"])
for wrong in ("127.0.0.1", (1, 2), (LOCAL, "1")):
    assert refused(TypeError, ae.associate, LOCAL, port, bind_address=wrong), wrong

# an association, as both sides see it
given = [build_context(MRImageStorage), build_context(Verification), build_context(CTImageStorage)]
seen = []


def on_open(event, *more):
    seen.append((event.event.name, event.address, more))


assoc = ae.associate(
    "localhost",
    port,
    contexts=given,
    ae_title="CALLED",
    max_pdu=0,
    ext_neg=[build_role(CTImageStorage, scu_role=True)],
    bind_address=(LOCAL, 0),
    evt_handlers=[(evt.EVT_CONN_OPEN, on_open, [1, 2]), (evt.EVT_CONN_OPEN, on_open)],
)
assert FromModule is Association
assert isinstance(assoc, Association)
assert isinstance(assoc, threading.Thread)
assert assoc.is_established
assert not any((assoc.is_rejected, assoc.is_aborted, assoc.is_released))
assert assoc.is_requestor
assert not assoc.is_acceptor
assert assoc.mode == "requestor"
assert assoc.ae is ae
assert assoc.is_alive()
assert given[0].context_id is None
assert seen == [("EVT_CONN_OPEN", (LOCAL, port), (1, 2)), ("EVT_CONN_OPEN", (LOCAL, port), ())]
assert [each.context_id for each in assoc.accepted_contexts] == [3, 5]
assert [each.abstract_syntax for each in assoc.rejected_contexts] == [MRImageStorage]
assert [each.context_id for each in assoc.requestor.requested_contexts] == [1, 3, 5]
assert assoc.remote["ae_title"].strip() == "CALLED"
assert (assoc.remote["address"], assoc.remote["port"]) == (LOCAL, port)
assert assoc.local["ae_title"].strip() == "CLIENT"
assert assoc.local["mode"] == "requestor"
assert assoc.local["pdv_size"] == 0
assert assoc.remote["pdv_size"] == 16382
assert assoc.name.startswith("RequestorThread@")
with assoc.lock:
    pass
assert assoc.dul.state_machine.current_state == "Sta6"
assert assoc.dul.socket.socket.getpeername() == (LOCAL, port)
assert assoc.dul.is_alive()
assert assoc.dul.stop_dul() is False
assert assoc.dul.idle_timer_expired() is False
assert assoc.dimse.dimse_timeout == 30
assert assoc.dimse.maximum_pdu_size == 16382
assert assoc.dimse.dul.assoc is assoc
assert assoc.dimse.peek_msg() == (None, None)
assert refused(RuntimeError, assoc.set_socket, assoc.dul.socket)
assert came.wait(10)
there = accepted[0]
assert there.is_acceptor
assert there.mode == "acceptor"
assert there.ae is scp
assert there.name.startswith("AcceptorThread@")
assert there in scp.active_associations
assert there in server.active_associations
assert assoc in ae.active_associations
assert "CLIENT" in str(scp).splitlines()[-1]

assert assoc.network_timeout_response == "A-ABORT"
assoc.network_timeout_response = "A-RELEASE"
assert (assoc.acse_timeout, assoc.dimse_timeout) == (30, 30)
assert (assoc.network_timeout, assoc.connection_timeout) == (60, None)
ae.dimse_timeout = 12
assert assoc.dimse_timeout == 12
assoc.acse_timeout = 5
assoc.network_timeout = None
assert (assoc.acse_timeout, ae.acse_timeout) == (5, 30)

# handlers come and go
assert evt.EVT_CONN_OPEN in assoc.get_events()
names = [each.name for each in assoc.get_events()]
assert names == sorted(names)
bound = assoc.get_handlers(evt.EVT_CONN_OPEN)
assert [(handler, list(args or [])) for handler, args in bound] == [
    (on_open, [1, 2]),
    (on_open, []),
]
assert assoc.get_handlers(evt.EVT_RELEASED) == []
assoc.bind(evt.EVT_RELEASED, on_end)
assoc.bind(evt.EVT_RELEASED, on_end)
assert len(assoc.get_handlers(evt.EVT_RELEASED)) == 1
assoc.unbind(evt.EVT_RELEASED, on_end)
assert assoc.get_handlers(evt.EVT_RELEASED) == []
assoc.bind(evt.EVT_C_STORE, on_open, [3])
assert assoc.get_handlers(evt.EVT_C_STORE) == (on_open, [3])
assoc.unbind(evt.EVT_C_STORE, on_open)

assert ended.clear() is None
assoc.release()
assert assoc.is_released
assert not assoc.is_established
assert ended.wait(10)
assoc.release()
assoc.abort()
assert assoc.is_released
assert not assoc.is_aborted
assoc.join(10)

# other ways to end
ended.clear()
assoc = ae.associate(LOCAL, port)
assoc.abort()
assert assoc.is_aborted
assert not assoc.is_established
assert ended.wait(10)
scp.require_called_aet = True
assoc = ae.associate(LOCAL, port)
assert assoc.is_rejected
assert not assoc.is_aborted
said = assoc.acceptor.primitive
assert (said.result, said.result_source, said.diagnostic) == (1, 1, 7)
scp.require_called_aet = False
assoc = ae.associate(LOCAL, port, contexts=[build_context(MRImageStorage)])
assert assoc.is_aborted  # nothing accepted
with socket.create_server((LOCAL, 0)) as deaf:
    ae.acse_timeout = 0.2
    assoc = ae.associate(LOCAL, deaf.getsockname()[1])
    assert assoc.is_aborted
assert refused(OSError, ae.associate, LOCAL, port, bind_address=("203.0.113.1", 0))
ae.acse_timeout = 30
with socket.socket() as closed:
    closed.bind((LOCAL, 0))
    assoc = ae.associate(LOCAL, closed.getsockname()[1])
assert assoc.is_aborted

# TLS that the server does not speak is a connection that cannot be had
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
ae.acse_timeout = ae.connection_timeout = 1
scp.acse_timeout = 1
assoc = ae.associate(LOCAL, port, tls_args=(context, None))
assert assoc.is_aborted
ae.acse_timeout, ae.connection_timeout = 30, None

# a server's own title and contexts
other = scp.start_server(
    (LOCAL, 0), block=False, ae_title="OTHER", contexts=[build_context(MRImageStorage)]
)
assert other.ae_title == "OTHER"
scp.require_called_aet = True
assoc = ae.associate(
    LOCAL, other.server_address[1], [build_context(MRImageStorage)], ae_title="OTHER"
)
assert assoc.is_established
assert [each.abstract_syntax for each in assoc.accepted_contexts] == [MRImageStorage]
other.shutdown()
assert assoc.is_established  # what runs goes on
assoc.release()
assert assoc.is_released
scp.require_called_aet = False

assoc = ae.associate(LOCAL, port)
assert assoc.is_established
ended.clear()
scp.shutdown()
assert ended.wait(10)
scp.shutdown()
assert ae.associate(LOCAL, port).is_aborted

# an association made by hand
loose = Association(ae, "ReQuestor")
assert loose.is_requestor
assert not any((loose.is_established, loose.is_alive()))
assert refused((TypeError, ValueError, AttributeError), Association, ae, None)
assert refused(ValueError, Association, ae, "other")
assert loose.dul.state_machine.current_state == "Sta1"
