"""The seven PDUs <-> bytes (PS3.8 9.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar

from dicomwire.protocol.errors import (
    InvalidParameter,
    LocalError,
    UnexpectedParameter,
    UnrecognizedPDU,
)
from dicomwire.protocol.fields import Fields
from dicomwire.protocol.items import (
    AnyUserItem,
    bytes_of,
    decode_user_information,
    encode_user_information,
    item,
    split_items,
    text_of,
)

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 A.2.1
HEADER = struct.Struct(">BxI")  # PDU type, reserved, length of what follows: PS3.8 9.3.1
MAXIMUM_CONTEXTS = 128  # the odd numbers from 1 to 255: PS3.8 9.3.2.2
MAXIMUM_TRANSFER_SYNTAXES = 256  # of one context; more than DICOM has, so that lists stay short
REMEMBERED = 256  # contexts: programs propose, and accept, the same ones again and again
SHORT = 1024  # bytes of a proposed context that is remembered: a peer is not to fill our memory

_VALUE = struct.Struct(">IBB")  # length of what follows, context, control: PS3.8 9.3.5.1, Annex E
_ASSOCIATE = struct.Struct(">H2x16s16s32x")  # protocol version, called, calling: PS3.8 Table 9-11


def _pdu(pdu_type: int, body: bytes) -> bytes:
    return HEADER.pack(pdu_type, len(body)) + body


def _title(text: str) -> bytes:
    value = bytes_of(text)
    if len(value) > 16:
        raise LocalError(f"AE title {text!r} is longer than 16 characters")
    return value.ljust(16)


@lru_cache(REMEMBERED)
def _encode_proposed(context_id: int, abstract_syntax: str, syntaxes: tuple[str, ...]) -> bytes:
    transfers = b"".join([item(0x40, bytes_of(uid)) for uid in syntaxes])
    abstract = item(0x30, bytes_of(abstract_syntax))
    return item(0x20, bytes((context_id, 0, 0, 0)) + abstract + transfers)


def _read_proposed(body: memoryview) -> tuple[int, str, tuple[str, ...]]:
    context_id = _context_id(body)
    abstract: list[str] = []
    transfer: list[str] = []
    for item_type, content in split_items(body[4:]):
        if item_type == 0x30:
            abstract.append(text_of(content))
        elif item_type == 0x40:
            transfer.append(text_of(content))
        if len(transfer) > MAXIMUM_TRANSFER_SYNTAXES or len(abstract) > 1:
            raise UnexpectedParameter(f"Presentation context {context_id}: too many syntaxes")
    if not abstract or not transfer:
        raise InvalidParameter(f"Presentation context {context_id} lacks a syntax")
    return context_id, abstract[0], tuple(transfer)


@lru_cache(REMEMBERED)
def _decode_proposed(body: bytes) -> tuple[int, str, tuple[str, ...]]:
    return _read_proposed(memoryview(body))


class ProposedContext(Fields):
    """A presentation context as proposed in an A-ASSOCIATE-RQ (PS3.8 9.3.2.2)."""

    def __init__(
        self, context_id: int, abstract_syntax: str, transfer_syntaxes: tuple[str, ...]
    ) -> None:
        self.context_id = context_id
        self.abstract_syntax = abstract_syntax
        self.transfer_syntaxes = transfer_syntaxes

    def encode(self) -> bytes:
        """Return the item (type 20H)."""
        return _encode_proposed(
            self.context_id, self.abstract_syntax, tuple(self.transfer_syntaxes)
        )

    @classmethod
    def decode(cls, body: memoryview) -> ProposedContext:
        """Read the item's body."""
        if len(body) > SHORT:
            return cls(*_read_proposed(body))
        return cls(*_decode_proposed(bytes(body)))


@lru_cache(REMEMBERED)
def _encode_result(context_id: int, result: int, transfer_syntax: str) -> bytes:
    syntax = item(0x40, bytes_of(transfer_syntax))
    return item(0x21, bytes((context_id, 0, result, 0)) + syntax)


class ContextResult(Fields):
    """A presentation context as answered in an A-ASSOCIATE-AC (PS3.8 9.3.3.2).

    Parameters
    ----------
    context_id : int
        As proposed.
    result : int
        0 acceptance, 1 user-rejection, 2 no reason (provider-rejection), 3 abstract syntax not
        supported, 4 transfer syntaxes not supported.
    transfer_syntax : str
        The one accepted; not significant when the result is not 0.
    """

    def __init__(self, context_id: int, result: int, transfer_syntax: str = "") -> None:
        self.context_id = context_id
        self.result = result
        self.transfer_syntax = transfer_syntax

    def encode(self) -> bytes:
        """Return the item (type 21H)."""
        return _encode_result(self.context_id, self.result, self.transfer_syntax)

    @classmethod
    def decode(cls, body: memoryview) -> ContextResult:
        """Read the item's body."""
        context_id = _context_id(body)
        syntaxes = [text_of(content) for kind, content in split_items(body[4:]) if kind == 0x40]
        if len(syntaxes) > 1 or (not syntaxes and body[2] == 0):
            raise InvalidParameter(
                f"Presentation context {context_id}: {len(syntaxes)} transfer syntaxes accepted"
            )
        return cls(context_id, body[2], syntaxes[0] if syntaxes else "")


