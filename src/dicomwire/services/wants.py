"""What a conversation can ask of its driver: a small closed set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from enum import Enum
from typing import Any, TypeVar

from dicomwire.dataset.errors import UndecodableDataSet

Result = TypeVar("Result")
Conversation = Generator[Any, Any, Result]
"""A generator that yields wants, is sent the answers, and returns its result."""


class Timer(Enum):
    """Which time-out bounds a wait."""

    ACSE = "ACSE"  # negotiation and release, as a whole
    DIMSE = "DIMSE"  # the peer's answer to a request
    NETWORK = "network"  # anything at all from the peer


class Receive:
    """Wait for the next event of the connection; raises why the association ended.

    Parameters
    ----------
    timer : Timer
        What bounds the wait.
    """

    __slots__ = ("timer",)

    def __init__(self, timer: Timer) -> None:
        self.timer = timer


class Flush:
    """Write what is in `Connection.out`.

    Parameters
    ----------
    more_follows : bool
        Whether more is likely to be written at once. Then the system may keep what is written for
        a moment, to send it with that; it never waits for what follows.
    """

    __slots__ = ("more_follows",)

    def __init__(self, more_follows: bool = False) -> None:
        self.more_follows = more_follows


class Connect:
    """Open the transport connection."""

    __slots__ = ()


class Call:
    """Call the handler bound to an intervention event; raises `HandlerRaised`.

    Parameters
    ----------
    event : str
        Name of the event, e.g. "EVT_C_STORE".
    attributes : dict
        What the handler finds on the event.
    """

    __slots__ = ("attributes", "event")

    def __init__(self, event: str, **attributes: Any) -> None:
        self.event = event
        self.attributes = attributes


class Notify(Call):
    """Tell whoever listens to a notification event; the answer is None."""

    __slots__ = ()


class Next:
    """Ask what a handler returned for its next value; `END` when there is none.

    Raises `HandlerRaised` when the handler does, or when what it returned yields nothing.

    Parameters
    ----------
    event : str
        Name of the event whose handler it is.
    values : iterator
        What the handler returned.
    """

    __slots__ = ("event", "values")

    def __init__(self, event: str, values: Any) -> None:
        self.event = event
        self.values = values


class Close:
    """Let a handler that yields clean up: no further value is asked for.

    Parameters
    ----------
    values : iterator or None
        What the handler returned.
    """

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values = values


class Open:
    """Open an association to the destination of a C-MOVE.

    The answer is a handle for it, and how many instances may be under way there at once. Raises
    `Ended`, or what the settings cause.

    Parameters
    ----------
    host : str
        Where the destination listens.
    port : int
        TCP port.
    settings : dict
        Further arguments of `AE.associate`.
    """

    __slots__ = ("host", "port", "settings")

    def __init__(self, host: str, port: int, settings: dict[str, Any]) -> None:
        self.host = host
        self.port = port
        self.settings = settings


class Store:
    """Send an instance to a destination that was opened, and do not wait for the response.

    Parameters
    ----------
    destination : handle
        What `Open` answered.
    dataset : Dataset or file
        The instance.
    tag : anything
        What `Settle` answers with the status.
    **fields
        Further arguments of `Association.c_store`.
    """

    __slots__ = ("dataset", "destination", "fields", "tag")

    def __init__(self, destination: Any, dataset: Any, tag: Any, **fields: Any) -> None:
        self.destination = destination
        self.dataset = dataset
        self.tag = tag
        self.fields = fields


class Settle:
    """Wait for the next response of a destination; the answer is the tag and the status.

    Parameters
    ----------
    destination : handle
        What `Open` answered.
    """

    __slots__ = ("destination",)

    def __init__(self, destination: Any) -> None:
        self.destination = destination


class Hang:
    """Release a destination that was opened.

    Parameters
    ----------
    destination : handle
        What `Open` answered.
    """

    __slots__ = ("destination",)

    def __init__(self, destination: Any) -> None:
        self.destination = destination


class PutOff(ABC):
    """What a handler has left to be done while the association goes on, the response included."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Wait until it is done; see `Close`."""


END = object()
"""What `Next` answers when a handler has yielded everything."""

FLUSH = Flush()
FLUSH_MORE = Flush(more_follows=True)
CONNECT = Connect()
RECEIVE_ACSE = Receive(Timer.ACSE)
RECEIVE_DIMSE = Receive(Timer.DIMSE)
RECEIVE_IDLE = Receive(Timer.NETWORK)


class HandlerRaised(Exception):
    """A handler raised; the driver has reported it, the conversation decides what to answer.

    What it raised is the cause of this.
    """

    @property
    def comment(self) -> str:
        """What the peer is told (Error Comment, PS3.7 C.4).

        The name of the error at most: its text may be about a patient.
        """
        if isinstance(self.__cause__, UndecodableDataSet):
            return "the data set of the request cannot be decoded"
        if self.__cause__ is None:
            return "the handler gave what is no answer"
        return f"the handler raised {type(self.__cause__).__name__}"


class Unbound(HandlerRaised):
    """No handler is bound to the event."""

    comment = "no handler is bound to the service"
