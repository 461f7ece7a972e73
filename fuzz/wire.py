"""Bytes into PDUs, command sets and messages: only documented errors, and the same in any cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dicomwire.protocol.command import decode_command, encode_command
from dicomwire.protocol.errors import InvalidParameter, LocalError, RemoteError
from dicomwire.protocol.limits import Limits
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.pdus import HEADER, AnyPDU, decode_pdu
from dicomwire.protocol.reader import LARGEST, SMALLEST, UNLIMITED, Reader

PLAN = 4
"""Bytes at the beginning of an input that say how the others are cut."""
_MOST_PIECES = 200
_LIMITS = Limits(pdu_length=UNLIMITED)  # who watches is refused no PDU that others may send


def pdus(data: bytes) -> None:
    """Decode each PDU of a run of them; what decodes is encoded again, to an equal value."""
    view, position = memoryview(data), 0
    while len(view) - position >= HEADER.size:
        pdu_type, length = HEADER.unpack_from(view, position)
        position += HEADER.size
        try:
            pdu = decode_pdu(pdu_type, view[position : position + length])
        except RemoteError:
            pass
        else:
            _encoded_again(pdu)
        position += length


def _encoded_again(pdu: AnyPDU) -> None:
    try:
        encoded = pdu.encode()
    except LocalError:  # text that is not ASCII shows as escapes, which may be longer than allowed
        return
    again = decode_pdu(encoded[0], memoryview(encoded)[HEADER.size :])
    assert again == pdu, f"{pdu} was encoded and decoded to {again}"
    assert again.encode() == encoded


def commands(data: bytes) -> None:
    """Decode a command set; what decodes is encoded again, to an equal value."""
    try:
        command = decode_command(data)
    except InvalidParameter:
        return
    for pads in (False, True):
        try:
            encoded = encode_command(command, pads)
        except LocalError:  # as above
            return
        again = decode_command(encoded)
        given = {keyword: value for keyword, value in command.items() if keyword not in _CUT}
        kept = {keyword: value for keyword, value in again.items() if keyword not in _CUT}
        assert kept == given, f"{given} was encoded and decoded to {kept}"


_CUT = ("ErrorComment",)  # VR LO: its text is cut to 64 characters


def reader(data: bytes) -> None:
    """Read a stream whole, cut, and with somebody looking: the same PDUs and messages."""
    plan, stream = data[:PLAN], data[PLAN:]
    whole = list(_read(stream, [len(stream)], shown=False))
    cut = list(_read(stream, sizes(plan), shown=False))
    assert cut == whole, f"{whole} was cut to {cut}"
    shown = list(_read(stream, sizes(plan), shown=True))  # sees only PDUs that are whole
    assert shown == whole[: len(shown)], f"{whole} was shown as {shown}"


def sizes(plan: bytes) -> list[int]:
    """How many bytes come at once, again and again: 1 to 8, or up to 3,968."""
    return [each + 1 if each < 8 else (each - 7) * 16 for each in plan] or [1]


def pieces(stream: bytes, plan: list[int]) -> Iterator[bytes]:
    """Cut a stream, but into no more pieces than a run has time for."""
    position = 0
    for turn in range(_MOST_PIECES):
        size = plan[turn % len(plan)]
        if position < len(stream):
            yield stream[position : position + size]
        position += size
    if position < len(stream):
        yield stream[position:]


def _read(stream: bytes, plan: list[int], shown: bool) -> Iterator[Any]:
    subject = Reader(0 if len(stream) & 1 else 16382, _LIMITS)
    subject.assembly.contexts = range(1, 256, 2)
    subject.open = len(stream) & 2 == 0
    subject.show = (lambda raw: None) if shown else None
    arrived = 0
    for piece in pieces(stream, plan):
        while piece:
            view = subject.get_buffer()
            room = len(view)
            assert 0 < room <= max(LARGEST if arrived >= SMALLEST else SMALLEST, 4 * arrived)
            taken, piece = piece[:room], piece[room:]
            view[: len(taken)] = taken
            subject.received(len(taken))
            arrived += len(taken)
            try:
                while (found := subject.next()) is not None:
                    yield said(found)
            except RemoteError as error:
                yield repr(error)
                return
            subject.settle()


def said(found: Any) -> Any:
    """What was found as something that compares, after its memory was given back."""
    if isinstance(found, Message):
        data = bytes(found.data.data) if isinstance(found.data, Memory) else None
        return found.context_id, found.command, data
    return found
