"""What comes to a connection, and how it ends, into the primitives that users are told it by."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from dicomwire.compat.dimse_messages import message_of
from dicomwire.compat.dimse_primitives import filled, primitive_kind
from dicomwire.compat.pdu import pdu_of
from dicomwire.compat.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA
from dicomwire.network.presentation import from_answered
from dicomwire.protocol.connection import Event
from dicomwire.protocol.errors import Aborted, Error, Rejected, Released
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.pdus import Abort, AnyPDU, AssociateAC, AssociateRJ, AssociateRQ, ReleaseRP

Primitive = A_ASSOCIATE | A_RELEASE | A_ABORT | A_P_ABORT | P_DATA


def primitive_of(pdu: AnyPDU, request: AssociateRQ | None = None) -> Any:
    """Return the primitive of a PDU of the association control.

    Parameters
    ----------
    pdu : AnyPDU
        Any but P-DATA-TF.
    request : AssociateRQ, optional
        What an acceptance answers: it names the abstract syntaxes.
    """
    primitive = pdu_of(pdu).to_primitive()
    if isinstance(pdu, AssociateAC) and request is not None:
        asked = {each.context_id: each for each in request.presentation_contexts}
        primitive.presentation_context_definition_results_list = [
            from_answered(each, asked)
            for each in pdu.presentation_contexts
            if each.context_id in asked
        ]
    return primitive


def request_of(message: Message) -> Any:
    """Return the primitive of a request, e.g. a `C_STORE`; its data set is made when looked at."""
    data = message.data
    later = (lambda: BytesIO(data.data)) if isinstance(data, Memory) else None
    return filled(primitive_kind(message.command), message.command, later, message.context_id)


def indication_of(event: Event, request: AssociateRQ | None) -> Primitive:
    """Return the primitive of an event of a connection; a message is one P-DATA with all of it."""
    if not isinstance(event, Message):
        found: Primitive = primitive_of(event, request)
        return found
    data = event.data.data if isinstance(event.data, Memory) else None
    fragments = message_of(event.context_id, event.command, data).encode_msg(event.context_id, 0)
    made = P_DATA()
    made.presentation_data_value_list = [
        value for each in fragments for value in each.presentation_data_value_list
    ]
    return made


def end_of(ended: Error | None) -> Primitive | None:
    """Return the primitive that tells how an association ended; None when we ended it."""
    last: AnyPDU = Abort(2, 0)  # PS3.8 AA-4: the connection is lost
    if isinstance(ended, Released):
        last = ReleaseRP()
    elif isinstance(ended, Rejected):
        last = AssociateRJ(ended.result, ended.source, ended.reason)
    elif isinstance(ended, Aborted):
        last = Abort(ended.source, ended.reason)
    if ended is None or (isinstance(ended, Aborted) and not ended.by_peer):
        return None
    found: Primitive = primitive_of(last)
    return found
