"""Responses that one thread receives into the hands of another that waits for them."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Event
from dicomwire.protocol.messages import Message
from dicomwire.standard.dimse import RESPONSE


class Aside:
    """What a thread waits for on an association that another thread serves.

    The acceptor's own thread receives whatever comes. One other thread at a time may send a
    request besides, e.g. an N-EVENT-REPORT; the response to it is handed over here.

    Attributes
    ----------
    wanted : (int, int) or None
        Command Field and Message ID Being Responded To of the response.
    """

    def __init__(self) -> None:
        self.wanted: tuple[int, int] | None = None
        self._handed: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._ended = False

    @contextmanager
    def awaiting(self, command: Command | None) -> Iterator[None]:
        """Have the response to a request handed over.

        Parameters
        ----------
        command : dict, optional
            The request; None only waits for the end of the association.
        """
        self._handed = queue.SimpleQueue()
        if command is not None:
            self.wanted = command["CommandField"] | RESPONSE, command["MessageID"]
        if self._ended:
            self._handed.put(None)
        try:
            yield
        finally:
            self.wanted = None

    def take(self, event: Event) -> bool:
        """Hand an event over if it is the response that is waited for; tell whether it was."""
        if not isinstance(event, Message):
            return False
        command = event.command
        found = command["CommandField"], command.get("MessageIDBeingRespondedTo")
        if found != self.wanted:
            return False
        self._handed.put(event)
        return True

    def wait(self, timeout: float | None) -> Message | None:
        """Wait for the response; None when the association ended instead.

        Parameters
        ----------
        timeout : float or None
            Seconds.

        Raises
        ------
        TimeoutError
            When nothing came.
        """
        try:
            return self._handed.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None

    def end(self) -> None:
        """Learn that the association is over."""
        self._ended = True
        self._handed.put(None)
