"""The DIMSE-C services as coroutine methods over the conversations of `services`."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from dicomwire.network.aio.responses import Answers
from dicomwire.network.aio.stores import Stores
from dicomwire.network.preparing import Preparing, Question, check_id, check_priority
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.messages import Message
from dicomwire.services import scu
from dicomwire.services.response import Response
from dicomwire.services.wants import Conversation
from dicomwire.standard.dimse import C_STORE, LAST_MESSAGE_ID, PRIORITY_LOW

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from dicomwire.dataset.part10 import FileHeader

    Instance = Dataset | str | Path | FileHeader


class Operations(Preparing):
    """What an association can be asked to do."""

    @abstractmethod
    async def _operate(
        self, operation: str, conversation: Conversation[Any], command: Command | None = None
    ) -> Any:
        """Run a conversation when it is this task's turn; `command` is the request it sends."""

    @abstractmethod
    async def begin(self, operation: str, conversation: Conversation[Any]) -> None:
        """Run the first part of an operation, and keep the turn until `done_asking`."""

    @abstractmethod
    async def go_on(self, conversation: Conversation[Any], resumable: bool = False) -> Any:
        """Run a further part of the operation that `begin` began; one that is resumable may go on
        after the task that waits was cancelled."""

    @abstractmethod
    async def done_asking(self) -> None:
        """Let the next operation begin."""

    @abstractmethod
    async def abort(self, block: bool = True) -> None:
        """Abort the association."""

    @abstractmethod
    def leave(self, close: Callable[[], Awaitable[None]]) -> None:
        """Let another task see to the end of responses that nobody waits for."""

    @abstractmethod
    async def _send_aside(self, context_id: int, command: Command) -> None:
        """Send a message besides the operation under way."""

    async def _ask(self, question: Question) -> Response:
        """Send a request, and say in the log how it was answered."""
        conversation = question.conversation(self.connection)
        message = await self._operate(question.service.name, conversation, question.command)
        response = question.response(message)
        self.log_response(response)
        return response


