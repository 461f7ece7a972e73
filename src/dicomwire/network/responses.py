"""The responses to one request, as they come, into what the caller iterates over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from dicomwire.dataset.errors import DataSetError
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import Ended
from dicomwire.protocol.messages import Message
from dicomwire.services.query import REPOSITORY_QUERY
from dicomwire.services.response import Response
from dicomwire.services.scu import AnswerRequest
from dicomwire.standard.dimse import Service
from dicomwire.standard.statuses import Category

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Taken = TypeVar("Taken")


class Asking(Protocol):
    """What iterating needs of the association."""

    def next_response(self, command: Command, answer: AnswerRequest) -> Message:
        """Wait for the next response to a request; raises Ended."""

    def transfer_syntax(self, context_id: int) -> str:
        """Return the transfer syntax of a presentation context."""

    def send_c_cancel(self, msg_id: int, context_id: int | None = None) -> None:
        """Ask the peer to stop."""

    def done_asking(self) -> None:
        """Let the next operation begin."""

    def leave(self, close: Callable[[], None]) -> None:
        """Let another thread see to the end of what this one has given up."""


class Meanings:
    """What the responses to one request mean: nearly all have the same status, looked up once.

    Parameters
    ----------
    service : Service
        What was asked.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._known: dict[tuple[object, int], tuple[Category, bool]] = {}

    def of(self, response: Response) -> tuple[Category, bool]:
        """Return the category of a response, and whether further ones follow it."""
        command = response.command
        key = command.get("AffectedSOPClassUID"), command["Status"]
        known = self._known.get(key)
        if known is None:
            category = response.category
            known = self._known[key] = category, _goes_on(response, category)
        return known


def _goes_on(response: Response, category: Category) -> bool:
    if category is Category.PENDING:
        return True
    repository = response.command.get("AffectedSOPClassUID") == REPOSITORY_QUERY
    return repository and category is Category.WARNING  # PS3.4 C.6.4: 0xB001


class Asked:
    """A request that is answered by many responses (PS3.7 9.1.2 to 9.1.4), as they come.

    The request has been sent when this is made. Whoever does not want the rest calls `close`, or
    forgets the object: the peer is asked to stop, and what it still sends is dropped, so that the
    next operation on the association works.

    Parameters
    ----------
    asking : Asking
        The association.
    service : Service
        What was asked.
    context_id : int
        The presentation context.
    command : dict
        The request.
    answer : callable
        The conversation that answers what the peer asks meanwhile.
    """

    def __init__(
        self,
        asking: Asking,
        service: Service,
        context_id: int,
        command: Command,
        answer: AnswerRequest,
    ) -> None:
        self._asking = asking
        self._service = service
        self._context_id = context_id
        self._command = command
        self._answer = answer
        self._open = True
        self._busy = threading.Lock()
        self._meanings = Meanings(service)

    def cannot_come(self, error: Ended) -> None:
        """Learn that the association ended before the request was sent."""
        self._open = False
        raise error

    def were_not_asked_for(self) -> None:
        """Learn that the request was not sent."""
        self._open = False

    def _one_at_a_time(self, take: Callable[[], Taken]) -> Taken:
        if not self._busy.acquire(blocking=False):
            raise ValueError("These responses are being waited for already")
        try:
            return take()
        finally:
            self._busy.release()

    def _next(self) -> tuple[Response, Category]:
        message = self._asking.next_response(self._command, self._answer)
        syntax = self._asking.transfer_syntax(message.context_id)
        response = Response(self._service, message, syntax)
        category, goes_on = self._meanings.of(response)
        if not goes_on:
            self._finish()
        return response, category

    def _finish(self) -> None:
        if self._open:
            self._open = False
            self._asking.done_asking()

    def close(self) -> None:
        """Ask the peer to stop, and drop what it still sends.

        Nothing happens while they are being waited for, in another thread or further up.
        """
        if not self._busy.acquire(blocking=False):
            return
        try:
            self._close()
        finally:
            self._busy.release()

    def _close(self) -> None:
        if not self._open:
            return
        try:
            self._asking.send_c_cancel(self._command["MessageID"], self._context_id)
            while self._open:
                self._next()
        except Ended:
            pass
        finally:
            self._finish()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            # this may run anywhere, also where a lock is held: let another thread wait
            self._asking.leave(self.close)


class Answers(Asked):
    """The responses to one request, each a `Response` whose data set is decoded when asked."""

    def __iter__(self) -> Iterator[Response]:
        return self

    def __next__(self) -> Response:
        return self._one_at_a_time(self._next_response)

    def _next_response(self) -> Response:
        if not self._open:
            raise StopIteration
        try:
            return self._next()[0]
        except Ended:
            self._finish()
            raise


class Responses(Asked):
    """Pairs of status and identifier, one for each response, as pynetdicom gives them."""

    _failed = False

    def cannot_come(self, error: Ended) -> None:
        """Learn that the association ended before the request was sent: it is told later."""
        self._open, self._failed = False, True

    def __iter__(self) -> Iterator[tuple[Dataset, Dataset | None]]:
        return self

    def __next__(self) -> tuple[Dataset, Dataset | None]:
        return self._one_at_a_time(self._next_pair)

    def _next_pair(self) -> tuple[Dataset, Dataset | None]:
        from pydicom.dataset import Dataset

        if self._failed:
            self._failed = False
            return Dataset(), None
        if not self._open:
            raise StopIteration
        try:
            response, category = self._next()
        except Ended:
            self._finish()
            return Dataset(), None
        identifier = self._identifier(response, category)
        return response.dataset(), identifier

    def _identifier(self, response: Response, category: Category) -> Dataset | None:
        """Decode what came with a response, if users of this service expect anything there."""
        from pydicom.dataset import Dataset

        pending = category is Category.PENDING
        if self._service.name == "C-FIND":
            wanted = pending
        else:  # PS3.4 C.4.3.1.4: the list of instances that failed
            wanted = not pending and category is not Category.SUCCESS
        if not wanted:
            return None
        try:
            identifier = response.decode()
        except DataSetError:
            return None
        return Dataset() if identifier is None and not pending else identifier
