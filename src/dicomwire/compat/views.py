"""PDUs and messages of the wire into the objects that pynetdicom's users know."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from dicomwire.compat.dimse_messages import message_of
from dicomwire.compat.dimse_primitives import filled, primitive_kind
from dicomwire.compat.pdu import pdu_of
from dicomwire.network.presentation import from_answered
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.pdus import AnyPDU, AssociateAC, AssociateRQ

__all__ = ["message_of", "pdu_of", "primitive_of", "request_of"]


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
