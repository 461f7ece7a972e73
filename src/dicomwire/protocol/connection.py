"""Bytes into events and intentions into buffers: one association, without any I/O (PS3.8 9.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from dicomwire.protocol.command import Command, encode_command
from dicomwire.protocol.errors import (
    Aborted,
    Ended,
    Error,
    LimitReached,
    LocalError,
    Lost,
    Rejected,
    Released,
    RemoteError,
    UnexpectedPDU,
)
from dicomwire.protocol.limits import DEFAULT, Limits
from dicomwire.protocol.messages import COMMAND_BIT, LAST_BIT, Message
from dicomwire.protocol.negotiation import (
    AcceptedContext,
    agreed_window,
    fragment_length,
    maximum_length,
    read_answer,
)
from dicomwire.protocol.pdus import (
    Abort,
    AnyPDU,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    PDataTF,
    PresentationDataValue,
    ReleaseRP,
    ReleaseRQ,
    data_header,
    decode_pdu,
)
from dicomwire.protocol.reader import LARGEST, UNLIMITED, Reader, StrayData
from dicomwire.protocol.state import RECEIVED, REQUESTED, StateMachine
from dicomwire.standard.dimse import C_CANCEL_RQ, DATA_SET, NO_DATA_SET, RESPONSE

Buffer = bytes | bytearray | memoryview

PENDING = None, 0xFF00, 0xFF01  # statuses of requests, and of responses that are not the last
SEVERAL = 32  # messages that wait before it is looked at how many they are, and how long
SHORTEST = 64  # bytes of a response with all that PS3.7 demands, and of its PDU
MOST_CANCELLED = 100  # C-CANCEL requests that are kept in mind
Event = AssociateRQ | AssociateAC | ReleaseRQ | ReleaseRP | Message


class Tap(Protocol):
    """Somebody who watches what a connection does.

    Attributes
    ----------
    wants_data : bool
        Whether P-DATA-TF are shown too. That costs the fast path.
    wants_messages : bool
        Whether DIMSE messages are shown.
    """

    @property
    def wants_data(self) -> bool:
        """Whether P-DATA-TF are shown."""

    @property
    def wants_messages(self) -> bool:
        """Whether DIMSE messages are shown."""

    def received(self, pdu: AnyPDU, raw: bytes) -> None:
        """See a PDU that came."""

    def sent(self, pdu: AnyPDU, raw: bytes) -> None:
        """See a PDU that goes into `Connection.out`."""

    def message_received(self, message: Message) -> None:
        """See a message that came, whole."""

    def message_sent(self, context_id: int, command: Command, data: Buffer | None) -> None:
        """See a message that goes into `Connection.out`; `data` is None for a streamed one."""

    def moved(self, event: str, action: str, before: str, after: str) -> None:
        """See a step of the state machine."""


def _is_response(event: Event) -> bool:
    return isinstance(event, Message) and bool(event.command["CommandField"] & RESPONSE)


def _size(event: Event) -> int:
    """About how many bytes the command set of a message has."""
    if not isinstance(event, Message):
        return 0
    return sum(len(value) if isinstance(value, str) else 4 for value in event.command.values())


class Connection:
    """The upper layer protocol of one association, as PS3.8 9.2 has it.

    It never waits, sleeps, logs or asks the time. A driver tells it what happened (`connected`,
    `received`, `closed`, `timer_expired`), asks for what is wanted (`step`, `send_message`), and
    then writes what is in `out`, handles what is in `events`, and looks at `ended`, `artim` and
    `wants_close`.

    Parameters
    ----------
    is_requestor : bool
        Which side of the association this is.
    maximum_length : int
        The longest P-DATA-TF that this side announces, in bytes; 0 is unlimited.
    tap : Tap, optional
        Who watches.
    limits : Limits
        What the peer may cost.

    Attributes
    ----------
    out : list of buffers
        To be written, in order. Buffers given to `send_data` are not copied.
    events : deque
        AssociateRQ (indication), AssociateAC (confirmation), ReleaseRQ (indication),
        ReleaseRP (confirmation within a collision), Message.
    ended : Ended or None
        Why the association is over.
    artim : bool
        Whether the ARTIM timer runs (PS3.8 9.1.5).
    wants_close : bool
        Whether the transport connection is to be closed.
    contexts : dict
        Context ID -> AcceptedContext.
    cancelled : set of int
        Message IDs of requests that the peer wants no further responses to.
    rejected : list of ContextResult
        Contexts that the peer did not accept.
    fragment : int
        How many bytes of a message go into one P-DATA-TF.
    may_invoke : int
        How many operations this side may have under way at once (PS3.7 D.3.3.3); 0 is unlimited.
    may_perform : int
        How many the other side may have under way.
    limits : Limits
        As given.
    """

    def __init__(
        self,
        is_requestor: bool,
        maximum_length: int = 16382,
        tap: Tap | None = None,
        limits: Limits = DEFAULT,
    ) -> None:
        self.is_requestor = is_requestor
        self.machine = StateMachine(is_requestor)
        self.reader = Reader(maximum_length, limits)
        self.limits = limits
        self._several = min(SEVERAL, limits.waiting + 1)
        self._piled = 0  # bytes that came since those that wait were counted
        self.out: list[Buffer] = []
        self.events: deque[Event] = deque()
        self.ended: Ended | None = None
        self.artim = False
        self.wants_close = False
        self.contexts: dict[int, AcceptedContext] = {}
        self.rejected: list[ContextResult] = []
        self.cancelled: set[int] = set()
        self._unanswered: set[int] = set()  # Message IDs of the peer's requests
        self.request: AssociateRQ | None = None
        self._proposal = b""  # it, encoded
        self.answer: AssociateAC | None = None
        self.fragment = 0
        self.may_invoke = self.may_perform = 1
        self.pads_titles = False
        self.counts_bind = True  # see `Options.counts_bind`
        self._deaf = True  # unless there is a transport connection and its bytes make sense
        self._sending = 0
        self.tap = tap

    # -- what happened ---------------------------------------------------------------------

    def connected(self) -> None:
        """Learn that the transport connection stands; a requestor's A-ASSOCIATE-RQ goes out."""
        if self.is_requestor:
            self._fire("Evt2", send=self.request, raw=self._proposal)
        else:
            self._fire("Evt5")
        self._deaf = False

    def get_buffer(self) -> memoryview:
        """Return memory to receive into: the connection owns it, the loan ends at `received`."""
        return self.reader.get_buffer()

    def received(self, count: int) -> None:
        """Learn that `count` bytes came into the buffer; never raises.

        What they mean goes to `events`; what they break becomes an A-ABORT in `out`.
        """
        if self._deaf:
            return
        reader = self.reader
        reader.received(count)
        try:
            while (found := reader.next()) is not None:
                if isinstance(found, Message):
                    field = found.command["CommandField"]
                    if field == C_CANCEL_RQ:
                        self._note_cancel(found.command["MessageIDBeingRespondedTo"])
                    else:
                        self.events.append(found if field & RESPONSE else self._noted(found))
                        if len(self.events) >= self._several:
                            self._check_waiting(self.is_requestor and bool(field & RESPONSE))
                    if self.tap is not None and self.tap.wants_messages:
                        self.tap.message_received(found)
                else:
                    self._arrived(found)
        except RemoteError as error:
            self._deaf = True
            reader.clear()
            self._fire("Evt19", cause=error)
        reader.settle()

    def _noted(self, request: Message) -> Message:
        """Keep the Message ID of a request in mind until it is answered."""
        message_id = request.command["MessageID"]
        if self.cancelled:  # a cancel from before the request is not for it
            self.cancelled.discard(message_id)
        if message_id in self._unanswered:  # PS3.7 Annex C, 0210H: duplicate invocation
            return request._replace(is_repeated=True)
        self._unanswered.add(message_id)
        return request

    def _check_waiting(self, is_awaited: bool) -> None:
        """Refuse a peer that sends more than it waits for; all are counted now and then.

        Responses that this side has asked for may come as fast as they like, e.g. those of a C-FIND
        with many matches: they may be as many as one read brings.
        """
        most, memory = self.limits.waiting, self.limits.memory
        alike: Collection[Event] = self.events
        if is_awaited:
            most, memory = max(most, LARGEST // SHORTEST), max(memory, LARGEST)
        elif self.is_requestor:  # a request may come behind many responses
            alike = [each for each in alike if not _is_response(each)]
        if len(alike) > most:
            what = f"More than {most} messages sent without waiting for responses"
            raise LimitReached(what, "waiting")
        self._piled += _size(self.events[-1])
        if self._piled <= memory // 16:
            return
        self._piled = 0
        if sum(map(_size, alike)) > memory:
            what = f"Command sets of more than {memory} bytes wait for responses"
            raise LimitReached(what, "memory")

    def _note_cancel(self, message_id: int) -> None:
        # Whoever answers the request looks here (PS3.7 9.3.2.3); a peer cannot fill it for ever.
        if len(self.cancelled) >= MOST_CANCELLED:
            self.cancelled.clear()
        self.cancelled.add(message_id)

    def announce(self, maximum_length: int) -> None:
        """Change what this side is going to announce as its longest P-DATA-TF, in bytes."""
        self.reader.maximum_length = maximum_length or UNLIMITED

    def closed(self, error: OSError | None = None) -> None:
        """Learn that the transport connection is gone."""
        if self.machine.state == "Sta1":
            return
        if self.ended is None:
            what, check = "The connection was closed by the peer without a release", ""
            if self.machine.state == "Sta5":
                what = (
                    "The connection was closed by the peer before it answered the association "
                    "request"
                )
                check = "whether a DICOM application listens there, and whether it expects TLS"
            elif self.reader.in_pdu:
                what = "Connection closed before the entire PDU was received"
            self.ended = Lost(what, error, check)
        self.reader.clear()
        self._fire("Evt17")

    def timer_expired(self, why: Ended | None = None) -> None:
        """Learn that the ARTIM timer expired (PS3.8 9.1.5)."""
        self._fire("Evt18")
        self.ended = self.ended or why

    # -- what is wanted --------------------------------------------------------------------

    def step(
        self,
        pdu: AssociateRQ | AssociateRJ | ReleaseRQ | ReleaseRP | Abort,
        cause: Error | None = None,
    ) -> None:
        """Ask for an association, reject, release, answer a release, or abort.

        Parameters
        ----------
        pdu : AssociateRQ, AssociateRJ, ReleaseRQ, ReleaseRP or Abort
            What to send.
        cause : Error, optional
            Why it is aborted.

        Raises
        ------
        LocalError
            When PS3.8 Table 9-10 has no cell for that in the present state.
        """
        if isinstance(pdu, AssociateRQ):
            raw = pdu.encode()  # what cannot be sent is refused now, not once the peer is there
            self._fire("Evt1")
            self.request, self._proposal = pdu, raw
            return
        if isinstance(pdu, Abort) and self.ended is None and self.machine.may("Evt15"):
            self.ended = Aborted(pdu.source, pdu.reason, by_peer=False, cause=cause)
        self._fire(REQUESTED[pdu.pdu_type], send=pdu)
        if isinstance(pdu, AssociateRJ):
            self.ended = Rejected(pdu.result, pdu.source, pdu.reason)
        elif isinstance(pdu, ReleaseRP) and self.machine.state == "Sta13":
            self.ended = Released(by_peer=True)

    def accept(self, answer: AssociateAC, contexts: list[AcceptedContext]) -> None:
        """Accept the association that was asked for.

        Parameters
        ----------
        answer : AssociateAC
            What to send.
        contexts : list of AcceptedContext
            What was agreed on; see `negotiation.answer_contexts`.

        Raises
        ------
        LocalError
            When no association was asked for.
        """
        self._fire("Evt7", send=answer)
        self.answer = answer
        self._establish(contexts)

    def _establish(self, contexts: list[AcceptedContext]) -> None:
        asked = self.request.user_information if self.request else []
        given = self.answer.user_information if self.answer else []
        self.fragment = fragment_length(maximum_length(given if self.is_requestor else asked))
        window = agreed_window(asked, given)
        self.may_invoke, self.may_perform = window if self.is_requestor else window[::-1]
        self.contexts = {context.context_id: context for context in contexts}
        self.reader.assembly.contexts = self.contexts
        self.watch(self.tap)

    def watch(self, tap: Tap | None) -> None:
        """Let somebody else watch; may be called at any time."""
        self.tap = tap
        self.reader.show = self._show if tap is not None and tap.wants_data else None

    @property
    def established(self) -> bool:
        """Whether messages can be sent."""
        return self.machine.state == "Sta6"

    @property
    def is_sending(self) -> bool:
        """Whether the data set of a message is still to come."""
        return bool(self._sending)

    # -- messages --------------------------------------------------------------------------

    def send_message(self, context_id: int, command: Command, data: Buffer | None = None) -> None:
        """Append a whole message to `out`; the data set is not copied.

        Parameters
        ----------
        context_id : int
            An accepted presentation context.
        command : dict
            The command set by keyword; Command Data Set Type is filled in.
        data : buffer, optional
            The encoded data set.

        Raises
        ------
        LocalError
            When the state, the context or the message under way forbids it.
        """
        self._begin(context_id, command, data is not None)
        if self.tap is not None and self.tap.wants_messages:
            self.tap.message_sent(context_id, command, data)
        if data is not None:
            self.send_data(context_id, data, last=True)

    def send_command(self, context_id: int, command: Command, shown: Buffer | None = None) -> None:
        """Append a command set to `out`; its data set has to follow by `send_data`.

        Parameters
        ----------
        context_id, command
            As in `send_message`.
        shown : buffer, optional
            The data set, for the tap, when it is in memory anyway.
        """
        self._begin(context_id, command, True)
        if self.tap is not None and self.tap.wants_messages:
            self.tap.message_sent(context_id, command, shown)

    def _begin(self, context_id: int, command: Command, data_follows: bool) -> None:
        if not self.machine.may("Evt9"):
            raise self.ended or LocalError(
                f"No message can be sent in {self.machine.state} (PS3.8 Table 9-10)"
            )
        if context_id not in self.contexts:
            raise LocalError(f"Presentation context {context_id} was not accepted")
        if self._sending:
            raise LocalError("A message cannot be sent in the middle of another one's data set")
        if self._unanswered and command.get("Status") not in PENDING:
            self._unanswered.discard(command.get("MessageIDBeingRespondedTo", -1))
        command["CommandDataSetType"] = DATA_SET if data_follows else NO_DATA_SET
        encoded = memoryview(encode_command(command, self.pads_titles))
        self._append(context_id, COMMAND_BIT, encoded, last=True)
        self._sending = context_id if data_follows else 0

    def send_data(self, context_id: int, data: Buffer, last: bool) -> None:
        """Append a part of a data set to `out`, cut into fragments, without copying it.

        Parameters
        ----------
        context_id : int
            As in `send_command`.
        data : buffer
            The part. But for the last, a multiple of `fragment` bytes makes the fewest PDUs.
        last : bool
            Whether the data set ends with it.
        """
        if context_id != self._sending:
            raise LocalError(f"No data set is being sent over presentation context {context_id}")
        if not self.machine.may("Evt9"):
            raise self.ended or LocalError(f"No data can be sent in {self.machine.state}")
        self._append(context_id, 0, memoryview(data), last)
        if last:
            self._sending = 0

    def _append(self, context_id: int, control: int, data: memoryview, last: bool) -> None:
        if self.tap is not None and self.tap.wants_data:
            self._append_shown(context_id, control, data, last)
            return
        size, total = self.fragment, len(data)
        if last and total <= size:  # one fragment: command sets and identifiers
            self.out += (data_header(context_id, control | LAST_BIT, total), data)
            return
        rest = (total % size or min(size, total)) if last else 0
        whole = total - rest
        header = data_header(context_id, control, size)
        self.out += [
            part
            for start in range(0, whole - whole % size, size)
            for part in (header, data[start : start + size])
        ]
        if whole % size:
            tail = data[whole - whole % size : whole]
            self.out += (data_header(context_id, control, len(tail)), tail)
        if last:
            self.out += (data_header(context_id, control | LAST_BIT, rest), data[whole:])

    def _append_shown(self, context_id: int, control: int, data: memoryview, last: bool) -> None:
        size, total = self.fragment, len(data)
        for start in range(0, total or last, size):
            final = LAST_BIT if last and start + size >= total else 0
            piece = bytes(data[start : start + size])
            value = PresentationDataValue(context_id, control | final, piece)
            self._fire("Evt9", send=PDataTF([value]))

    # -- the state machine -----------------------------------------------------------------

    def _arrived(self, found: AnyPDU | StrayData) -> None:
        if isinstance(found, StrayData):
            self._fire("Evt10", cause=self._unexpected("P-DATA-TF"))
            return
        if self.tap is not None:
            self.tap.received(found, bytes(self.reader.raw))
        state = self.machine.state
        if isinstance(found, AssociateAC) and state == "Sta5":
            outcome = read_answer(self.request or AssociateRQ("", ""), found)
            self.answer, self.rejected = found, outcome.rejected
            self._establish(outcome.accepted)
        elif isinstance(found, AssociateRQ) and state == "Sta2":
            self.request = found
            self._asked(found)
            return
        elif isinstance(found, AssociateRJ) and state == "Sta5":
            self.ended = Rejected(found.result, found.source, found.reason)
        elif isinstance(found, ReleaseRP) and state in ("Sta7", "Sta11"):  # not in a collision
            self.ended = Released()
        elif isinstance(found, Abort) and self.ended is None:
            self.ended = Aborted(found.source, found.reason, by_peer=True)
        cause = self._unexpected(type(found).__name__)
        self._fire(RECEIVED[found.pdu_type], tell=found, cause=cause)

    def _asked(self, request: AssociateRQ) -> None:
        # PS3.8 9.3.2: only bit 0 of the protocol version is tested
        refuse = not request.protocol_version & 1
        rejection = AssociateRJ(1, 2, 2)
        self._fire("Evt6", send=rejection, tell=request, refuse=refuse)
        if refuse:
            self.ended = Rejected(1, 2, 2)

    def _unexpected(self, name: str) -> UnexpectedPDU:
        return UnexpectedPDU(f"Unexpected PDU received: {name} in {self.machine.state}")

    def _fire(
        self,
        event: str,
        send: AnyPDU | None = None,
        tell: AnyPDU | None = None,
        cause: RemoteError | None = None,
        refuse: bool = False,
        raw: bytes = b"",
    ) -> None:
        """Perform one cell of PS3.8 Table 9-10: `send` and `tell` are what its verbs speak of."""
        if send is not None and not raw:
            raw = send.encode()  # first: a LocalError moves nothing
        action, verbs, before = self.machine.act(event, refuse)
        if cause is not None and action in _PROVIDER_ABORTS:
            # AA-1 speaks for the user, AA-7 and AA-8 for the provider: PS3.8 Table 9-9
            source = 0 if action == "AA-1" else 2
            send = Abort(source, cause.reason if source else 0)
            raw = send.encode()
            self.ended = self.ended or Aborted(source, send.reason, False, cause)
        for verb in verbs:
            if verb == "send" and send is not None:
                self.out.append(raw)
                if self.tap is not None:
                    self.tap.sent(send, raw)
            elif verb == "tell" and isinstance(tell, _TOLD) and self.ended is None:
                self.events.append(tell)
            elif verb == "close":
                self.wants_close = True
            elif verb in ("start", "stop"):
                self.artim = verb == "start"
        self._entered(event, action, before)

    def _entered(self, event: str, action: str, before: str) -> None:
        state = self.machine.state
        self.reader.open = state in ("Sta6", "Sta7")
        if state == "Sta1":
            self._deaf = True
            self.reader.close()
        elif state == "Sta13":
            self.reader.abandon()
        if self.tap is not None:
            self.tap.moved(event, action, before, state)

    def _show(self, raw: memoryview) -> None:
        """Let the tap see a P-DATA-TF, by the table's own way."""
        if self.tap is None:
            return
        with suppress(RemoteError):  # the reader comes upon the same fault, and says so
            self.tap.received(decode_pdu(raw[0], raw[6:]), bytes(raw))
        self._fire("Evt10")


_PROVIDER_ABORTS = {"AA-1", "AA-7", "AA-8"}
_TOLD = AssociateRQ | AssociateAC | ReleaseRQ | ReleaseRP
