"""Fragments of command sets and data sets into whole messages (PS3.7 6.3, PS3.8 Annex E)."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import NamedTuple, Protocol

from dicomwire.protocol.command import Command, decode_command
from dicomwire.protocol.errors import InvalidParameter, LimitReached
from dicomwire.protocol.limits import DEFAULT, Limits
from dicomwire.standard.dimse import NO_DATA_SET

COMMAND_BIT, LAST_BIT = 1, 2  # PS3.8 E.2: message control header


class Sink(Protocol):
    """Where the fragments of an incoming data set go.

    `write` is given the fragments that one read of the transport brought. They are on loan: a sink
    copies them before it returns. It never raises; what went wrong it keeps for the service.
    """

    def write(self, fragments: list[memoryview]) -> None:
        """Take the fragments, in order."""

    def finish(self) -> None:
        """Learn that the data set is complete."""

    def discard(self) -> None:
        """Learn that the data set will never be complete."""


class Memory:
    """A sink that keeps the data set in memory."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def data(self) -> bytes | bytearray:
        """The bytes."""
        return self._data

    def share(self) -> Memory:
        """Return another hold on the bytes, which `discard` of this one leaves."""
        other = Memory()
        other._data = self._data
        return other

    def write(self, fragments: list[memoryview]) -> None:
        """Append the fragments."""
        data = self._data
        for fragment in fragments:
            data += fragment

    def finish(self) -> None:
        """Nothing is left to do."""

    def discard(self) -> None:
        """Forget the bytes."""
        self._data = bytearray()


class Dropped:
    """A sink that counts the bytes and keeps none."""

    __slots__ = ("length",)

    def __init__(self) -> None:
        self.length = 0

    def write(self, fragments: list[memoryview]) -> None:
        """Count the bytes."""
        self.length += sum(map(len, fragments))

    def finish(self) -> None:
        """Nothing is left to do."""

    def discard(self) -> None:
        """Nothing is left to do."""


class Message(NamedTuple):
    """A DIMSE message as it arrived.

    Parameters
    ----------
    context_id : int
        The presentation context it came over.
    command : dict
        The command set by keyword.
    data : Sink or None
        The data set, complete; None when the message has none.
    is_repeated : bool
        Whether it is a request with the Message ID of one that is not answered yet.
    """

    context_id: int
    command: Command
    data: Sink | None
    is_repeated: bool = False


ChooseSink = Callable[[int, Command], Sink]


def in_memory(context_id: int, command: Command) -> Sink:
    """Choose memory for every data set."""
    return Memory()


class Assembly:
    """The message that is arriving.

    Parameters
    ----------
    limits : Limits
        What a message may cost.

    Attributes
    ----------
    contexts : container of int
        IDs of the accepted presentation contexts.
    choose_sink : callable
        Given the context ID and the complete command set, returns where the data set goes.
    bulk : int
        The context ID while fragments of a data set are awaited, else 0.
    fragments : list of memoryview
        Fragments of the data set that were not handed to the sink yet.
    """

    __slots__ = (
        "_command_set",
        "_context_id",
        "_empty",
        "_limits",
        "_sink",
        "bulk",
        "choose_sink",
        "contexts",
        "fragments",
        "_command",
    )

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self.contexts: Container[int] = ()
        self.choose_sink: ChooseSink = in_memory
        self.fragments: list[memoryview] = []
        self.bulk = 0
        self._context_id = 0
        self._empty = 0
        self._command_set = bytearray()
        self._command: Command = {}
        self._sink: Sink | None = None

    @property
    def under_way(self) -> bool:
        """Whether a message has begun and is not complete."""
        return self.bulk > 0 or len(self._command_set) > 0

    def expect(self, context_id: int, control: int) -> None:
        """Check that a presentation data value may stand here.

        Raises
        ------
        InvalidParameter
            When its context was not accepted, or a command comes in the middle of a data set, or
            a data set without a command, or one message mixes contexts (PS3.7 6.3, PS3.8 E.1).
        """
        if context_id not in self.contexts:
            raise InvalidParameter(f"Presentation context {context_id} was not accepted")
        if control & COMMAND_BIT:
            if self.bulk:
                raise InvalidParameter("A command set in the middle of a data set")
            if self._command_set and context_id != self._context_id:
                raise InvalidParameter("One command set over two presentation contexts")
            self._context_id = context_id
        elif context_id != self.bulk:
            raise InvalidParameter(
                "A data set over another presentation context than its command set"
                if self.bulk
                else "A data set without a command set"
            )

    def count_empty(self) -> None:
        """Learn that a fragment without a byte came that is not the last.

        Raises
        ------
        LimitReached
            When a message has more of them than `Limits.empty_fragments`: they cost the peer next
            to nothing and would never end.
        """
        self._empty += 1
        most = self._limits.empty_fragments
        if self._empty > most:
            what = f"A message with more than {most} empty fragments"
            raise LimitReached(what, "empty_fragments", InvalidParameter.reason)

    def add(self, control: int, piece: memoryview) -> None:
        """Take a piece of a presentation data value that `expect` let pass.

        Raises
        ------
        LimitReached
            When a command set grows beyond `Limits.command_set`.
        """
        if not control & COMMAND_BIT:
            self.fragments.append(piece)
            return
        self._command_set += piece
        most = self._limits.command_set
        if len(self._command_set) > most:
            what = f"A command set of more than {most} bytes"
            raise LimitReached(what, "command_set", InvalidParameter.reason)

    def end(self, control: int) -> Message | None:
        """Learn that a presentation data value is complete; return the message it completes.

        Raises
        ------
        InvalidParameter
            When the command set it completes cannot be decoded.
        """
        if not control & LAST_BIT:
            return None
        if control & COMMAND_BIT:
            return self._end_command()
        self.deliver()
        sink, self._sink, self.bulk = self._sink, None, 0
        if sink is not None:
            sink.finish()
        return Message(self._context_id, self._command, sink)

    def _end_command(self) -> Message | None:
        encoded, self._command_set = self._command_set, bytearray()
        self._empty = 0
        self._command = command = decode_command(encoded)
        if command["CommandDataSetType"] == NO_DATA_SET:
            return Message(self._context_id, command, None)
        self._sink = self.choose_sink(self._context_id, command)
        self.bulk = self._context_id
        return None

    def deliver(self) -> None:
        """Hand the fragments to the sink; from then on their memory may be used again."""
        if self.fragments and self._sink is not None:
            self._sink.write(self.fragments)
        self.fragments.clear()

    def abandon(self) -> None:
        """Give up the message that is arriving, if one is."""
        sink, self._sink, self.bulk = self._sink, None, 0
        self._command_set = bytearray()
        self.fragments.clear()
        if sink is not None:
            sink.discard()
