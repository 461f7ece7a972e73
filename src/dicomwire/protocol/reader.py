"""Received bytes into PDUs and messages, each byte in the buffer until its sink has it."""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Callable
from typing import NamedTuple

from dicomwire.protocol.errors import Fault, InvalidParameter, LimitReached, UnrecognizedPDU
from dicomwire.protocol.limits import DEFAULT, Limits
from dicomwire.protocol.messages import LAST_BIT, Assembly, Message
from dicomwire.protocol.pdus import HEADER, AnyPDU, decode_pdu

SMALLEST, LARGEST = 0x2000, 0x100000  # bytes of the buffer: it grows while reads fill it
UNLIMITED = 0xFFFFFFFF  # bytes: what the length field of a PDU can say (PS3.8 9.3.1)
MAPPED, MAPPED_AT_ONCE = 0x20000, 0x200000  # bytes from, and up to which a buffer is mapped at once
LONGEST_OTHER = 4  # bytes of A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT

_P_DATA = 4
_VALUE = struct.Struct(">IBB")  # PDV length, context ID, message control header: PS3.8 9.3.5.1
_BULK = struct.Struct(">BxIIBB")  # the header of a PDU and of its only PDV


def _unrecognized(pdu_type: int, start: bytes) -> UnrecognizedPDU:
    """Say what the bytes are that are no PDU: the usual mistakes have usual bytes."""
    error = UnrecognizedPDU(f"Unknown PDU type received '0x{pdu_type:02X}'")
    if pdu_type in (0x15, 0x16) and start[1] == 3:  # RFC 8446 5.1: alert, handshake
        error = UnrecognizedPDU("The peer speaks TLS and this side does not")
        error.check = "use TLS on both sides, or the port that takes DICOM without TLS"
        error.fault = Fault.SETTINGS
    elif start in (b"GET ", b"POST", b"HEAD", b"HTTP", b"OPTI", b"PUT "):
        error = UnrecognizedPDU("The peer speaks HTTP, not DICOM")
        error.check = "the port number"
        error.fault = Fault.SETTINGS
    return error


def _mapped(size: int) -> memoryview:
    """Return zeroed memory that costs only what is written to it, and that the system takes back.

    An allocator would keep its place, in each of its arenas.
    """
    if sys.platform == "win32":
        return memoryview(mmap.mmap(-1, size))
    return memoryview(mmap.mmap(-1, size, mmap.MAP_PRIVATE))  # a process that is forked has its own


class StrayData(NamedTuple):
    """A P-DATA-TF that came when none may come; its body is skipped."""

    length: int


