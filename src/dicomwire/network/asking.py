"""What asking for anything with blocking calls needs, whatever the service."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from dicomwire.network.preparing import Preparing, Question
from dicomwire.protocol.command import Command
from dicomwire.services.response import Response
from dicomwire.services.wants import Conversation


class Operations(Preparing):
    """What an association can be asked to do."""

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

    def _ask(self, question: Question) -> Response:
        """Send a request, and say in the log how it was answered."""
        conversation = question.conversation(self.connection)
        message = self._operate(question.service.name, conversation, question.command)
        response = question.response(message)
        self.log_response(response)
        return response
