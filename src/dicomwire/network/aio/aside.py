"""Responses that one task receives into the hands of another that waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from dicomwire.network.aside import Wanted
from dicomwire.protocol.command import Command
from dicomwire.protocol.messages import Message


class Aside(Wanted):
    """What a task waits for on an association that another task serves; see the threaded one."""

    _waiting: asyncio.Future[Message | None] | None = None

    @contextmanager
    def awaiting(self, command: Command | None) -> Iterator[None]:
        """Have the response to a request handed over.

        Parameters
        ----------
        command : dict, optional
            The request; None only waits for the end of the association.
        """
        self._waiting = asyncio.get_running_loop().create_future()
        self.want(command)
        if self.has_ended:
            self._waiting.set_result(None)
        try:
            yield
        finally:
            self.wanted = self._waiting = None

    def hand(self, message: Message | None) -> None:
        """Hand the response over; None when the association ended instead."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(message)

    async def wait(self, seconds: float | None) -> Message | None:
        """Wait for the response; None when the association ended instead.

        Parameters
        ----------
        seconds : float or None
            At most.

        Raises
        ------
        TimeoutError
            When nothing came.
        """
        assert self._waiting is not None
        async with asyncio.timeout(seconds):
            return await self._waiting
