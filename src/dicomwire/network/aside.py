"""Responses that one thread receives into the hands of another that waits for them."""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Event
from dicomwire.protocol.messages import Message
from dicomwire.standard.dimse import RESPONSE


class Wanted(ABC):
    """Which response somebody waits for besides whoever receives.

    Whoever serves the association receives whatever comes. One other at a time may send a request
    besides, e.g. an N-EVENT-REPORT; the response to it is handed over.

    Attributes
    ----------
    wanted : (int, int) or None
        Command Field and Message ID Being Responded To of the response.
    """

    def __init__(self) -> None:
        self.wanted: tuple[int, int] | None = None
        self.has_ended = False

    def want(self, command: Command | None) -> None:
        """Want the response to a request; with None only the end of the association."""
        if command is not None:
            self.wanted = command["CommandField"] | RESPONSE, command["MessageID"]

    def take(self, event: Event) -> bool:
        """Hand an event over if it is the response that is waited for; tell whether it was."""
        if not isinstance(event, Message):
            return False
        command = event.command
        found = command["CommandField"], command.get("MessageIDBeingRespondedTo")
        if found != self.wanted:
            return False
        self.hand(event)
        return True

    @abstractmethod
    def hand(self, message: Message | None) -> None:
        """Hand the response over; None when the association ended instead."""

    def end(self) -> None:
        """Learn that the association is over."""
        self.has_ended = True
        self.hand(None)


class Aside(Wanted):
    """What a thread waits for on an association that another thread serves."""

    def __init__(self) -> None:
        super().__init__()
        self._handed: queue.SimpleQueue[Message | None] = queue.SimpleQueue()

    @contextmanager
    def awaiting(self, command: Command | None) -> Iterator[None]:
        """Have the response to a request handed over.

        Parameters
        ----------
        command : dict, optional
            The request; None only waits for the end of the association.
        """
        self._handed = queue.SimpleQueue()
        self.want(command)
        if self.has_ended:
            self._handed.put(None)
        try:
            yield
        finally:
            self.wanted = None

    def hand(self, message: Message | None) -> None:
        """Hand the response over; None when the association ended instead."""
        self._handed.put(message)

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
