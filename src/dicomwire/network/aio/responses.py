"""The responses to one request, as they come, into what the caller iterates over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

from dicomwire.network.preparing import Question
from dicomwire.network.responses import Meanings
from dicomwire.protocol.errors import Ended, Error
from dicomwire.protocol.messages import Message
from dicomwire.services.response import Response


class Asking(Protocol):
    """What iterating needs of the association."""

    dimse_timeout: float | None

    async def begin_asking(self, question: Question) -> None:
        """Send a request, and keep the turn until `done_asking`; raises Ended."""

    async def next_response(self, question: Question) -> Message:
        """Wait for the next response to a request; raises Ended."""

    async def send_c_cancel(self, msg_id: int, context_id: int | None = None) -> None:
        """Ask the peer to stop."""

    async def done_asking(self) -> None:
        """Let the next operation begin."""

    async def abort(self, block: bool = True) -> None:
        """Abort the association."""

    def leave(self, close: Callable[[], Awaitable[None]]) -> None:
        """Let another task see to the end of what this one has given up."""


class Answers:
    """A request that is answered by many responses (PS3.7 9.1.2 to 9.1.4), as they come.

    To be iterated over with `async for`; the request is sent when that begins. Each is a
    `Response`, whose data set is decoded when asked. Whoever does not want the rest calls
    `aclose`, or leaves the block of `async with`, or forgets the object: the peer is asked to
    stop, and what it still sends within the DIMSE time-out is dropped, so that the next operation
    on the association works; a peer that goes on for longer is aborted.

    A task that is cancelled while it waits for the next response loses none: it may go on.

    Parameters
    ----------
    asking : Asking
        The association.
    question : Question
        What is asked.
    """

    def __init__(self, asking: Asking, question: Question) -> None:
        self._asking = asking
        self._question = question
        self._meanings = Meanings(question.service)
        self._open = self._is_over = False
        self._busy = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Response:
        if self._busy:
            raise ValueError("These responses are being waited for already")
        if self._is_over:
            raise StopAsyncIteration
        self._busy = True
        try:
            if not self._open:
                await self._asking.begin_asking(self._question)
                self._open = True
            return await self._next()
        except Error:
            self._is_over = True
            raise
        finally:
            self._busy = False

    async def _next(self) -> Response:
        try:
            message = await self._asking.next_response(self._question)
        except asyncio.CancelledError:
            raise  # while it waited: the next call goes on; else the association is over
        except BaseException:
            await self._finish()
            raise
        response = self._question.response(message)
        if not self._meanings.of(response)[1]:
            await self._finish()
        return response

    async def _finish(self) -> None:
        self._is_over = True
        if self._open:
            self._open = False
            await self._asking.done_asking()

    async def aclose(self) -> None:
        """Ask the peer to stop, and drop what it still sends.

        Nothing happens while they are being waited for in another task.
        """
        if self._busy:
            return
        self._is_over = self._busy = True
        try:
            await self._close()
        finally:
            self._busy = False

    async def _close(self) -> None:
        if not self._open:
            return
        question = self._question
        try:
            await self._asking.send_c_cancel(
                question.command["MessageID"], question.context.context_id
            )
            async with asyncio.timeout(self._asking.dimse_timeout):
                while self._open:
                    await self._next()
        except TimeoutError:
            await self._asking.abort(block=False)
        except Ended:
            pass
        finally:
            await self._finish()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            # this may run anywhere: let a task see to it
            self._asking.leave(self.aclose)
