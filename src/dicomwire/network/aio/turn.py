"""Tasks that want to use one association into one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

from dicomwire.network.turn import nested


class Turn:
    """Who holds the conversation of an association: one operation at a time."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[Any] | None = None
        self._operation = ""

    async def take(self, operation: str) -> None:
        """Wait until nothing else is under way.

        Parameters
        ----------
        operation : str
            What is about to begin, for the message.

        Raises
        ------
        RuntimeError
            When this very task is in the middle of another operation.
        """
        me = asyncio.current_task()
        if self._owner is me:
            raise nested(operation, self._operation)
        await self._lock.acquire()
        self._owner, self._operation = me, operation

    def give(self) -> None:
        """Let the next one begin."""
        self._owner, self._operation = None, ""
        self._lock.release()

    def disown(self) -> None:
        """Leave it to another task to `give` the turn."""
        self._owner = None

    @property
    def operation(self) -> str:
        """What is under way; empty when nothing is."""
        return self._operation

    @property
    def is_taken(self) -> bool:
        """Whether anything is under way."""
        return self._lock.locked()

    @property
    def is_mine(self) -> bool:
        """Whether this task holds it."""
        return self._owner is not None and self._owner is asyncio.current_task()
