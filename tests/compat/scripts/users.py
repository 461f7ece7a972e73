"""Both sides of an association, before and after they have spoken.

boxes: 4.1 4.2 4.3 4.4 4.5 4.6 6.1 6.2 6.7
"""

import threading

from pynetdicom import AE, build_context, build_role, evt
from pynetdicom.pdu_primitives import (
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, Verification

LOCAL = "127.0.0.1"


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


found = {}
done = threading.Event()


def on_requested(event):
    """Changes what this acceptor is going to say."""
    user, peer = event.assoc.acceptor, event.assoc.requestor
    found["asked"] = sorted(peer.sop_class_extended)
    assert not peer.writeable
    assert refused(RuntimeError, setattr, peer, "maximum_length", 1)
    assert user.writeable
    assert user.ae_title == "SERVER"
    assert [each.abstract_syntax for each in user.supported_contexts] == [Verification]
    user.supported_contexts = [build_context(Verification), build_context(CTImageStorage)]
    assert len(user.get_contexts("supported")) == 2
    assert refused(AttributeError, setattr, user, "requested_contexts", [])
    user.maximum_length = 4096
    user.implementation_class_uid = "1.2.3.4"
    user.implementation_version_name = "CHANGED"
    assert (user.maximum_length, user.implementation_version_name) == (4096, "CHANGED")
    assert refused(ValueError, setattr, user, "implementation_version_name", "")
    extended = SOPClassExtendedNegotiation()
    extended.sop_class_uid = Verification
    extended.service_class_application_information = b"\x09"
    user.add_negotiation_item(extended)
    assert user.extended_negotiation == [extended]
    user.remove_negotiation_item(extended)
    assert user.extended_negotiation == []
    user.add_negotiation_item(extended)
    user.reset_negotiation_items()
    assert user.extended_negotiation == []
    user.add_negotiation_item(extended)
    assert refused(TypeError, user.add_negotiation_item, "item")
    assert refused(TypeError, user.add_negotiation_item, common)


def on_user_id(event):
    found["user"] = (event.user_id_type, event.primary_field)
    return True, b"granted"


def on_common(event):
    return event.items


def on_established(event):
    user, peer = event.assoc.acceptor, event.assoc.requestor
    found["common"] = user.accepted_common_extended
    found["info"] = event.assoc.remote
    found["peer"] = (peer.ae_title.strip(), peer.address, peer.is_requestor, peer.mode)
    assert user.is_acceptor
    assert user.assoc is event.assoc
    assert not user.writeable
    for change in (
        lambda: user.add_negotiation_item(build_role(CTImageStorage, True)),
        user.reset_negotiation_items,
        lambda: setattr(user, "maximum_length", 1),
        lambda: setattr(user, "supported_contexts", []),
        lambda: setattr(user, "implementation_version_name", "LATE"),
    ):
        assert refused(RuntimeError, change)
    done.set()


common = SOPClassCommonExtendedNegotiation()
common.sop_class_uid = CTImageStorage
common.service_class_uid = "1.2.840.10008.4.2"
common.related_general_sop_class_identification = [MRImageStorage]
extended = SOPClassExtendedNegotiation()
extended.sop_class_uid = CTImageStorage
extended.service_class_application_information = b"\x01\x02"
user_id = UserIdentityNegotiation()
user_id.user_identity_type = 3
user_id.positive_response_requested = True
user_id.primary_field = b"ticket"

scp = AE(ae_title="SERVER")
scp.add_supported_context(Verification)
server = scp.start_server(
    (LOCAL, 0),
    block=False,
    evt_handlers=[
        (evt.EVT_REQUESTED, on_requested),
        (evt.EVT_USER_ID, on_user_id),
        (evt.EVT_SOP_COMMON, on_common),
        (evt.EVT_ESTABLISHED, on_established),
    ],
)
port = server.server_address[1]
ae = AE(ae_title="CLIENT")
for uid in (Verification, CTImageStorage, MRImageStorage):
    ae.add_requested_context(uid)
ae.implementation_version_name = None
assoc = ae.associate(
    LOCAL,
    port,
    ae_title="ECHOED",
    ext_neg=[common, extended, user_id, build_role(CTImageStorage, True)],
)
assert assoc.is_established
assert done.wait(10)
here, there = assoc.requestor, assoc.acceptor
assert found["asked"] == [CTImageStorage]
assert found["user"] == (3, b"ticket")
assert found["common"] == {CTImageStorage: ("1.2.840.10008.4.2", [MRImageStorage])}
assert found["peer"] == ("CLIENT", LOCAL, True, "requestor")
assert found["info"]["port"] == assoc.local["port"]

assert not here.writeable
assert here.is_requestor
assert not there.is_requestor
assert (here.mode, there.mode) == ("requestor", "acceptor")
assert here.assoc is assoc
assert there.ae_title.strip() == "ECHOED"  # the acceptance echoes what it was called
assert (there.address, there.port) == (LOCAL, port)
assert there.address_info.address == LOCAL
assert there.address_info.port == port
assert there.address_info.as_tuple == (LOCAL, port)
assert there.address_info.is_ipv4
assert here.primitive is not None
assert there.primitive is not None
assert here.maximum_length == 16382
assert here.implementation_version_name is None
assert there.maximum_length == 4096
assert there.implementation_class_uid == "1.2.3.4"
assert there.implementation_version_name == "CHANGED"
assert [each.abstract_syntax for each in assoc.accepted_contexts] == [Verification, CTImageStorage]
assert len(here.get_contexts("requested")) == 3
assert len(here.get_contexts("pcdl")) == 3
assert len(there.get_contexts("pcdrl")) == 3
for user, kind in ((here, "supported"), (there, "requested"), (here, "pcdrl"), (here, "nothing")):
    assert refused(ValueError, user.get_contexts, kind), kind
assert len(here.extended_negotiation) == 4
assert list(here.role_selection) == [CTImageStorage]
assert here.role_selection[CTImageStorage].scu_role is True
assert here.asynchronous_operations == (1, 1)
assert here.sop_class_extended == {CTImageStorage: b"\x01\x02"}
assert list(here.sop_class_common_extended) == [CTImageStorage]
assert there.sop_class_common_extended == {}
assert there.sop_class_extended == {Verification: b"\x09"}
assert refused(RuntimeError, lambda: here.accepted_common_extended)
assert here.user_identity.primary_field == b"ticket"
assert there.user_identity.server_response == b"granted"
assert len(here.user_information) == 6
assert here.info["ae_title"].strip() == "CLIENT"
assert refused(RuntimeError, here.add_negotiation_item, user_id)
assoc.release()

# nothing is accepted: the acceptor says so, the requestor gives up
assoc = ae.associate(LOCAL, port, contexts=[build_context(MRImageStorage)])
assert assoc.is_aborted
server.shutdown()


def reject(event):
    event.assoc.acse.send_reject(2, 1, 2)


def abort(event):
    event.assoc.abort()


for handler in (reject, abort):
    server = scp.start_server((LOCAL, 0), block=False, evt_handlers=[(evt.EVT_REQUESTED, handler)])
    assoc = ae.associate(LOCAL, server.server_address[1])
    assert not assoc.is_established
    assert assoc.is_rejected or assoc.is_aborted
    server.shutdown()
scp.shutdown()
