"""Accepted presentation contexts into the one that carries a data set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from dicomwire.dataset.elements import encoding_of
from dicomwire.protocol.errors import Fault, LocalError
from dicomwire.standard.transfer_syntaxes import is_uncompressed
from dicomwire.standard.uids import name_of


class AcceptedContext(Protocol):
    """A presentation context that the peer accepted, with the transfer syntax it chose."""

    @property
    def context_id(self) -> int:
        """The presentation context ID."""
        ...

    @property
    def abstract_syntax(self) -> str:
        """The UID of the SOP class."""
        ...

    @property
    def transfer_syntax(self) -> str:
        """The UID of the transfer syntax."""
        ...


C = TypeVar("C", bound=AcceptedContext)


class NoSuitableContext(LocalError):
    """No accepted presentation context can carry the data set."""

    fault = Fault.SETTINGS


def can_convert(from_uid: str, to_uid: str) -> bool:
    """Return whether a data set in one transfer syntax can be sent in another.

    The uncompressed ones, the deflated one included, convert into each other without loss;
    compressed ones only pass as they are.
    """
    return from_uid == to_uid or (is_uncompressed(from_uid) and is_uncompressed(to_uid))


def choose_context(contexts: Iterable[C], abstract_syntax: str, transfer_syntax: str) -> C:
    """Return the presentation context that carries a data set with the least work.

    Parameters
    ----------
    contexts : iterable of AcceptedContext
        The accepted ones in which our role allows to send.
    abstract_syntax : str
        The UID of the SOP class.
    transfer_syntax : str
        The UID of the transfer syntax that the data set has.

    Returns
    -------
    AcceptedContext
        One with just that transfer syntax; else one that the data set can be converted to, of the
        same byte order before the other.

    Raises
    ------
    NoSuitableContext
        If there is none.
    """
    ours = [context for context in contexts if context.abstract_syntax == abstract_syntax]
    able = [c for c in ours if can_convert(transfer_syntax, c.transfer_syntax)]
    if not able:
        raise _no_context(abstract_syntax, transfer_syntax, ours)
    return min(able, key=lambda c: _effort(transfer_syntax, c.transfer_syntax))


def _effort(source: str, target: str) -> tuple[bool, bool, bool, bool]:
    """Return what converting takes, worst first; the VRs are worth keeping."""
    has, gets = encoding_of(source), encoding_of(target)
    return source != target, has.little != gets.little, gets.deflated, gets.implicit


def _no_context(abstract_syntax: str, transfer_syntax: str, ours: list[C]) -> NoSuitableContext:
    what = f"{_named(abstract_syntax)} in {_named(transfer_syntax)}"
    if not ours:
        error = NoSuitableContext(f"No presentation context was accepted for {what}")
        error.check = "that the SOP class was proposed, and that the peer supports it"
        return error
    accepted = ", ".join(dict.fromkeys(_named(c.transfer_syntax) for c in ours))
    error = NoSuitableContext(
        f"No accepted presentation context can carry {what}; accepted was {accepted}"
    )
    error.check = "propose this transfer syntax in a context of its own, or decompress the data set"
    return error


def _named(uid: str) -> str:
    name = name_of(uid)
    return uid if name == uid else f"{name} ({uid})"
