"""What asking for anything on an association needs, whatever the service."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomwire.dataset.codec import encode
from dicomwire.dataset.errors import DataSetError
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Error
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import AcceptedContext
from dicomwire.services.response import Response
from dicomwire.services.wants import Conversation
from dicomwire.standard.dimse import Service

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

logger = logging.getLogger("dicomwire.association")


class Operations(ABC):
    """What an association can be asked to do.

    Attributes
    ----------
    connection : Connection
        The association's.
    is_established : bool
        Whether requests can be sent.
    """

    connection: Connection
    is_established: bool

    @property
    @abstractmethod
    def ended(self) -> Error | None:
        """Why the association is over."""

    @abstractmethod
    def _operate(
        self, operation: str, conversation: Conversation[Any], command: Command | None = None
    ) -> Any:
        """Run a conversation when it is this thread's turn; `command` is the request it sends."""

    @abstractmethod
    def begin(self, operation: str, conversation: Conversation[Any]) -> None:
        """Run the first part of an operation, and keep the turn until `done_asking`."""

    @abstractmethod
    def go_on(self, conversation: Conversation[Any]) -> Any:
        """Run a further part of the operation that `begin` began."""

    @abstractmethod
    def poll(self) -> None:
        """Take in what has arrived, without waiting."""

    @abstractmethod
    def done_asking(self) -> None:
        """Let the next operation begin."""

    @abstractmethod
    def leave(self, close: Callable[[], None]) -> None:
        """Let another thread see to the end of responses that nobody waits for."""

    @abstractmethod
    def _send_aside(self, context_id: int, command: Command) -> None:
        """Send a message besides the operation under way."""

    def _ask(
        self, conversation: Conversation[Message], service: Service, command: Command
    ) -> Response:
        """Run a request, and say in the log how it was answered."""
        response = Response(service, self._operate(service.name, conversation, command))
        self.log_response(response)
        return response

    def log_response(self, response: Response) -> None:
        """Say in the log how a request was answered."""
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "Received %s Response (Status: 0x%04X - %s)",
                plain_name(response.service),
                response.status,
                response.category.value,
            )

    def check_established(self, operation: str) -> None:
        """Raise RuntimeError when nothing can be asked for."""
        if not self.is_established:
            raise RuntimeError(
                f"The association with a peer SCP must be established before sending a "
                f"{operation} request" + (f": {self.ended}" if self.ended else "")
            )


def plain_name(service: Service) -> str:
    """Name a service as pynetdicom's log does: "Find", "Event Report"."""
    return service.name[2:].replace("-", " ").title()


def encoded(dataset: Dataset, context: AcceptedContext) -> bytes:
    """Encode a data set for a presentation context; raise ValueError when it cannot be."""
    try:
        return encode(dataset, context.transfer_syntax)
    except DataSetError as error:
        raise ValueError(f"Failed to encode the supplied dataset: {error}") from error


def check_id(number: int, what: str = "A Message ID") -> int:
    """Return a number that fits an element of VR US.

    Raises
    ------
    TypeError, ValueError
        When it is no int from 0 to 65,535.
    """
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{what} must be an int")
    if not 0 <= number <= 0xFFFF:
        raise ValueError(f"{what} must be from 0 to 65,535, not {number}")
    return number


def check_priority(priority: int) -> None:
    """Raise ValueError unless a priority is one (PS3.7 E.1)."""
    if priority not in (0, 1, 2):
        raise ValueError(f"priority must be 0 (medium), 1 (high) or 2 (low), not {priority!r}")