def _context_id(body: memoryview) -> int:
    if len(body) < 4:
        raise InvalidParameter("Presentation context item is too short")
    if body[0] % 2 == 0:  # PS3.8 9.3.2.2: odd integers only
        raise InvalidParameter(f"Presentation context ID {body[0]} is not odd")
    return body[0]


AnyContext = TypeVar("AnyContext", ProposedContext, ContextResult)


def _decode_variable(
    data: memoryview, context_type: int, decode_context: Callable[[memoryview], AnyContext]
) -> tuple[str, list[AnyContext], list[AnyUserItem]]:
    """Read application context, presentation contexts and user information (PS3.8 9.3.2)."""
    names: list[str] = []
    contexts: list[AnyContext] = []
    users: list[list[AnyUserItem]] = []
    for item_type, body in split_items(data):
        if item_type == 0x10:
            names.append(text_of(body))
        elif item_type == context_type:
            if len(contexts) == MAXIMUM_CONTEXTS:
                raise UnexpectedParameter("More than 128 presentation contexts")
            contexts.append(decode_context(body))
        elif item_type == 0x50:
            users.append(decode_user_information(body))
        if len(names) > 1 or len(users) > 1:
            raise UnexpectedParameter(f"A second item 0x{item_type:02X}")
    if not names:
        raise InvalidParameter("The application context item is missing")
    identifiers = [context.context_id for context in contexts]
    if len(set(identifiers)) != len(identifiers):
        raise InvalidParameter("A presentation context ID is used twice")
    return names[0], contexts, users[0] if users else []


def _decode_fixed(body: memoryview) -> tuple[int, str, str]:
    if len(body) < _ASSOCIATE.size:
        raise InvalidParameter(f"An A-ASSOCIATE PDU of {len(body)} bytes")
    version, called, calling = _ASSOCIATE.unpack_from(body)
    return version, _read_title(called), _read_title(calling)


def _read_title(value: bytes) -> str:
    # PS3.8 9.3.2: leading and trailing spaces are not significant
    return value.strip(b" \0").decode("ascii", "backslashreplace")


class _Associate(Fields, Generic[AnyContext]):
    """What an A-ASSOCIATE-RQ and an A-ASSOCIATE-AC have in common (PS3.8 Tables 9-11 and 9-17)."""

    pdu_type: ClassVar[int]

    def __init__(
        self,
        called_ae_title: str,
        calling_ae_title: str,
        presentation_contexts: list[AnyContext] | None = None,
        user_information: list[AnyUserItem] | None = None,
        application_context_name: str = APPLICATION_CONTEXT,
        protocol_version: int = 1,
    ) -> None:
        self.called_ae_title = called_ae_title
        self.calling_ae_title = calling_ae_title
        self.presentation_contexts: list[AnyContext] = (
            [] if presentation_contexts is None else presentation_contexts
        )
        self.user_information = [] if user_information is None else user_information
        self.application_context_name = application_context_name
        self.protocol_version = protocol_version

    def encode(self) -> bytes:
        """Return the whole PDU."""
        if len(self.presentation_contexts) > MAXIMUM_CONTEXTS:
            raise LocalError("More than 128 presentation contexts")
        titles = _title(self.called_ae_title), _title(self.calling_ae_title)
        return _pdu(
            self.pdu_type,
            _ASSOCIATE.pack(self.protocol_version, *titles)
            + item(0x10, bytes_of(self.application_context_name))
            + b"".join([context.encode() for context in self.presentation_contexts])
            + encode_user_information(self.user_information),
        )


class AssociateRQ(_Associate[ProposedContext]):
    """A-ASSOCIATE-RQ (PS3.8 9.3.2)."""

    pdu_type: ClassVar[int] = 0x01

    @classmethod
    def decode(cls, body: memoryview) -> AssociateRQ:
        """Read what follows the PDU's header."""
        version, called, calling = _decode_fixed(body)
        name, contexts, user = _decode_variable(body[68:], 0x20, ProposedContext.decode)
        return cls(called, calling, contexts, user, name, version)


class AssociateAC(_Associate[ContextResult]):
    """A-ASSOCIATE-AC (PS3.8 9.3.3); the titles are echoed and not significant."""

    pdu_type: ClassVar[int] = 0x02

    @classmethod
    def decode(cls, body: memoryview) -> AssociateAC:
        """Read what follows the PDU's header."""
        version, called, calling = _decode_fixed(body)
        name, contexts, user = _decode_variable(body[68:], 0x21, ContextResult.decode)
        return cls(called, calling, contexts, user, name, version)


def _four(body: memoryview, what: str) -> memoryview:
    if len(body) != 4:  # PS3.8 Tables 9-21 and 9-24 to 9-26
        raise InvalidParameter(f"{what} has {len(body)} bytes after its header instead of 4")
    return body


