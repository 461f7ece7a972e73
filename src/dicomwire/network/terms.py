"""What a caller asks of an association into what sets it up, checked; for either API."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from dicomwire.network.addresses import Address
from dicomwire.network.presentation import PresentationContext
from dicomwire.network.user import ServiceUser
from dicomwire.protocol.items import AnyUserItem
from dicomwire.services.association import Identity


class Requesting(Protocol):
    """What is set up of an association."""

    requestor: ServiceUser
    acceptor: ServiceUser


class Terms(NamedTuple):
    """How an association is asked for.

    Parameters
    ----------
    peer : Address
        Where the peer listens.
    titles : (str, str)
        The calling and the called AE title.
    contexts : list of PresentationContext
        What is proposed.
    items : list of items
        Negotiation items besides.
    identity : Identity
        How this side presents itself.
    bind_address : tuple or None
        The local end.
    timeouts : dict
        Those that differ from the AE's, by name.
    """

    peer: Address
    titles: tuple[str, str]
    contexts: list[PresentationContext]
    items: list[AnyUserItem]
    identity: Identity
    bind_address: tuple[Any, ...] | None
    timeouts: dict[str, float | None]

    def set_up(self, association: Requesting) -> None:
        """Say them to an association that is about to begin."""
        for name, seconds in self.timeouts.items():
            setattr(association, name, seconds)
        association.requestor.set_up(self.titles[0], self.contexts, self.items)
        association.acceptor.set_up(self.titles[1])