class CompositeOperations(Operations):
    """The DIMSE-C services that an association can be asked for (PS3.7 9).

    Names, arguments and answers are those of the methods of the same names in the blocking API.
    """

    dimse_timeout: float | None
    _answers: weakref.ref[Answers] | None = None

    async def c_echo(self, msg_id: int = 1) -> Response:
        """Ask the peer for a sign of life (C-ECHO, PS3.7 9.1.5).

        Parameters
        ----------
        msg_id : int
            Message ID, 0 to 65,535.

        Raises
        ------
        Ended
            Why there was no response.
        RuntimeError
            When the association is not established, or this task is in the middle of another
            operation on it.
        ValueError
            When Verification was not accepted.
        """
        return await self._ask(self.ask_echo(msg_id))

    async def c_store(
        self,
        dataset: Dataset | str | Path | FileHeader,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        originator_aet: str | None = None,
        originator_id: int | None = None,
        decompress: bool = False,
    ) -> Response:
        """Send a composite SOP instance (C-STORE, PS3.7 9.1.1).

        A task that is cancelled meanwhile aborts the association.

        Parameters
        ----------
        dataset, msg_id, priority, originator_aet, originator_id, decompress
            See the blocking `Association.c_store`.

        Raises
        ------
        Ended
            Why there was no response.
        RuntimeError, AttributeError, TypeError, ValueError
            As the blocking `Association.c_store`.
        """
        prepared = self.prepare_store(
            dataset, msg_id, priority, originator_aet, originator_id, decompress
        )
        with prepared as (what, command):
            conversation = self.store_conversation(what, command)
            response = Response(C_STORE, await self._operate("C-STORE", conversation, command))
        self.log_response(response)
        return response

    def c_stores(
        self,
        instances: Iterable[Instance] | AsyncIterable[Instance],
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        decompress: bool = False,
    ) -> AsyncIterator[tuple[Instance, Response | Exception]]:
        """Send many composite SOP instances, as many at once as the peer granted.

        Parameters
        ----------
        instances : iterable or asynchronous iterable of Dataset, str, Path or FileHeader
            See `c_store`. The next is taken when there is room for it.
        msg_id, priority, decompress
            See the blocking `Association.c_stores`.

        Yields
        ------
        instance, outcome
            See the blocking `Association.c_stores`.

        Raises
        ------
        Ended
            Why the association is over; what was not yielded before has no answer.
        RuntimeError
            When the association is not established.
        """
        self.check_established("C-STORE")
        check_priority(priority)
        check_id(msg_id)
        return self._store_all(instances, msg_id, priority=priority, decompress=decompress)

    async def _store_all(
        self,
        instances: Iterable[Instance] | AsyncIterable[Instance],
        number: int,
        **fields: Any,
    ) -> AsyncIterator[tuple[Instance, Response | Exception]]:
        stores = Stores(self)
        try:
            async for instance in _each(instances):
                try:
                    await stores.send(instance, instance, msg_id=number, **fields)
                except (LocalError, OSError, TypeError, ValueError, AttributeError) as error:
                    if self.connection.ended is not None:
                        raise
                    yield instance, error
                number = (number + 1) % (LAST_MESSAGE_ID + 1)
                while len(stores) >= stores.most:
                    yield await stores.settle()
            while stores:
                yield await stores.settle()
        finally:
            await stores.close()

    def c_find(
        self, dataset: Dataset, query_model: str, msg_id: int = 1, priority: int = PRIORITY_LOW
    ) -> Answers:
        """Ask for matches (C-FIND, PS3.7 9.1.2), which are decoded only when they are looked at.

        Parameters
        ----------
        dataset : Dataset
            The identifier: keys to match and to return.
        query_model : str
            UID of the information model.
        msg_id : int
            Message ID, 0 to 65,535.
        priority : int
            0 medium, 1 high, 2 low.

        Returns
        -------
        Answers
            For `async for`, which raises `Ended` when there are no more responses because the
            association is over.

        Raises
        ------
        RuntimeError
            When the association is not established.
        ValueError
            When the model was not accepted, or the identifier cannot be encoded.
        """
        return self._ask_many("C-FIND", dataset, query_model, msg_id, Priority=priority)

    def c_get(
        self, dataset: Dataset, query_model: str, msg_id: int = 1, priority: int = PRIORITY_LOW
    ) -> Answers:
        """Ask for instances over this association (C-GET, PS3.7 9.1.3).

        They come as C-STORE requests while the responses are iterated over, and go to the handler
        bound to EVT_C_STORE; see the blocking `Association.send_c_get`.

        Parameters
        ----------
        dataset, query_model, msg_id, priority
            See `c_find`.

        Returns
        -------
        Answers
            See `c_find`.
        """
        return self._ask_many("C-GET", dataset, query_model, msg_id, Priority=priority)

    def c_move(
        self,
        dataset: Dataset,
        move_aet: str,
        query_model: str,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
    ) -> Answers:
        """Ask the peer to send instances to an AE (C-MOVE, PS3.7 9.1.4).

        Parameters
        ----------
        dataset, query_model, msg_id, priority
            See `c_find`.
        move_aet : str
            AE title of the destination; the peer has to know its address.

        Returns
        -------
        Answers
            See `c_find`.
        """
        fields = {"Priority": priority, "MoveDestination": move_aet}
        return self._ask_many("C-MOVE", dataset, query_model, msg_id, **fields)

    def _ask_many(
        self, name: str, dataset: Dataset, query_model: str, msg_id: int, **fields: Any
    ) -> Answers:
        answers = Answers(self, self.ask_many(name, dataset, query_model, msg_id, **fields))
        self._answers = weakref.ref(answers)
        return answers

    async def begin_asking(self, question: Question) -> None:
        """Send a request of `_ask_many`."""
        await self.begin(question.service.name, question.sending(self.connection))

    async def next_response(self, question: Question) -> Message:
        """Wait for the next response to a request of `_ask_many`."""
        conversation = scu.response_to(self.connection, question.command, question.answer)
        message: Message = await self.go_on(conversation, resumable=True)
        return message

    async def _close_responses(self) -> None:
        """Close what `_ask_many` returned last, if it is still open: nobody asks for the rest."""
        answers = self._answers() if self._answers else None
        if answers is not None:
            await answers.aclose()

    async def send_c_cancel(
        self, msg_id: int, context_id: int | None = None, query_model: str | None = None
    ) -> None:
        """Ask the peer to stop answering a request (C-CANCEL, PS3.7 9.3.2.3), from any task.

        Parameters
        ----------
        msg_id, context_id, query_model
            See the blocking `Association.send_c_cancel`.
        """
        await self._send_aside(*self.cancel_request(msg_id, context_id, query_model))


async def _each(instances: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Go through an iterable of either kind."""
    if isinstance(instances, AsyncIterable):
        async for instance in instances:
            yield instance
    else:
        for instance in instances:
            yield instance
