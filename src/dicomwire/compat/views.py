"""PDUs and messages of the wire into the objects that pynetdicom's users know."""

from __future__ import annotations

from dicomwire.compat.dimse import DIMSEServiceProvider
from dicomwire.compat.dimse_messages import message_of
from dicomwire.compat.dul import DULServiceProvider
from dicomwire.compat.indications import primitive_of, request_of
from dicomwire.compat.pdu import pdu_of

__all__ = ["dimse_of", "dul_of", "message_of", "pdu_of", "primitive_of", "request_of"]

dimse_of = DIMSEServiceProvider
dul_of = DULServiceProvider