class Reader:
    """The receive buffer of one association, and where in it the next thing begins.

    Parameters
    ----------
    maximum_length : int
        The longest P-DATA-TF that we announced, in bytes; 0 is unlimited. What comes is parsed as
        it comes, so that even then the buffer stays small.
    limits : Limits
        What the peer may cost.

    Attributes
    ----------
    assembly : Assembly
        The message that is arriving.
    open : bool
        Whether P-DATA-TF may come.
    show : callable or None
        Called with each whole P-DATA-TF before it is parsed.
    may_hold : callable
        Asked whether an association request of so many bytes may be held, when its header says
        that it is longer than the buffer.
    raw : memoryview
        The PDU that `next` returned last, whole; until the next `get_buffer`.
    """

    __slots__ = (
        "_control",
        "_end",
        "_is_for_one",
        "_limits",
        "_need",
        "_pdu_left",
        "_skip",
        "_start",
        "_value_left",
        "_view",
        "assembly",
        "may_hold",
        "maximum_length",
        "open",
        "raw",
        "show",
    )

    def __init__(self, maximum_length: int, limits: Limits = DEFAULT) -> None:
        self.maximum_length = maximum_length or UNLIMITED
        self.assembly = Assembly(limits)
        self.may_hold: Callable[[int], bool] = lambda size: True
        self._limits = limits
        self.open = False
        self.show: Callable[[memoryview], None] | None = None
        self._view = memoryview(bytearray(SMALLEST))
        self.raw = self._view[:0]
        self._is_for_one = False
        self._start = self._end = 0
        self._need = 0  # bytes that the next thing takes, when it has to be whole
        self._pdu_left = 0  # bytes left of the P-DATA-TF being parsed
        self._value_left = -1  # bytes left of its PDV; -1 between two
        self._control = 0
        self._skip = 0

    @property
    def in_pdu(self) -> bool:
        """Whether a PDU has begun and is not complete."""
        return self._pdu_left > 0 or self._skip > 0 or self._end > self._start

    @property
    def in_message(self) -> bool:
        """Whether more of a message is awaited."""
        return self.assembly.under_way or self.in_pdu

    def get_buffer(self) -> memoryview:
        """Return memory to receive into; whatever is written there is announced to `received`."""
        waiting = self._end - self._start
        if self._start:
            self._view[:waiting] = self._view[self._start : self._end]
            self._start, self._end = 0, waiting
        if waiting == len(self._view):
            # a header alone, whatever it claims, must not cost that much memory
            most = waiting * 2 if waiting * 2 < MAPPED else max(waiting * 2, MAPPED_AT_ONCE)
            self._resize(min(max(self._need, waiting + 1), most) or SMALLEST)
        return self._view[waiting:]

    def _resize(self, size: int) -> None:
        self._is_for_one = self._need >= size >= MAPPED
        # That of data sets is used for all of them, and to be mapped anew each time would be slow;
        # only the last step, which few come to, would leave too much behind otherwise.
        is_mapped = self._is_for_one or size == LARGEST
        bigger = _mapped(size) if is_mapped else memoryview(bytearray(size))
        bigger[: self._end] = self._view[: self._end]
        self._view, self.raw = bigger, bigger[:0]

    def received(self, count: int) -> None:
        """Learn that `count` bytes were written to the buffer."""
        self._end += count

    def settle(self) -> None:
        """Hand waiting fragments to the sink, and grow the buffer if the last read filled it."""
        self.assembly.deliver()
        if self._start == self._end == len(self._view) < LARGEST:
            self._start = self._end = 0
            self._resize(min(len(self._view) * 4, LARGEST))
        elif self._is_for_one and self._start == self._end:
            self._start = self._end = 0
            self._resize(SMALLEST)

    def abandon(self) -> None:
        """Give up the message that is arriving; skip what is left of its PDU."""
        self._skip += self._pdu_left
        self._pdu_left, self._value_left = 0, -1
        self.assembly.abandon()

    def clear(self) -> None:
        """Drop what is buffered: after a framing error nothing that follows has a meaning."""
        self._start = self._end = self._pdu_left = self._skip = self._need = 0
        self._value_left = -1
        self.assembly.abandon()

    def close(self) -> None:
        """Drop what is buffered and the memory for it, however long the association is kept."""
        self.clear()
        self._resize(0)

    def next(self) -> AnyPDU | Message | StrayData | None:
        """Return the next PDU that is not P-DATA-TF, or the next message; None: more is needed.

        Raises
        ------
        RemoteError
            When the bytes are not what PS3.8 9.3 allows.
        """
        while True:
            if self._skip:
                if not self._skip_some():
                    return None
            elif self._value_left >= 0:
                if self._start == self._end and self._value_left:
                    return None
                message = self._take()
                if message:
                    return message
            elif self._pdu_left:
                if not self._begin_value():
                    return None
            else:
                if self.assembly.bulk and self.open and self.show is None:
                    self._take_bulk()
                found = self._begin_pdu()
                if found is not None or not self._pdu_left:
                    return found

    def _take_bulk(self) -> None:
        """Take whole PDUs of the middle of a data set: the path of nearly every byte.

        Senders make them alike, so one header is looked at and the next ones compared with it; no
        call is made for any of those.
        """
        view, position, end = self._view, self._start, self._end
        context_id, fragments = self.assembly.bulk, self.assembly.fragments
        while end - position >= 12:
            pdu_type, length, size, context, control = _BULK.unpack_from(view, position)
            if (
                control
                or pdu_type != _P_DATA
                or context != context_id
                or size + 4 != length
                or position + 6 + length > end
                or length > self.maximum_length
                or size < 3
            ):
                break
            header, stride = view[position : position + 12], 6 + length
            while position + stride <= end and view[position : position + 12] == header:
                fragments += (view[position + 12 : position + stride],)
                position += stride
        self._start = position

    def _begin_pdu(self) -> AnyPDU | StrayData | None:
        """Look at the header of a PDU; return it whole unless it is a P-DATA-TF."""
        if self._end - self._start < 6:
            self._need = 6
            return None
        pdu_type, length = HEADER.unpack_from(self._view, self._start)
        if pdu_type == _P_DATA:
            return self._begin_data(length)
        if not 1 <= pdu_type <= 7:
            raise _unrecognized(pdu_type, bytes(self._view[self._start : self._start + 4]))
        self._check_claim(pdu_type, length)
        body = self._whole(length)
        return None if body is None else decode_pdu(pdu_type, body)

    def _check_claim(self, pdu_type: int, length: int) -> None:
        """Refuse a PDU by what its header says, before its bytes come."""
        longest = self._limits.associate_length if pdu_type <= 2 else LONGEST_OTHER
        if length > longest:
            what = (
                f"A PDU of type 0x{pdu_type:02X} claims {length} bytes; at most {longest} are read"
            )
            if pdu_type <= 2:
                raise LimitReached(what, "associate_length", InvalidParameter.reason)
            raise InvalidParameter(what)
        if length > SMALLEST and self._need != 6 + length and not self.may_hold(length):
            raise LimitReached(
                f"An association request of {length} bytes, for which there is no room now",
                "negotiation_memory",
            )

    def _whole(self, length: int) -> memoryview | None:
        """Take a whole PDU's body out of the buffer, if it is there."""
        self._need = 6 + length
        if self._end - self._start < self._need:
            return None
        self.raw = self._view[self._start : self._start + self._need]
        self._start += self._need
        self._need = 0
        return self.raw[6:]

    def _begin_data(self, length: int) -> StrayData | None:
        if not self.open:
            self._start += 6
            self._skip = length
            return StrayData(length)
        if not 6 <= length <= self.maximum_length:
            raise InvalidParameter(
                f"A P-DATA-TF of {length} bytes; we announced {self.maximum_length} as the most"
                if length > 6
                else "A P-DATA-TF without a presentation data value"
            )
        show = self.show  # another thread may take it away
        if show is not None:
            if length > self._limits.pdu_length:
                raise LimitReached(f"A P-DATA-TF of {length} bytes to be held whole", "pdu_length")
            self._need = 6 + length
            if self._end - self._start < self._need:
                return None
            show(self._view[self._start : self._start + self._need])
        self._need = 0
        self._start += 6
        self._pdu_left = length
        return None

    def _begin_value(self) -> bool:
        if self._pdu_left < 6:
            raise InvalidParameter(f"{self._pdu_left} stray bytes at the end of a P-DATA-TF")
        if self._end - self._start < 6:
            return False
        size, context_id, control = _VALUE.unpack_from(self._view, self._start)
        if size < 2 or size + 4 > self._pdu_left:
            raise InvalidParameter(
                f"A presentation data value claims {size} bytes, "
                f"{self._pdu_left - 4} are left in its PDU"
            )
        self.assembly.expect(context_id, control)
        if size == 2 and not control & LAST_BIT:
            self.assembly.count_empty()
        self._start += 6
        self._pdu_left -= 6
        self._value_left, self._control = size - 2, control
        return True

    def _take(self) -> Message | None:
        size = min(self._value_left, self._end - self._start)
        if size:
            self.assembly.add(self._control, self._view[self._start : self._start + size])
        self._start += size
        self._pdu_left -= size
        self._value_left -= size
        if self._value_left:
            return None
        self._value_left = -1
        return self.assembly.end(self._control)

    def _skip_some(self) -> bool:
        size = min(self._skip, self._end - self._start)
        self._start += size
        self._skip -= size
        return not self._skip
