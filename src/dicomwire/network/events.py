"""What happens on an association into calls of the handlers that users bind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from dicomwire.network.views import Later
from dicomwire.services.wants import Unbound

logger = logging.getLogger("dicomwire.events")


class NotificationEvent(NamedTuple):
    """An event that handlers are told of; what they return does not matter."""

    name: str
    description: str
    is_intervention: bool = False
    is_notification: bool = True

    def __str__(self) -> str:
        return self.name


class InterventionEvent(NamedTuple):
    """An event whose one handler decides what is answered."""

    name: str
    description: str
    is_intervention: bool = True
    is_notification: bool = False

    def __str__(self) -> str:
        return self.name


EventType = NotificationEvent | InterventionEvent
Handler = Callable[..., Any]
EventHandlerType = tuple[EventType, Handler] | tuple[EventType, Handler, list[Any]]
HandlerArgType = tuple[EventType, Handler] | tuple[EventType, Handler, list[Any]] | tuple[Any, ...]
"""(event, function) or (event, function, [further arguments])."""

EVT_ABORTED = NotificationEvent("EVT_ABORTED", "Association aborted")
EVT_ACCEPTED = NotificationEvent("EVT_ACCEPTED", "Association accepted")
EVT_ACSE_RECV = NotificationEvent("EVT_ACSE_RECV", "ACSE primitive received")
EVT_ACSE_SENT = NotificationEvent("EVT_ACSE_SENT", "ACSE primitive sent")
EVT_CONN_CLOSE = NotificationEvent("EVT_CONN_CLOSE", "Transport connection closed")
EVT_CONN_OPEN = NotificationEvent("EVT_CONN_OPEN", "Transport connection opened")
EVT_DATA_RECV = NotificationEvent("EVT_DATA_RECV", "PDU data received")
EVT_DATA_SENT = NotificationEvent("EVT_DATA_SENT", "PDU data sent")
EVT_DIMSE_RECV = NotificationEvent("EVT_DIMSE_RECV", "DIMSE message received")
EVT_DIMSE_SENT = NotificationEvent("EVT_DIMSE_SENT", "DIMSE message sent")
EVT_ESTABLISHED = NotificationEvent("EVT_ESTABLISHED", "Association established")
EVT_FSM_TRANSITION = NotificationEvent("EVT_FSM_TRANSITION", "State machine transition")
EVT_PDU_RECV = NotificationEvent("EVT_PDU_RECV", "PDU received")
EVT_PDU_SENT = NotificationEvent("EVT_PDU_SENT", "PDU sent")
EVT_REJECTED = NotificationEvent("EVT_REJECTED", "Association rejected")
EVT_RELEASED = NotificationEvent("EVT_RELEASED", "Association released")
EVT_REQUESTED = NotificationEvent("EVT_REQUESTED", "Association requested")

EVT_ASYNC_OPS = InterventionEvent("EVT_ASYNC_OPS", "Asynchronous operations negotiation")
EVT_SOP_COMMON = InterventionEvent("EVT_SOP_COMMON", "SOP class common extended negotiation")
EVT_SOP_EXTENDED = InterventionEvent("EVT_SOP_EXTENDED", "SOP class extended negotiation")
EVT_USER_ID = InterventionEvent("EVT_USER_ID", "User identity negotiation")
EVT_C_ECHO = InterventionEvent("EVT_C_ECHO", "C-ECHO request received")
EVT_C_FIND = InterventionEvent("EVT_C_FIND", "C-FIND request received")
EVT_C_GET = InterventionEvent("EVT_C_GET", "C-GET request received")
EVT_C_MOVE = InterventionEvent("EVT_C_MOVE", "C-MOVE request received")
EVT_C_STORE = InterventionEvent("EVT_C_STORE", "C-STORE request received")
EVT_N_ACTION = InterventionEvent("EVT_N_ACTION", "N-ACTION request received")
EVT_N_CREATE = InterventionEvent("EVT_N_CREATE", "N-CREATE request received")
EVT_N_DELETE = InterventionEvent("EVT_N_DELETE", "N-DELETE request received")
EVT_N_EVENT_REPORT = InterventionEvent("EVT_N_EVENT_REPORT", "N-EVENT-REPORT request received")
EVT_N_GET = InterventionEvent("EVT_N_GET", "N-GET request received")
EVT_N_SET = InterventionEvent("EVT_N_SET", "N-SET request received")

NOTIFICATIONS: tuple[NotificationEvent, ...] = (
    EVT_ABORTED, EVT_ACCEPTED, EVT_ACSE_RECV, EVT_ACSE_SENT, EVT_CONN_CLOSE, EVT_CONN_OPEN,
    EVT_DATA_RECV, EVT_DATA_SENT, EVT_DIMSE_RECV, EVT_DIMSE_SENT, EVT_ESTABLISHED,
    EVT_FSM_TRANSITION, EVT_PDU_RECV, EVT_PDU_SENT, EVT_REJECTED, EVT_RELEASED, EVT_REQUESTED,
)  # fmt: skip
INTERVENTIONS: tuple[InterventionEvent, ...] = (
    EVT_ASYNC_OPS, EVT_SOP_COMMON, EVT_SOP_EXTENDED, EVT_USER_ID, EVT_C_ECHO, EVT_C_FIND,
    EVT_C_GET, EVT_C_MOVE, EVT_C_STORE, EVT_N_ACTION, EVT_N_CREATE, EVT_N_DELETE,
    EVT_N_EVENT_REPORT, EVT_N_GET, EVT_N_SET,
)  # fmt: skip
BY_NAME: dict[str, EventType] = {
    **{event.name: event for event in NOTIFICATIONS},
    **{event.name: event for event in INTERVENTIONS},
}


class Event:
    """What a handler is given.

    Parameters
    ----------
    assoc : Association
        Where it happened.
    event : NotificationEvent or InterventionEvent
        What happened.
    attributes : dict
        What belongs to the event, each an attribute of this object; a `Later` is made when it
        is first asked for.

    Attributes
    ----------
    timestamp : datetime
        When it happened, local time without a zone.
    """

    def __init__(self, assoc: Any, event: EventType, attributes: dict[str, Any] | None = None):
        self.assoc = assoc
        self.event = event
        self.timestamp = datetime.now()
        self._later: dict[str, Later] = {}
        for name, value in (attributes or {}).items():
            (self._later if isinstance(value, Later) else self.__dict__)[name] = value

    def __getattr__(self, name: str) -> Any:
        later = self.__dict__.get("_later", {}).get(name)
        if later is not None:
            value = self.__dict__[name] = later.get()
            return value
        known = getattr(type(self), name, None)
        if isinstance(known, property):  # there is one, and it raised: once more, for its words
            return known.__get__(self)
        raise AttributeError(
            f"The corresponding event is {self.__dict__.get('event')}, "
            f"which has no '{name}' parameter"
        )


Bound = tuple[Handler, list[Any]]


class Handlers:
    """Which functions are bound to which events.

    Parameters
    ----------
    bindings : sequence, optional
        (event, function) or (event, function, [further arguments]).
    """

    def __init__(self, bindings: Sequence[HandlerArgType] | None = None) -> None:
        self._notified: dict[str, list[Bound]] = {}
        self._asked: dict[str, Bound] = {}
        self._changing = threading.Lock()  # who only looks needs none
        for binding in bindings or ():
            self.bind(*binding)

    def copy(self) -> Self:
        """Return the same bindings, to be changed on their own."""
        other = type(self)()
        with self._changing:
            other._notified = dict(self._notified)  # its lists are replaced, never changed
            other._asked = dict(self._asked)
        return other

    def bind(self, event: EventType, handler: Handler, args: list[Any] | None = None) -> None:
        """Bind a function to an event.

        Parameters
        ----------
        event : NotificationEvent or InterventionEvent
            A notification event takes any number of functions, each once; of an intervention
            event the last one bound counts.
        handler : callable
            Called with the `Event` and the further arguments.
        args : list, optional
            The further arguments.
        """
        bound = (handler, list(args or []))
        with self._changing:
            if event.is_intervention:
                self._asked[event.name] = bound
                return
            # a new list: another thread may be going through the old one
            present = self._notified.get(event.name, [])
            if bound not in present:
                self._notified[event.name] = [*present, bound]

    def unbind(self, event: EventType, handler: Handler) -> None:
        """Undo `bind`; an intervention event gets its default back."""
        with self._changing:
            self._unbind(event, handler)

    def _unbind(self, event: EventType, handler: Handler) -> None:
        if event.is_intervention:
            bound = self._asked.get(event.name)
            if bound and bound[0] == handler:
                del self._asked[event.name]
            return
        present = self._notified.get(event.name, [])
        left = [bound for bound in present if bound[0] != handler]
        if left:
            self._notified[event.name] = left
        else:
            self._notified.pop(event.name, None)

    def events(self) -> list[EventType]:
        """Return the events that something is bound to, sorted by name."""
        return [BY_NAME[name] for name in sorted({*self._notified, *self._asked})]

    def bound(self, event: EventType) -> list[Bound] | Bound:
        """Return what is bound to an event: a list, or one pair for an intervention event."""
        if event.is_intervention:
            return self._asked.get(event.name) or []
        return list(self._notified.get(event.name, []))

    @property
    def are_silent(self) -> bool:
        """Whether nothing at all is bound to notification events, as with most requestors."""
        return not self._notified

    def listens(self, *events: EventType) -> bool:
        """Whether something is bound to one of the notification events."""
        notified = self._notified  # nearly always empty: this is asked for every message
        if notified:
            for event in events:
                if event.name in notified:
                    return True
        return False

    def asked(self, name: str) -> Bound | None:
        """Return what is bound to the intervention event of that name."""
        return self._asked.get(name)

    def notify(self, assoc: Any, event: EventType, **attributes: Any) -> None:
        """Call all functions bound to a notification event, in the order they were bound.

        One that raises is logged and keeps none of the others from being called.
        """
        for handler, args in self._notified.get(event.name, ()):
            try:
                self._tell(handler, Event(assoc, event, attributes), args)
            except Exception:
                logger.exception("%s", raised_by(event, handler))

    def _tell(self, handler: Handler, event: Event, args: list[Any]) -> None:
        handler(event, *args)


def raised_by(event: EventType, handler: Handler) -> str:
    """Say that a function that was told of an event raised."""
    name = getattr(handler, "__name__", repr(handler))
    return f"Exception raised in user's 'evt.{event.name}' event handler '{name}'"


def get_default_handler(event: EventType) -> Handler:
    """Return a handler that leaves an intervention event to the library.

    Binding it is binding nothing; calling it raises `Unbound`.

    Raises
    ------
    KeyError
        When the event is a notification event, which has no default.
    """
    if not event.is_intervention:
        raise KeyError(f"{event} is a notification event: there is nothing to be done by default")
    return _default_handler


def _default_handler(event: Event) -> Any:
    raise Unbound


def trigger(assoc: Any, event: EventType, attrs: dict[str, Any] | None = None) -> Any:
    """Call what is bound to an event of an association; return what an intervention handler does.

    Parameters
    ----------
    assoc : Association
        Whose handlers.
    event : NotificationEvent or InterventionEvent
        Which event.
    attrs : dict, optional
        The attributes of the `Event`.
    """
    if event.is_notification:
        assoc.handlers.notify(assoc, event, **(attrs or {}))
        return None
    bound = assoc.handlers.asked(event.name)
    if bound is None:
        return None
    return bound[0](Event(assoc, event, attrs), *bound[1])