class AssociateRJ(Fields):
    """A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    pdu_type: ClassVar[int] = 0x03

    def __init__(self, result: int, source: int, reason: int) -> None:
        self.result = result
        self.source = source
        self.reason = reason

    def encode(self) -> bytes:
        """Return the whole PDU."""
        return _pdu(self.pdu_type, bytes((0, self.result, self.source, self.reason)))

    @classmethod
    def decode(cls, body: memoryview) -> AssociateRJ:
        """Read what follows the PDU's header."""
        return cls(*_four(body, "A-ASSOCIATE-RJ")[1:])


class PresentationDataValue(Fields):
    """One presentation data value item (PS3.8 9.3.5.1 and Annex E).

    Parameters
    ----------
    context_id : int
        The presentation context.
    control : int
        Message control header: bit 0 command, bit 1 last fragment.
    data : bytes
        The fragment.
    """

    def __init__(self, context_id: int, control: int, data: bytes | memoryview) -> None:
        self.context_id = context_id
        self.control = control
        self.data = data


@lru_cache(1024)
def data_header(context_id: int, control: int, size: int) -> bytes:
    """Return what stands before the fragment of a P-DATA-TF that has one value.

    Parameters
    ----------
    context_id, control : int
        See `PresentationDataValue`.
    size : int
        Bytes of the fragment.
    """
    return HEADER.pack(PDataTF.pdu_type, size + 6) + _VALUE.pack(size + 2, context_id, control)


class PDataTF(Fields):
    """P-DATA-TF (PS3.8 9.3.5)."""

    pdu_type: ClassVar[int] = 0x04

    def __init__(self, values: list[PresentationDataValue] | None = None) -> None:
        self.values = [] if values is None else values

    def encode(self) -> bytes:
        """Return the whole PDU."""
        parts = (
            _VALUE.pack(len(value.data) + 2, value.context_id, value.control) + bytes(value.data)
            for value in self.values
        )
        return _pdu(self.pdu_type, b"".join(parts))

    @classmethod
    def decode(cls, body: memoryview) -> PDataTF:
        """Read what follows the PDU's header."""
        values, position = [], 0
        while position < len(body):
            if len(body) - position < 6:
                raise InvalidParameter("A presentation data value without its header")
            length, context_id, control = _VALUE.unpack_from(body, position)
            if length < 2 or length > len(body) - position - 4:
                raise InvalidParameter(f"A presentation data value of length {length}")
            start, position = position + 6, position + 4 + length
            values.append(PresentationDataValue(context_id, control, bytes(body[start:position])))
        if not values:
            raise InvalidParameter("A P-DATA-TF without a presentation data value")
        return cls(values)


class ReleaseRQ(Fields):
    """A-RELEASE-RQ (PS3.8 9.3.6)."""

    pdu_type: ClassVar[int] = 0x05

    def encode(self) -> bytes:
        """Return the whole PDU."""
        return _pdu(self.pdu_type, bytes(4))

    @classmethod
    def decode(cls, body: memoryview) -> ReleaseRQ:
        """Read what follows the PDU's header."""
        _four(body, "A-RELEASE-RQ")
        return cls()


class ReleaseRP(Fields):
    """A-RELEASE-RP (PS3.8 9.3.7)."""

    pdu_type: ClassVar[int] = 0x06

    def encode(self) -> bytes:
        """Return the whole PDU."""
        return _pdu(self.pdu_type, bytes(4))

    @classmethod
    def decode(cls, body: memoryview) -> ReleaseRP:
        """Read what follows the PDU's header."""
        _four(body, "A-RELEASE-RP")
        return cls()


class Abort(Fields):
    """A-ABORT (PS3.8 9.3.8)."""

    pdu_type: ClassVar[int] = 0x07

    def __init__(self, source: int = 0, reason: int = 0) -> None:
        self.source = source
        self.reason = reason

    def encode(self) -> bytes:
        """Return the whole PDU."""
        return _pdu(self.pdu_type, bytes((0, 0, self.source, self.reason)))

    @classmethod
    def decode(cls, body: memoryview) -> Abort:
        """Read what follows the PDU's header."""
        return cls(*_four(body, "A-ABORT")[2:])


AnyPDU = AssociateRQ | AssociateAC | AssociateRJ | PDataTF | ReleaseRQ | ReleaseRP | Abort

_DECODERS: dict[int, Callable[[memoryview], AnyPDU]] = {
    1: AssociateRQ.decode,
    2: AssociateAC.decode,
    3: AssociateRJ.decode,
    4: PDataTF.decode,
    5: ReleaseRQ.decode,
    6: ReleaseRP.decode,
    7: Abort.decode,
}


def decode_pdu(pdu_type: int, body: memoryview) -> AnyPDU:
    """Read a PDU from what follows its header.

    Parameters
    ----------
    pdu_type : int
        The first octet of the header.
    body : memoryview
        Exactly as many bytes as the header announced.

    Returns
    -------
    AnyPDU
        One of the seven classes of this file.

    Raises
    ------
    RemoteError
        With the A-ABORT reason that PS3.8 Table 9-26 names for it.
    """
    decode = _DECODERS.get(pdu_type)
    if decode is None:
        raise UnrecognizedPDU(f"Unknown PDU type received '0x{pdu_type:02X}'")
    return decode(body)
