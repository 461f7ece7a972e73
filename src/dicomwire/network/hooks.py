"""What a driver asks of an association into its handlers, its time-outs and its log."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.dataset.part10 import encode_file_meta
from dicomwire.dataset.sinks import FileSink, HeldSink
from dicomwire.network.events import BY_NAME, EVT_C_STORE, Bound, Event
from dicomwire.network.log_progress import stored_line
from dicomwire.network.refusals import tell_limit
from dicomwire.network.requests import IdentityEvent, RequestEvent, StoreEvent
from dicomwire.network.stores import Stores
from dicomwire.network.transport import Transport
from dicomwire.protocol.command import Command
from dicomwire.protocol.messages import Dropped, Message, Sink
from dicomwire.services.responding import Refusal
from dicomwire.services.scp import stored
from dicomwire.services.wants import END, HandlerRaised, Store, Timer, Unbound
from dicomwire.standard.dimse import BY_COMMAND_FIELD, C_STORE, RESPONSE
from dicomwire.standard.dimse import BY_NAME as SERVICES

if TYPE_CHECKING:
    from dicomwire.network.hands import Hands
    from dicomwire.services.inspecting import Inspection

logger = logging.getLogger("dicomwire.service_class")

_MOST_FRAMES = 20  # of where a handler raised, the innermost ones
YIELDING = ("EVT_C_FIND", "EVT_C_GET", "EVT_C_MOVE")
# What says in its data set what is wanted: a list of UIDs at the longest.
_IDENTIFYING = [SERVICES[name].command_field for name in ("C-FIND", "C-GET", "C-MOVE")]


class Handling:
    """What a driver asks of its association, as far as nobody has to wait for it.

    Parameters
    ----------
    assoc : Association
        Whose handlers and time-outs count.
    """

    def __init__(self, assoc: Any) -> None:
        self._assoc = assoc
        self._metas: dict[tuple[int, str], bytes] = {}
        assoc.connection.reader.assembly.choose_sink = self.choose_sink

    def timeout(self, timer: Timer) -> float | None:
        """Return the seconds of a time-out."""
        assoc = self._assoc
        if timer is Timer.NETWORK:
            seconds = assoc.network_timeout
        else:
            seconds = assoc.dimse_timeout if timer is Timer.DIMSE else assoc.acse_timeout
        return None if seconds is None else float(seconds)

    def dispatch(self) -> None:
        """Tell what the tap saw."""
        self._assoc.tap.dispatch()

    def notify(self, name: str, attributes: dict[str, Any]) -> None:
        """Call the handlers of a notification event, or say in the log what has no event."""
        event = BY_NAME.get(name)
        if event is None:
            peer = f"{self._assoc.caller}: " if self._assoc.caller else ""
            if "limit" in attributes:
                tell_limit(self._assoc.remote, attributes["limit"])
            elif "error" in attributes:
                logger.error("%s%s: %s", peer, name.capitalize(), attributes["error"])
            else:
                logger.warning("%s%s", peer, name.capitalize())
            return
        self._assoc.handlers.notify(self._assoc, event, **attributes)

    def _bound(self, name: str, attributes: dict[str, Any]) -> Bound:
        """Return the handler of an intervention event; raise `Unbound` when there is none."""
        bound = self._assoc.handlers.asked(name)
        self._log_request(name, attributes)
        if bound is None:
            if name == EVT_C_STORE.name:
                logger.error("No handler is bound to evt.EVT_C_STORE: the instance is not stored")
            raise Unbound
        found: Bound = bound
        return found

    def _inspection(self, name: str, attributes: dict[str, Any]) -> Inspection | None:
        """Return the look through a data set that is due before its handler is called."""
        if name != EVT_C_STORE.name or not self._assoc.options.check_stores:
            return None
        from dicomwire.services.inspecting import Inspection  # only who stores looks through

        message: Message = attributes["message"]
        context = self._assoc.connection.contexts[message.context_id]
        return Inspection(message, context.transfer_syntax, self._assoc.options.limits)

    def _inspected(self, inspection: Inspection) -> Refusal | None:
        """Say what a look through a data set has found; return why it is refused."""
        if inspection.refusal is not None:
            logger.error("An object is refused: %s", inspection.refusal.comment)
        elif inspection.odd:
            logger.warning("The length of element %s is odd", inspection.odd)
        return inspection.refusal

    def _raised(self, name: str) -> HandlerRaised:
        """Report what a handler raised, and return what the conversation is told."""
        if name == "EVT_USER_ID":
            self._tell_where(name, sys.exc_info()[1])
        else:
            logger.exception("Exception in the handler bound to 'evt.%s'", name)
        self._learn(name, None)
        return HandlerRaised()

    def _tell_where(self, name: str, error: BaseException | None) -> None:
        """Say where a handler raised what, not its words: they may be a passcode, or a token."""
        where = traceback.format_tb(error.__traceback__, -_MOST_FRAMES) if error else []
        kind = type(error).__name__
        text = "Exception in the handler bound to 'evt.%s': %s, from\n%s"
        logger.error(text, name, kind, "".join(where).rstrip())

    def _learn(self, name: str, returned: Any) -> None:
        """Keep what a handler said of the negotiation."""
        if name == "EVT_USER_ID" and not _is_verified(returned):
            logger.info("User identity failed verification")
        elif name == "EVT_SOP_COMMON":
            self._assoc.acceptor.learn_common_extended(returned)

    def _log_request(self, name: str, attributes: dict[str, Any]) -> None:
        if name == "EVT_C_ECHO":
            command = attributes["message"].command
            logger.info("Received Echo Request (MsgID %d)", command["MessageID"])
        elif name == "EVT_C_STORE":
            logger.info("Received Store Request")

    def _event(self, name: str, attributes: dict[str, Any]) -> Event:
        assoc, event = self._assoc, BY_NAME[name]
        message: Message | None = attributes.get("message")
        if message is None:
            kind = IdentityEvent if name == "EVT_USER_ID" else Event
            return kind(assoc, event, attributes)
        context = assoc.connection.contexts[message.context_id]
        if event is EVT_C_STORE:
            return StoreEvent(assoc, event, message, context, assoc.identity)
        return RequestEvent(assoc, event, message, context)

    def choose_sink(self, context_id: int, command: Command) -> Sink:
        """Choose where the data set of a message goes."""
        options, field = self._assoc.options, command["CommandField"]
        memory = options.limits.memory
        if field != C_STORE.command_field:
            service = BY_COMMAND_FIELD.get(field & ~RESPONSE)
            if not field & RESPONSE and (service is None or not service.may_have_data(True)):
                return Dropped()  # it is going to be refused
            return HeldSink(memory, spills=bool(field & RESPONSE) or field not in _IDENTIFYING)
        if options.drop_stores:
            return Dropped()
        if options.store_directory is None:
            return HeldSink(memory)
        meta = self._meta(context_id, command)
        return FileSink(options.store_directory, meta, fsync=options.flush_stores)

    def _meta(self, context_id: int, command: Command) -> bytes:
        identity = self._assoc.identity
        return encode_file_meta(
            command.get("AffectedSOPClassUID", ""),
            command.get("AffectedSOPInstanceUID", ""),
            self._assoc.connection.contexts[context_id].transfer_syntax,
            identity.implementation_class_uid,
            identity.implementation_version_name or "",
        )


class _Destination(NamedTuple):
    """Where the sub-operations of a C-MOVE go."""

    association: Any
    stores: Stores


class Hooks(Handling):
    """The port between the blocking driver and its association."""

    _hands: Hands | None = None

    def open_transport(self) -> Transport:
        """Connect to the peer."""
        transport: Transport = self._assoc.open_transport()
        return transport

    def give_up(self) -> None:
        """End the association: nothing came for too long."""
        self._assoc.give_up()

    def call(self, name: str, attributes: dict[str, Any]) -> Any:
        """Call the handler of an intervention event.

        Raises
        ------
        HandlerRaised
            When it raised, `Unbound` when there is none.
        """
        handler, args = self._bound(name, attributes)
        inspection = self._inspection(name, attributes)
        if inspection is not None:
            inspection.go_on()
            refusal = self._inspected(inspection)
            if refusal is not None:
                return refusal
        try:
            returned = handler(self._event(name, attributes), *args)
            if name == EVT_C_STORE.name and callable(returned):
                return self._put_off(returned, attributes)
            self._learn(name, returned)
            return iter(returned) if name in YIELDING and returned is not None else returned
        except Unbound:  # it is the default handler
            raise
        except Exception as error:
            raise self._raised(name) from error

    def _put_off(self, work: Callable[[], Any], attributes: dict[str, Any]) -> Any:
        """Do what a handler of C-STORE left to be done: beside the association, if that may be."""
        if "may_put_off" not in attributes:
            return work()
        from dicomwire.network.hands import Hands  # only who stores puts off

        if self._hands is None:
            self._hands = Hands()
        return self._hands.begin(partial(self._finish, work, attributes["message"]))

    def _finish(self, work: Callable[[], Any], message: Message) -> None:
        """Do what was put off, and respond."""
        assoc = self._assoc
        try:
            outcome = work()
        except Exception as error:  # noqa: BLE001 - a user's handler
            outcome = self._raised(EVT_C_STORE.name)
            outcome.__cause__ = error
        assoc.driver.run(stored(assoc.connection, message, outcome))

    def advance(self, name: str, values: Any) -> Any:
        """Return the next value that a handler yields, `END` after the last.

        Raises
        ------
        HandlerRaised
            When the handler raised, or returned what yields nothing.
        """
        try:
            return next(values)
        except StopIteration:
            return END
        except Exception as error:
            raise self._raised(name) from error

    def close(self, values: Any) -> None:
        """Let a handler that yields clean up."""
        close = getattr(values, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception:
            logger.exception("Exception in a handler that was closed")

    def open_destination(
        self, host: str, port: int, settings: dict[str, Any]
    ) -> tuple[_Destination, int]:
        """Open an association to a move destination; tell how many instances go at once.

        Raises
        ------
        Ended
            Why there is none.
        """
        association = self._assoc.ae.associate(host, port, **settings)
        if not association.is_established:
            logger.error("Move SCP: Unable to associate with destination AE")
            raise association.ended
        stores = Stores(association)
        return _Destination(association, stores), stores.most

    def send_there(self, destination: _Destination, want: Store) -> None:
        """Send an instance there."""
        destination.stores.send(want.dataset, want.tag, **want.fields)

    def settle_there(self, destination: _Destination) -> tuple[Any, int]:
        """Wait for the next response, and return its tag and status."""
        tag, response = destination.stores.settle()
        log_moved(response.status)
        return tag, response.status

    def hang_up(self, destination: _Destination) -> None:
        """Release that association."""
        destination.stores.close()
        destination.association.release()


def log_moved(status: int) -> None:
    """Say how a sub-operation of a C-MOVE went."""
    if logger.isEnabledFor(logging.INFO):
        logger.info("%s", stored_line("Move", status))


def _is_verified(returned: Any) -> bool:
    """Whether a handler of EVT_USER_ID lets the peer in: it returns (verified, response)."""
    return isinstance(returned, tuple | list) and len(returned) == 2 and bool(returned[0])
