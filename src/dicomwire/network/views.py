"""What crossed the wire into the objects that programs are given of it, made when one looks.

The wire has lean classes of its own (`protocol`). Programs written for pynetdicom expect its
classes and names; those live in `compat`, above this room, so `dicomwire` says here where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # `import dicomwire` comes through here and shall load nothing
    from dicomwire.protocol.command import Command
    from dicomwire.protocol.messages import Message
    from dicomwire.protocol.pdus import AnyPDU, AssociateRQ


class Views(Protocol):
    """Makes what programs are given."""

    def pdu_of(self, pdu: AnyPDU) -> Any:
        """Show a PDU."""

    def primitive_of(self, pdu: AnyPDU, request: AssociateRQ | None) -> Any:
        """Show a PDU of the association control as its primitive; the request explains contexts."""

    def message_of(self, context_id: int, command: Command, data: bytes | bytearray | None) -> Any:
        """Show a DIMSE message."""

    def request_of(self, message: Message) -> Any:
        """Show a request as the primitive of its service."""

    def dul_of(self, assoc: Any) -> Any:
        """Show the upper layer of an association."""

    def dimse_of(self, assoc: Any) -> Any:
        """Show the messages of an association."""


_source: list[Callable[[], Any]] = []  # the last one counts


def take_views_from(source: Callable[[], Any]) -> None:
    """Ask `source` for the `Views` from now on, each time that something is looked at."""
    _source.append(source)


def views() -> Views:
    """Return what makes the objects that programs are given."""
    made: Views = _source[-1]()
    return made


class Later:
    """A view that is made when somebody looks, once for all who look.

    Parameters
    ----------
    kind : str
        The method of `Views` that makes it.
    what : object
        Its arguments.
    """

    __slots__ = ("_kind", "_made", "_what")

    def __init__(self, kind: str, *what: Any) -> None:
        self._kind, self._what = kind, what
        self._made: Any = None

    def get(self) -> Any:
        """Return the view."""
        if self._made is None:
            self._made = getattr(views(), self._kind)(*self._what)
        return self._made
