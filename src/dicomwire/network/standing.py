"""An association's state into what both APIs show of it: who, what was agreed, how it ended."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

from dicomwire.network.access import address_text, certificate_names, may_call
from dicomwire.network.addresses import Address, is_tls
from dicomwire.network.events import (
    EVT_ABORTED,
    EVT_REJECTED,
    EVT_RELEASED,
    EventType,
    Handler,
    Handlers,
)
from dicomwire.network.log_ends import caller, log_abort, log_rejection
from dicomwire.network.options import Options
from dicomwire.network.presentation import PresentationContext
from dicomwire.network.refusals import Refusals, limit_in, tell_refused
from dicomwire.network.tap import EventTap
from dicomwire.network.timeouts import TimeOuts
from dicomwire.network.user import ServiceUser, accepted_of, rejected_of
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Error, Lost, Rejected, Released
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import AssociateRQ
from dicomwire.services.association import Identity, Policy
from dicomwire.services.responding import drop

logger = logging.getLogger("dicomwire.association")

USERNAME = 1  # alone, PS3.7 Table D.3-14

MODES = ("requestor", "acceptor")


class Standing(TimeOuts, ABC):
    """Where an association stands, whichever driver moves its bytes.

    Parameters
    ----------
    ae : AE
        Whose association it is.
    mode : str
        "requestor" or "acceptor".
    identity : Identity, optional
        How this side presents itself; as the AE does unless told otherwise.
    handlers : Handlers, optional
        What is bound; changed by `bind` and `unbind`.
    options : Options, optional
        Settings; those of the AE unless told otherwise.

    Raises
    ------
    TypeError, ValueError
        When the mode is none.
    """

    refusals: Refusals | None = None
    """Where the server that accepted it keeps account of those that come to nothing."""
    refused: tuple[str, str] | None = None
    """What the peer did, and the setting by which it is refused, where no error says so."""
    is_summed_up = False
    """Whether the log has no line of its own about the end: it is one of many, see `Refusals`."""

    def __init__(
        self,
        ae: Any,
        mode: str,
        identity: Identity | None,
        handlers: Handlers,
        options: Options | None,
    ) -> None:
        self._ae = ae
        self._mode = checked_mode(mode)
        self.options = options = options or ae.options
        self.identity = identity = identity or ae.identity(ae.maximum_pdu_size)
        self.handlers = handlers
        self.is_established = self.is_rejected = self.is_aborted = self.is_released = False
        self._timeouts_of(ae)
        self.network_timeout_response = "A-ABORT"
        self.tap = EventTap(self, handlers, options)
        self.connection = Connection(
            self.is_requestor, identity.maximum_length, self.tap, options.limits
        )
        ours = {self._mode: identity}
        self.connection.pads_titles = options.pad_titles
        self.connection.counts_bind = options.counts_bind
        self.requestor = ServiceUser(self.connection, "requestor", ours.get("requestor"), self)
        self.acceptor = ServiceUser(self.connection, "acceptor", ours.get("acceptor"), self)

    # -- what it is ------------------------------------------------------------------------

    @property
    def ae(self) -> Any:
        """The AE."""
        return self._ae

    @property
    def mode(self) -> str:
        """ "requestor" or "acceptor"."""
        return self._mode

    @property
    def is_requestor(self) -> bool:
        """Whether this side asked for the association."""
        return self._mode == "requestor"

    @property
    def is_acceptor(self) -> bool:
        """Whether this side was asked."""
        return self._mode == "acceptor"

    @property
    def ended(self) -> Error | None:
        """Why the association is over, or never came to be: what happened, whose fault, what to
        check; None while it stands."""
        return self.connection.ended

    def _set_timeout(self, name: str, value: float | None) -> None:
        super()._set_timeout(name, value)
        if name == "network_timeout":
            self._look_again()

    @abstractmethod
    def _look_again(self) -> None:
        """Learn that the network time-out has changed."""

    @property
    def accepted_contexts(self) -> list[PresentationContext]:
        """The contexts that both sides agreed on, ordered by ID."""
        return accepted_of(self.connection)

    @property
    def rejected_contexts(self) -> list[PresentationContext]:
        """The proposed contexts that were not accepted."""
        return rejected_of(self.connection)

    @property
    def local(self) -> dict[str, Any]:
        """Title, address and port of this side."""
        return (self.requestor if self.is_requestor else self.acceptor).info

    @property
    def remote(self) -> dict[str, Any]:
        """Title, address and port of the peer."""
        return (self.acceptor if self.is_requestor else self.requestor).info

    @property
    def caller(self) -> str:
        """The peer that asked for this association, as log lines name it; empty when we did."""
        if self.is_requestor:
            return ""
        return caller(self.requestor.ae_title, self.requestor.address_info)

    @property
    def proposal(self) -> AssociateRQ:
        """What the requestor is going to ask for."""
        return self.requestor.proposal(self.acceptor.ae_title)

    # -- handlers --------------------------------------------------------------------------

    def bind(self, event: EventType, handler: Handler, args: list[Any] | None = None) -> None:
        """Bind a handler to an event; see `Handlers.bind`."""
        self.handlers.bind(event, handler, args)
        self.connection.watch(self.tap)

    def unbind(self, event: EventType, handler: Handler) -> None:
        """Undo `bind`."""
        self.handlers.unbind(event, handler)
        self.connection.watch(self.tap)

    def get_events(self) -> list[EventType]:
        """Return the events that handlers are bound to, sorted by name."""
        return self.handlers.events()

    def get_handlers(self, event: EventType) -> Any:
        """Return what is bound to an event: a list of (handler, arguments), or one such pair."""
        return self.handlers.bound(event)

    # -- the acceptor ------------------------------------------------------------------------

    def _of_peer(self, policy: Policy, sock: Any) -> Policy:
        """Return what is accepted of the peer of a connection, which may be TLS."""
        if self.options.secrets_need_tls:
            may = partial(self._may_identify, is_tls(sock))
            policy = policy._replace(may_identify=may)
        if not self.options.titles_in_certificates:
            return policy
        titles, names = policy.calling_titles, certificate_names(sock)
        # nobody has the title "", and no titles at all would be any
        titles = tuple(each for each in names if not titles or each in titles) or ("",)
        return policy._replace(calling_titles=titles)

    @property
    def judges(self) -> dict[str, Any]:
        """What decides on the peer of this very association, as fields of `Policy`."""
        return {
            "revise": self.acceptor.revised,
            "may_try": self._may_try,
            "passed": self._passed,
            "may_call": self._may_call if self.options.title_networks else None,
        }

    def _may_try(self) -> bool:
        """Whether the peer's address may try a title or a user; if not, learn why."""
        most = self.options.limits.failures_per_minute
        if most is None or self._ae.attempts.begin(self.peer_host, most):
            return True
        what = "too many titles or users from its address were refused"
        self.refused = what, "Limits.failures_per_minute"
        return False

    def _passed(self) -> None:
        """Take note that it did not fail."""
        most = self.options.limits.failures_per_minute
        if most is not None:
            self._ae.attempts.passed(self.peer_host, most)

    def _may_call(self, title: str) -> bool:
        """Whether the peer may have its title, where it comes from; if not, learn why."""
        if may_call(title, self.peer_host, self.options.title_networks):
            return True
        self.refused = "its AE title belongs to other addresses", "Options.title_networks"
        return False

    def _may_identify(self, is_encrypted: bool, kind: int) -> bool:
        """Whether the peer may say who its user is, over such a line; if not, learn why."""
        if is_encrypted or kind == USERNAME or not self.options.secrets_need_tls:
            return True
        self.refused = "it sent a passcode or a token without TLS", "Options.secrets_need_tls"
        return False

    def give_way(self, setting: str) -> None:
        """Say why the connection is given up, before it is: it had every right to be there.

        Parameters
        ----------
        setting : str
            The one of `Limits` that is reached.
        """
        if self.connection.ended is None:
            what = "too many connections have no association yet, and it goes for a newer one"
            self.refused = what, f"Limits.{setting}"
            self.connection.ended = Lost(
                "Given up for a newer connection: too many have no association",
                check=f"who connects and says nothing; the setting is Limits.{setting}",
            )

    # -- the end -------------------------------------------------------------------------------

    def _drop_messages(self) -> None:
        for event in self.connection.events:
            if isinstance(event, Message):
                drop(event)
        self.connection.events.clear()

    @property
    def peer_host(self) -> str:
        """The peer's address, "?" while it is not known."""
        address = self._peer_address
        return address.host if address is not None else "?"

    @property
    def _peer_address(self) -> Address | None:
        return (self.acceptor if self.is_requestor else self.requestor).address_info

    def _flag(self) -> None:
        """Turn the reason into the flags, the log lines and the event, once."""
        if self.is_rejected or self.is_aborted or self.is_released:
            return
        error = self.connection.ended
        was_established, self.is_established = self.is_established, False
        self._free_slot()
        if isinstance(error, Released):
            self.is_released = True
            logger.info("Association Released")
            self.handlers.notify(self, EVT_RELEASED)
        elif isinstance(error, Rejected):
            self.is_rejected = True
            self._tell_end(error, was_established)
            self.handlers.notify(self, EVT_REJECTED)
        else:
            self.is_aborted = True
            self._tell_end(error, was_established)
            self.handlers.notify(self, EVT_ABORTED)

    def _tell_end(self, error: Error | None, was_established: bool) -> None:
        """Say in the log how it ended, unless it is one of many that came to nothing."""
        limit = limit_in(error)
        refused = self.refused if limit is None else (limit.what, f"Limits.{limit.setting}")
        if self.refusals is not None and not was_established:
            why = error.what if error is not None else ""
            reason = "{}. Setting: {}".format(*refused) if refused else why
            self.is_summed_up = not self.refusals.is_told(address_text(self.peer_host), reason)
            if self.is_summed_up:
                return
        if refused:
            tell_refused(self.remote, *refused)
        if isinstance(error, Rejected):
            log_rejection(error, self.caller)
        else:
            was_asking = self.is_requestor and not was_established
            log_abort(error, was_asking, self._under_way, self.caller)

    @property
    def _linger(self) -> float:
        """Seconds that the peer is given to close the connection."""
        limit = limit_in(self.connection.ended)
        if limit is not None and limit.setting == "negotiation_memory":
            return 0.0  # there is no room for it
        return self.options.linger

    @abstractmethod
    def _free_slot(self) -> None:
        """Let another association stand in place of this one."""

    @property
    @abstractmethod
    def _under_way(self) -> str:
        """The operation under way; empty when there is none."""


def checked_mode(mode: str) -> str:
    """Return a mode in small letters; raise TypeError or ValueError when it is none."""
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a str, not {type(mode).__name__}")
    if mode.lower() not in MODES:
        raise ValueError(f"mode must be one of {MODES}, not {mode!r}")
    return mode.lower()
