"""C-STORE requests, several under way at once, into responses matched by Message ID."""

from __future__ import annotations

from typing import Generic, TypeVar

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.messages import Message
from dicomwire.services.scu import AnswerRequest, response_to_any, send_instance
from dicomwire.services.sending import Outgoing
from dicomwire.services.wants import Conversation

Tag = TypeVar("Tag")

MOST = 256  # under way at once where the peer sets no limit


class Window(Generic[Tag]):
    """The C-STORE requests that have been sent and not been answered (PS3.7 D.3.3.3).

    Parameters
    ----------
    connection : Connection
        The association; says how many may be under way.
    answer : callable
        The conversation that answers what the peer asks meanwhile.

    Attributes
    ----------
    most : int
        How many may be under way at once.
    """

    def __init__(self, connection: Connection, answer: AnswerRequest) -> None:
        self._connection = connection
        self._answer = answer
        self._waiting: dict[int, Command] = {}
        self._tags: dict[int, Tag] = {}
        self.most = min(connection.may_invoke or MOST, MOST)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether one has to be settled before the next is sent."""
        return len(self._waiting) >= self.most

    def send(self, what: Outgoing, command: Command, tag: Tag) -> Conversation[None]:
        """Send a request, and do not wait for its response.

        Parameters
        ----------
        what : Outgoing
            The instance.
        command : dict
            The request; its Message ID is none of those under way.
        tag : anything
            What `settle` gives back with the response.
        """
        message_id = command["MessageID"]
        if self.is_full or message_id in self._waiting:
            raise RuntimeError(f"{len(self)} operations are under way: settle one first")
        yield from send_instance(self._connection, what.context_id, command, what.stream)
        self._waiting[message_id], self._tags[message_id] = command, tag

    def forget(self) -> None:
        """Wait for none of them any more."""
        self._waiting.clear()
        self._tags.clear()

    def settle(self) -> Conversation[tuple[Tag, Message]]:
        """Wait for the next response, to whichever request.

        Raises
        ------
        Ended
            When the association ended before.
        """
        message = yield from response_to_any(self._connection, self._waiting, self._answer)
        message_id = message.command["MessageIDBeingRespondedTo"]
        del self._waiting[message_id]
        return self._tags.pop(message_id), message
