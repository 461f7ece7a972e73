"""Options into associations with the peer that they name."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from dicomwire.apps.identity import user_identity
from dicomwire.apps.output import log
from dicomwire.apps.tls_options import client_context
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.association import Association
from dicomwire.network.events import HandlerArgType
from dicomwire.network.options import Options
from dicomwire.network.presentation import PresentationContext
from dicomwire.protocol.errors import Error
from dicomwire.protocol.items import AnyUserItem
from dicomwire.standard.uids import name_of


class Requestor:
    """Asks one peer for associations, from any thread.

    Parameters
    ----------
    args : Namespace
        Of a parser with the rows of `requestor_options`, `PEER`, `CLIENT` and `USER`.
    options : Options, optional
        Of the AE.

    Attributes
    ----------
    failure : Error or None
        Why the last association that was asked for did not come to be.

    Raises
    ------
    WrongUse
        When they contradict each other or name files that cannot be used.
    """

    def __init__(self, args: argparse.Namespace, options: Options | None = None) -> None:
        self._args = args
        self._ae = entity(args.calling_aet, args, options=options)
        self._ae.connection_timeout = args.connection_timeout
        identity, context = user_identity(args), client_context(args)
        self._items: list[AnyUserItem] = [identity] if identity else []
        self._demands: dict[str, Any] = {}
        if context is not None:
            self._demands["tls_args"] = (context, args.addr if context.check_hostname else None)
        self.failure: Error | None = None

    def associate(
        self,
        contexts: list[PresentationContext],
        items: Sequence[AnyUserItem] = (),
        handlers: Sequence[HandlerArgType] = (),
    ) -> Association | None:
        """Ask for an association; when there is none, say why and return None.

        Parameters
        ----------
        contexts : list of PresentationContext
            What to propose.
        items : sequence
            Negotiation items besides.
        handlers : sequence
            As `evt_handlers` of `AE.associate`.
        """
        args = self._args
        log.info("Requesting Association")
        try:
            assoc = self.ask(contexts, items, handlers)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            log.error("No address for %s: %s. Check: the host name", args.addr, why)
            return None
        if not assoc.is_established:
            self.failure = assoc.ended
            log.error("%s", assoc.ended)
            return None
        return self._confirmed(assoc)

    def ask(
        self,
        contexts: list[PresentationContext],
        items: Sequence[AnyUserItem] = (),
        handlers: Sequence[HandlerArgType] = (),
        addr: str | None = None,
        called: str | None = None,
    ) -> Association:
        """Ask for an association and say nothing; look at `is_established` and `ended`.

        Parameters
        ----------
        contexts, items, handlers
            See `associate`.
        addr, called : str, optional
            Another address, another called AE title than the options give.

        Raises
        ------
        OSError, UnicodeError
            When the host has no address.
        """
        args = self._args
        return self._ae.associate(
            args.addr if addr is None else addr,
            args.port,
            contexts,
            args.called_aet if called is None else called,
            args.max_pdu,
            ext_neg=[*self._items, *items],
            evt_handlers=handlers,
            **self._demands,
        )

    def _confirmed(self, assoc: Association) -> Association | None:
        log.info("Association Accepted (Max Send PDV: %d)", assoc.connection.fragment)
        if self._args.verbose_pc:
            show_contexts(assoc)
        if self._args.confirm and assoc.acceptor.user_identity is None:
            log.error("The peer did not confirm the user identity. Check: whether it supports it")
            assoc.abort()
            return None
        return assoc

    def leave(self, assoc: Association) -> bool:
        """End an association; when it has ended already, or ends otherwise, say why.

        Returns
        -------
        bool
            Whether it stood until now and ended as it should.
        """
        if not assoc.is_established:
            log.error("%s", assoc.ended)
            return False
        if self._args.abort:
            log.info("Aborting Association")
            assoc.abort()
            return True
        log.info("Releasing Association")
        assoc.release()
        if not assoc.is_released:
            log.error("%s", assoc.ended)
        return assoc.is_released


def entity(title: str, args: argparse.Namespace, **settings: Any) -> ApplicationEntity:
    """Return an AE with the time-outs, and the bounds of a server, that options give.

    Parameters
    ----------
    title : str
        Its title.
    args : Namespace
        The options.
    **settings
        For the AE.
    """
    ae = ApplicationEntity(title, **settings)
    ae.acse_timeout = args.acse_timeout
    ae.dimse_timeout = args.dimse_timeout
    ae.network_timeout = args.network_timeout
    ae.maximum_pdu_size = args.max_pdu
    if hasattr(args, "max_associations"):  # a server
        ae.maximum_associations = args.max_associations
        limits = ae.options.limits.replace(
            associations_per_address=args.max_per_address,
            failures_per_minute=args.max_failures or None,
            stall=args.stall_timeout,
            rate=args.min_rate,
            keepalive=args.keepalive,
        )
        ae.options = ae.options.replace(
            limits=limits,
            networks=args.networks,
            title_networks=_together(args.peer),
            titles_in_certificates=args.titles_in_certificates,
        )
    return ae


def _together(peers: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Return the networks of each title that options bind to some."""
    found: dict[str, tuple[str, ...]] = {}
    for title, networks in peers:
        found[title] = (*found.get(title, ()), *networks)
    return found


def show_contexts(assoc: Association) -> None:
    """Say which presentation contexts were accepted and which were not."""
    for context in [*assoc.accepted_contexts, *assoc.rejected_contexts]:
        syntaxes = ", ".join(name_of(str(uid)) for uid in context.transfer_syntax)
        log.info(
            "Presentation Context %s: %s, %s (%s)",
            context.context_id,
            name_of(str(context.abstract_syntax)),
            syntaxes,
            context.status,
        )
