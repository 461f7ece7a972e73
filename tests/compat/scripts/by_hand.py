"""What is below an association: its state, its socket, messages sent and taken by hand.

boxes: 9.1 9.2 10.1 10.2 10.5 10.6 10.7 10.8 10.9
"""

import threading

from pynetdicom import AE, evt
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_ECHO_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_ECHO
from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import (
    ACTIONS,
    EVENTS,
    STATES,
    TRANSITION_TABLE,
    InvalidEventError,
    StateMachine,
)
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.sop_class import Verification
from pynetdicom.transport import (
    T_CONNECT,
    AddressInformation,
    AssociationServer,
    AssociationSocket,
    RequestHandler,
    ThreadedAssociationServer,
)

# the tables of PS3.8 9.2
assert len(STATES) == 13
assert len(EVENTS) == 19
assert len(ACTIONS) == 28
assert len(TRANSITION_TABLE) == 123
assert TRANSITION_TABLE[("Evt1", "Sta1")] == "AE-1"
assert TRANSITION_TABLE[("Evt10", "Sta6")] == "DT-2"
assert ACTIONS["AE-1"][2] == "Sta4"
assert ACTIONS["AR-8"][2] == ("Sta9", "Sta10")
assert all(callable(row[1]) for row in ACTIONS.values())

made = []


class Handler(RequestHandler):
    def handle(self):
        made.append((self.ae, self.local, self.remote))
        super().handle()

    def _create_association(self):
        assoc = super()._create_association()
        assoc.dimse_timeout = 17
        made.append(assoc)
        return assoc


ae = AE()
ae.add_supported_context(Verification)
ae.add_requested_context(Verification)
seen = []
server = ae.make_server(
    ("127.0.0.1", 0),
    evt_handlers=[(evt.EVT_C_ECHO, lambda event: seen.append(event.assoc) or 0)],
    request_handler=Handler,
    server_class=ThreadedAssociationServer,
)
assert isinstance(server, AssociationServer)
assert server.request_queue_size >= 5
assert server.ssl_context is None
assert server.ae is ae
assert server.active_associations == []
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_address[1]

assoc = ae.associate("127.0.0.1", port)
assert assoc.is_established
assert isinstance(assoc.dul, DULServiceProvider)
assert isinstance(assoc.dimse, DIMSEServiceProvider)
assert isinstance(assoc.dul.socket, AssociationSocket)
assert isinstance(assoc.dul.state_machine, StateMachine)
assert assoc.dul.assoc is assoc
assert assoc.dul.state_machine.current_state == "Sta6"
assert assoc.dul.socket.socket.getpeername()[1] == port
assert assoc.dul.network_timeout == assoc.network_timeout
assert assoc.dul.artim_timer.timeout == assoc.acse_timeout
assert not assoc.dul.idle_timer_expired()
assert not assoc.dul.stop_dul()
assert assoc.dul.peek_next_pdu() is None
assert assoc.dul.receive_pdu() is None
assert assoc.dimse.maximum_pdu_size == 16382
assert assoc.dimse.dimse_timeout == 30
assert assoc.dimse.get_msg() == (None, None)
assert assoc.dimse.peek_msg() == (None, None)
assert assoc.dimse.cancel_req == {}
try:
    assoc.dul.state_machine.do_action("Evt1")
except InvalidEventError:
    pass
else:
    raise AssertionError("Evt1 cannot happen in Sta6")
try:
    assoc.dul.state_machine.transition("Sta0")
except ValueError:
    pass
else:
    raise AssertionError("there is no Sta0")
assert assoc.send_c_echo().Status == 0
assert made[1].dimse_timeout == 17
assert made[0][0] is ae
assert made[0][1].as_tuple == ("127.0.0.1", port)
assert made[0][2].address == "127.0.0.1"
assert seen == [made[1]]

# addresses
here = AddressInformation("127.0.0.1", port)
assert here.as_tuple == ("127.0.0.1", port)
assert (here.is_ipv4, here.is_ipv6) == (True, False)
there = AddressInformation.from_addr_port(("::1", 2, 3), 104)
assert there.as_tuple == ("::1", 104, 2, 3)
assert AddressInformation.from_tuple(("127.0.0.1", 11)).port == 11

# a connection by hand
request = A_ASSOCIATE()
request.called_presentation_address = here
connect = T_CONNECT(request)
assert connect.address == ("127.0.0.1", port)
assert connect.address_info is here
assert connect.request is request
for attempt in (lambda: connect.result, lambda: setattr(connect, "result", "Evt5")):
    try:
        attempt()
    except ValueError:
        pass
    else:
        raise AssertionError("there is no such result")
connect.result = "Evt17"
assert connect.result == "Evt17"
try:
    T_CONNECT("127.0.0.1")
except TypeError:
    pass
else:
    raise AssertionError("no A_ASSOCIATE")
try:
    AssociationSocket(assoc)
except ValueError:
    pass
else:
    raise AssertionError("neither a socket nor an address")

# messages in fragments
echo = C_ECHO()
echo.MessageID = 9
echo.AffectedSOPClassUID = Verification
message = C_ECHO_RQ()
message.primitive_to_message(echo)
fragments = list(message.encode_msg(1, 20))
assert len(fragments) > 2
read = DIMSEMessage()
assert [read.decode_msg(each) for each in fragments][-1]
assert read.message_to_primitive().MessageID == 9
for each in fragments:
    assoc.dimse.receive_primitive(each)
context_id, taken = assoc.dimse.get_msg()
assert (context_id, type(taken), taken.MessageID) == (1, C_ECHO, 9)
assoc.release()
assert assoc.is_released
server.server_close()
