"""An application entity: its title, contexts and limits, from which associations are made."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dicomwire.network.access import address_text
from dicomwire.network.addresses import Address, TLSArguments, local_address, peer_address
from dicomwire.network.association import Association, stamp
from dicomwire.network.events import HandlerArgType, Handlers
from dicomwire.network.negotiations import Drop, Negotiations
from dicomwire.network.options import (
    DEFAULT_MAXIMUM_LENGTH,
    IMPLEMENTATION_UID,
    IMPLEMENTATION_VERSION,
    MOST_ASSOCIATIONS,
    Options,
    defaults,
)
from dicomwire.network.places import Places
from dicomwire.network.presentation import (
    PresentationContext,
    Syntaxes,
    build_context,
    checked_contexts,
    checked_items,
    checked_uid,
    is_storage_or_unknown,
    shown_uid,
    syntaxes_of,
)
from dicomwire.network.terms import Terms
from dicomwire.network.timeouts import TimeOuts, checked, kept
from dicomwire.network.titles import checked_title, checked_version_name
from dicomwire.protocol.items import AnyUserItem, AsynchronousOperationsWindow
from dicomwire.protocol.negotiation import SupportedContext
from dicomwire.protocol.pdus import MAXIMUM_CONTEXTS
from dicomwire.protocol.validate import is_valid_uid
from dicomwire.services.association import Identity, Policy
from dicomwire.standard.dimse import PRIORITY_LOW
from dicomwire.standard.uids import name_of

if TYPE_CHECKING:
    import ssl

    from pydicom.dataset import Dataset
    from pydicom.uid import UID

    from dicomwire.network.attempts import Attempts
    from dicomwire.network.server import AssociationServer, ThreadedAssociationServer

logger = logging.getLogger("dicomwire.ae")


class ApplicationEntity(TimeOuts):
    """An application entity (AE): asks for associations, and serves them.

    One AE may run many servers and many associations at once; it holds the defaults for them.

    Parameters
    ----------
    ae_title : str
        1 to 16 characters.
    options : Options, optional
        Settings beyond titles, contexts and time-outs; None takes the defaults as they are
        whenever an association or a server begins.
    """

    def __init__(self, ae_title: str = "DICOMWIRE", options: Options | None = None) -> None:
        self.ae_title = ae_title
        self._options = options
        self._maximum_associations = MOST_ASSOCIATIONS
        self._maximum_pdu_size = DEFAULT_MAXIMUM_LENGTH
        self._require_calling_aet: list[str] = []
        self._require_called_aet = False
        self._implementation_class_uid = IMPLEMENTATION_UID
        self._implementation_version_name: str | None = IMPLEMENTATION_VERSION
        self._requested: list[PresentationContext] = []
        self._supported: dict[str, PresentationContext] = {}
        self._associations: dict[Association, None] = {}  # in the order of their beginning
        self._servers: list[AssociationServer] = []
        self._places = Places()
        self.negotiations = Negotiations()
        self._attempts: Attempts | None = None
        self._lock = threading.Lock()
        self.lock = threading.Lock()  # for programs; see Association.lock

    # -- settings ----------------------------------------------------------------------------

    @property
    def ae_title(self) -> str:
        """The title, as given."""
        return self._ae_title

    @ae_title.setter
    def ae_title(self, value: str) -> None:
        self._ae_title = checked_title(value, "ae_title")

    @property
    def options(self) -> Options:
        """The settings as they are now."""
        return self._options or self._unset_options()

    @options.setter
    def options(self, value: Options | None) -> None:
        self._options = value

    def _unset_options(self) -> Options:
        """Return the settings of an AE that was given none."""
        return defaults().options

    def _set_timeout(self, name: str, value: float | None) -> None:
        """Set a time-out, if it can be one, for the associations that stand as well."""
        value = kept(name, value)
        super()._set_timeout(name, value)
        if name != "connection_timeout":  # they have connected
            for association in self.active_associations:
                setattr(association, name, value)

    @property
    def maximum_associations(self) -> int:
        """How many peers may have an association with the servers of this AE at once."""
        return self._maximum_associations

    @maximum_associations.setter
    def maximum_associations(self, value: int) -> None:
        if not isinstance(value, int) or value < 1:
            logger.warning("maximum_associations set to 1")
            value = 1
        self._maximum_associations = value

    @property
    def maximum_pdu_size(self) -> int:
        """The longest P-DATA-TF that the servers announce, in bytes; 0 is unlimited."""
        return self._maximum_pdu_size

    @maximum_pdu_size.setter
    def maximum_pdu_size(self, value: int) -> None:
        if not isinstance(value, int) or value < 0:
            logger.warning("maximum_pdu_size must be 0 or more, it stays as it is")
            return
        self._maximum_pdu_size = value

    @property
    def require_calling_aet(self) -> list[str]:
        """Calling AE titles that the servers accept; empty accepts any."""
        return self._require_calling_aet

    @require_calling_aet.setter
    def require_calling_aet(self, values: list[str]) -> None:
        self._require_calling_aet = [checked_title(each, "require_calling_aet") for each in values]

    @property
    def require_called_aet(self) -> bool:
        """Whether peers have to call the servers by their own title."""
        return self._require_called_aet

    @require_called_aet.setter
    def require_called_aet(self, value: bool) -> None:
        self._require_called_aet = bool(value)

    @property
    def implementation_class_uid(self) -> UID:
        """Implementation Class UID."""
        return shown_uid(self._implementation_class_uid)

    @implementation_class_uid.setter
    def implementation_class_uid(self, value: str) -> None:
        uid = checked_uid(value, "implementation_class_uid")
        if not is_valid_uid(uid):
            raise ValueError(f"implementation_class_uid '{uid}' is not a valid UID")
        self._implementation_class_uid = uid

    @property
    def implementation_version_name(self) -> str | None:
        """Implementation Version Name, 1 to 16 characters; None sends none."""
        return self._implementation_version_name

    @implementation_version_name.setter
    def implementation_version_name(self, value: str | None) -> None:
        self._implementation_version_name = checked_version_name(value)

    def identity(self, maximum_length: int) -> Identity:
        """Return how this AE presents itself to a peer."""
        return Identity(
            maximum_length, self._implementation_class_uid, self.implementation_version_name
        )

    # -- presentation contexts ------------------------------------------------------------------

    @property
    def requested_contexts(self) -> list[PresentationContext]:
        """What `associate` proposes."""
        return self._requested

    @requested_contexts.setter
    def requested_contexts(self, contexts: Iterable[PresentationContext] | None) -> None:
        self._requested = checked_contexts(contexts or [], MAXIMUM_CONTEXTS)

    @property
    def supported_contexts(self) -> list[PresentationContext]:
        """What the servers support, sorted by abstract syntax."""
        return sorted(self._supported.values(), key=lambda context: context.uids[0])

    @supported_contexts.setter
    def supported_contexts(self, contexts: Iterable[PresentationContext] | None) -> None:
        self._supported = {}
        for context in checked_contexts(contexts or []):
            self.add_supported_context(
                *context.uids,
                context.scu_role,
                context.scp_role,
            )

    def add_requested_context(self, abstract_syntax: str, transfer_syntax: Syntaxes = None) -> None:
        """Append a context to what `associate` proposes.

        Parameters
        ----------
        abstract_syntax : str
            UID of the SOP class.
        transfer_syntax : str or sequence of str, optional
            UIDs; None means the four uncompressed ones.

        Raises
        ------
        ValueError
            When there are 128 already (PS3.8 9.3.2.2).
        """
        if len(self._requested) >= MAXIMUM_CONTEXTS:
            raise ValueError(
                "Failed to add the requested presentation context: there are already the maximum "
                f"allowed number of requested contexts ({MAXIMUM_CONTEXTS})"
            )
        self._requested.append(build_context(abstract_syntax, transfer_syntax))

    def add_supported_context(
        self,
        abstract_syntax: str,
        transfer_syntax: Syntaxes = None,
        scu_role: bool | None = None,
        scp_role: bool | None = None,
    ) -> None:
        """Add to what the servers support.

        Parameters
        ----------
        abstract_syntax : str
            UID of the SOP class.
        transfer_syntax : str or sequence of str, optional
            UIDs, in the order of preference; None means the four uncompressed ones.
        scu_role, scp_role : bool or None
            Whether the requestor may be SCU and SCP (PS3.7 D.3.3.4); None ignores proposals.
        """
        uid = str(abstract_syntax)
        context = self._supported.get(uid)
        if context is None:
            context = self._supported[uid] = build_context(abstract_syntax, transfer_syntax)
        for syntax in syntaxes_of(transfer_syntax):
            context.add_transfer_syntax(syntax)
        context.scu_role, context.scp_role = scu_role, scp_role

    def remove_requested_context(
        self, abstract_syntax: str, transfer_syntax: Syntaxes = None
    ) -> None:
        """Take back `add_requested_context`, for some transfer syntaxes or altogether."""
        self._requested = _without(self._requested, abstract_syntax, transfer_syntax)

    def remove_supported_context(
        self, abstract_syntax: str, transfer_syntax: Syntaxes = None
    ) -> None:
        """Take back `add_supported_context`, for some transfer syntaxes or altogether."""
        left = _without(list(self._supported.values()), abstract_syntax, transfer_syntax)
        self._supported = {context.uids[0]: context for context in left}

    # -- requesting -------------------------------------------------------------------------------

    def associate(
        self,
        addr: str | tuple[str, int, int],
        port: int,
        contexts: list[PresentationContext] | None = None,
        ae_title: str = "ANY-SCP",
        max_pdu: int | None = None,
        ext_neg: Sequence[AnyUserItem] | None = None,
        bind_address: tuple[Any, ...] | None = None,
        tls_args: TLSArguments | None = None,
        evt_handlers: Sequence[HandlerArgType] | None = None,
        **timeouts: float | None,
    ) -> Association:
        """Ask a peer for an association and wait for the answer.

        Parameters
        ----------
        addr : str or (str, int, int)
            Host name or address; or IPv6 address, flow info, scope ID.
        port : int
            TCP port.
        contexts : list of PresentationContext, optional
            What to propose, instead of `requested_contexts`; at most 128.
        ae_title : str
            The called AE title.
        max_pdu : int, optional
            The longest P-DATA-TF that this side receives, in bytes; 0 is unlimited. None takes
            `maximum_pdu_size`.
        ext_neg : sequence of items, optional
            Role selection, extended negotiation, user identity.
        bind_address : tuple, optional
            The local end.
        tls_args : (SSLContext, str or None), optional
            For TLS: the context, and the host name that the peer's certificate has to be for.
        evt_handlers : list, optional
            (event, handler) or (event, handler, [arguments]).
        **timeouts
            `acse_timeout`, `dimse_timeout`, `network_timeout` and `connection_timeout` of this
            association, in seconds; those of the AE unless given. The settings that a handler of
            EVT_C_MOVE yields with a destination may have them too.

        Returns
        -------
        Association
            Look at `is_established`; when it is not, `ended` says why.

        Raises
        ------
        RuntimeError
            When there is no presentation context to propose.
        TypeError, ValueError
            When an argument cannot be.
        OSError
            When the host name is not known or the local end cannot be bound.
        """
        terms = self.terms(
            addr, port, contexts, ae_title, max_pdu, ext_neg, bind_address,
            checked(timeouts, "associate"),
        )  # fmt: skip
        association = Association(
            self, "requestor", terms.identity, Handlers(evt_handlers), self.options
        )
        terms.set_up(association)
        self.remember(association)
        try:
            association.negotiate(terms.peer, association.proposal, tls_args, terms.bind_address)
        except BaseException:
            self.forget(association)
            raise
        return association

    def terms(
        self,
        addr: str | tuple[str, int, int],
        port: int,
        contexts: Sequence[PresentationContext] | None,
        ae_title: str,
        max_pdu: int | None,
        ext_neg: Sequence[AnyUserItem] | None,
        bind_address: tuple[Any, ...] | None,
        timeouts: dict[str, float | None],
    ) -> Terms:
        """Check how an association is asked for; see `associate`."""
        peer = peer_address(addr, port)
        called = checked_title(ae_title, "ae_title")
        chosen = list(self._requested)
        if contexts is not None:
            chosen = checked_contexts(contexts, MAXIMUM_CONTEXTS)
        if not chosen:
            raise RuntimeError(
                "At least one requested presentation context is required before associating "
                "with a peer"
            )
        if bind_address is not None:
            bind_address = local_address(bind_address)
        identity = self.identity(self.maximum_pdu_size if max_pdu is None else max_pdu)
        items = self._with_window(checked_items(ext_neg or ()))
        titles = self.ae_title, called
        return Terms(peer, titles, chosen, items, identity, bind_address, timeouts)

    def c_get(
        self,
        addr: str | tuple[str, int, int],
        port: int,
        dataset: Dataset,
        query_model: str,
        contexts: Sequence[PresentationContext] | None = None,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        ext_neg: Sequence[AnyUserItem] | None = None,
        evt_handlers: Sequence[HandlerArgType] | None = None,
        **settings: Any,
    ) -> Iterator[tuple[Dataset, Dataset | None]]:
        """Get instances of however many SOP classes, over associations made and released here.

        An association has room for 128 presentation contexts (PS3.8 9.3.2.2). When more are
        needed, what the first could not receive is asked for over another one, and so on: as few
        as the peer's answers allow.

        Parameters
        ----------
        addr, port
            See `associate`.
        dataset : Dataset
            The identifier.
        query_model : str
            UID of the information model.
        contexts : sequence of PresentationContext, optional
            Of the SOP classes to receive, any number, the likely ones first; the SCP role is
            proposed for each. None takes `requested_contexts`.
        msg_id, priority
            See `Association.send_c_get`.
        ext_neg : sequence of items, optional
            Negotiation items besides the roles.
        evt_handlers : list, optional
            See `associate`; the instances come to the handler of EVT_C_STORE.
        **settings
            Further arguments of `associate`.

        Yields
        ------
        status : Dataset
            Of each pending response; then of one last response that sums up all associations.
        identifier : Dataset or None
            With the list of instances that failed, in the last.

        Raises
        ------
        Ended
            Why an association could not be had, or ended early.
        ValueError
            When there is no context of a SOP class to receive.
        """
        from dicomwire.network.turns import get_in_turns, plan

        wanted = self._requested if contexts is None else checked_contexts(contexts)
        return get_in_turns(
            partial(self.associate, addr, port, **settings),
            dataset,
            str(query_model),
            plan(str(query_model), wanted),
            evt_handlers or (),
            checked_items(ext_neg or ()),
            msg_id=msg_id,
            priority=priority,
        )

    def _with_window(self, items: list[AnyUserItem]) -> list[AnyUserItem]:
        """Return negotiation items, with the asynchronous operations that the options ask for."""
        asked = self.options.asynchronous_operations
        if asked == (1, 1) or any(isinstance(each, AsynchronousOperationsWindow) for each in items):
            return items
        return [*items, AsynchronousOperationsWindow(*asked)]

    # -- serving ----------------------------------------------------------------------------------

    def make_server(
        self,
        address: tuple[Any, ...],
        ae_title: str | None = None,
        contexts: list[PresentationContext] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        evt_handlers: Sequence[HandlerArgType] | None = None,
        server_class: type[AssociationServer] | None = None,
        **kwargs: Any,
    ) -> AssociationServer:
        """Make a server that is bound and listens, but does not serve yet.

        Parameters
        ----------
        address, ae_title, contexts, ssl_context, evt_handlers
            See `start_server`.
        server_class : type, optional
            A subclass of `AssociationServer`.
        **kwargs
            For its constructor.
        """
        from dicomwire.network.server import AssociationServer  # only servers need it

        chosen = self.served(contexts)
        title = checked_title(ae_title, "ae_title") if ae_title else self.ae_title
        make = server_class or AssociationServer
        server = make(
            self, local_address(address), title, chosen, ssl_context, evt_handlers, **kwargs
        )
        with self._lock:
            self._servers.append(server)
        return server

    def served(self, contexts: list[PresentationContext] | None) -> list[PresentationContext]:
        """Check what a server is going to support; None is what this AE supports.

        Raises
        ------
        ValueError
            When there is nothing, or one context has only one of its roles.
        """
        chosen = self.supported_contexts if contexts is None else checked_contexts(contexts)
        if not chosen and not self.options.accept_any_storage:
            raise ValueError("No supported presentation contexts have been defined")
        for context in chosen:
            if (context.scu_role is None) != (context.scp_role is None):
                raise ValueError(
                    f"{context!r}: scu_role and scp_role must both be None or both be bool"
                )
        return chosen

    def start_server(
        self,
        address: tuple[Any, ...],
        block: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        evt_handlers: Sequence[HandlerArgType] | None = None,
        ae_title: str | None = None,
        contexts: list[PresentationContext] | None = None,
        workers: int = 1,
    ) -> ThreadedAssociationServer | None:
        """Serve associations.

        Parameters
        ----------
        address : tuple
            (host, port), or (host, port, flow info, scope ID) for IPv6. Host "" is all
            interfaces, port 0 any free port.
        block : bool
            Whether to serve in this thread until interrupted, or in another one.
        ssl_context : SSLContext, optional
            For TLS.
        evt_handlers : list, optional
            (event, handler) or (event, handler, [arguments]).
        ae_title : str, optional
            Instead of this AE's.
        contexts : list of PresentationContext, optional
            Instead of `supported_contexts`.
        workers : int
            How many processes serve, because the threads of one share its interpreter. Each is
            forked now, and handlers run there: what they change in memory is not seen here. See
            `WorkerServer`.

        Returns
        -------
        ThreadedAssociationServer or None
            The server, when `block` is False.

        Raises
        ------
        NotImplementedError
            When there are to be several processes, and the system cannot fork.
        OSError
            When the address cannot be had.
        """
        if not isinstance(workers, int) or workers < 1:
            raise ValueError(f"workers is the number of processes, 1 or more, not {workers!r}")
        from dicomwire.network.server import ThreadedAssociationServer

        made: type[AssociationServer] = ThreadedAssociationServer
        several = {} if workers == 1 else {"workers": workers}
        if several:
            from dicomwire.network.workers import WorkerServer  # few programs need it

            made = WorkerServer
        server = self.make_server(
            address, ae_title, contexts, ssl_context, evt_handlers, made, **several
        )
        if not block and isinstance(server, ThreadedAssociationServer):
            server.start()
            return server
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()
        return None

    def policy(
        self, title: str, supported: Mapping[str, SupportedContext], **of_association: Any
    ) -> Policy:
        """Return what is accepted now under a title: the settings may change while it serves.

        Parameters
        ----------
        title : str
            The title of a server.
        supported : mapping
            Abstract syntax -> SupportedContext.
        **of_association
            Further fields of `Policy`.
        """
        return Policy(
            identity=self.identity(self.maximum_pdu_size),
            supported=supported,
            called_title=title if self.require_called_aet else None,
            calling_titles=tuple(self.require_calling_aet),
            accept_any=self.accepts_any(),
            # what the requestor performs is what this side invokes
            window=self.options.asynchronous_operations[::-1],
            **of_association,
        )

    def accepts_any(self) -> Callable[[str], bool] | None:
        """Return what decides on abstract syntaxes that are not listed as supported."""
        return is_storage_or_unknown if self.options.accept_any_storage else None

    def shutdown(self) -> None:
        """Stop all servers and abort all associations."""
        for server in list(self._servers):
            server.shutdown()
        for association in self.active_associations:
            association.abort()
        for server in list(self._servers):  # whose associations are those of other processes
            server.abort()

    # -- associations ---------------------------------------------------------------------------

    @property
    def active_associations(self) -> list[Association]:
        """The associations that stand, requested and accepted ones."""
        with self._lock:
            return [each for each in self._associations if each.is_alive()]

    def remember(self, association: Association) -> None:
        """Take note of an association that begins."""
        with self._lock:
            self._associations[association] = None

    def forget(self, association: Association) -> None:
        """Take note that an association is over."""
        with self._lock:
            if association in self._associations:
                del self._associations[association]
                if association.is_acceptor:
                    self._places.ended()
        self.negotiations.end(id(association))
        self.free_slot(association)

    @property
    def attempts(self) -> Attempts:
        """The titles and users of each address that its servers refused a short while ago."""
        from dicomwire.network.attempts import Attempts  # only servers need it

        with self._lock:
            self._attempts = self._attempts or Attempts()
            return self._attempts

    @attempts.setter
    def attempts(self, value: Attempts) -> None:
        self._attempts = value

    def claim_slot(self, association: Association) -> bool:
        """Take one of `maximum_associations`; False when there is none left."""
        return self.claim_place(self._places, association)

    def claim_place(self, places: Places, association: Any) -> bool:
        """Take a place for an association that is asked for; when there is none, it learns why.

        Parameters
        ----------
        places : Places
            One of these.
        association : Association
            Of either API.
        """
        who, host = id(association), address_text(association.peer_host)
        most = association.options.limits.associations_per_address
        limit = self.maximum_associations
        if places.claim(who, limit, host, most):
            self.negotiations.end(who)
            return True
        is_full = most is None or places.count >= limit
        association.refused = (
            f"{limit} associations stand" if is_full else f"it has {most} associations",
            "AE.maximum_associations" if is_full else "Limits.associations_per_address",
        )
        return False

    def await_request(self, association: Any, peer: Address, drop: Drop) -> None:
        """Take note of a connection on which no association was asked for yet.

        Parameters
        ----------
        association : Association
            Of either API.
        peer : Address
            Where it comes from.
        drop : callable
            Ends it, see `Negotiations`.
        """
        limits, who = association.options.limits, id(association)
        address = address_text(peer.host)
        self.negotiations.begin(who, address, drop, limits.negotiations)

        def may_hold(size: int) -> bool:
            return self.negotiations.hold(who, size, limits.negotiation_memory)

        association.connection.reader.may_hold = may_hold

    def free_slot(self, association: Association) -> None:
        """Give back what `claim_slot` took, if it did."""
        self._places.free(id(association))

    def begin_again(
        self,
        server: AssociationServer,
        places: Places | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        """Begin anew in a process that was forked: what stands belongs to its parent.

        Parameters
        ----------
        server : AssociationServer
            The one that goes on here.
        places : Places, optional
            Where the associations to come have theirs.
        attempts : Attempts, optional
            Where their failures count.
        """
        self._lock = threading.Lock()  # another thread of the parent may have held it
        for other in self._servers:
            if other is not server:
                other.socket.close()
        for association in self._associations:  # this process would keep the line open
            if association.raw_socket is not None:
                association.raw_socket.close()
        self._servers, self._associations = [server], {}
        self.negotiations = Negotiations()
        self._places = places or Places()
        self._attempts = attempts

    def forget_server(self, server: AssociationServer) -> None:
        """Take note that a server has stopped."""
        with self._lock:
            if server in self._servers:
                self._servers.remove(server)

    @staticmethod
    def timestamp() -> str:
        """Return the local time as thread names have it."""
        return stamp()

    def __str__(self) -> str:
        lines = ["", f"Application Entity {self.ae_title}", ""]
        lines += ["  Requested Presentation Contexts:", *_summary(self.requested_contexts), ""]
        lines += ["  Supported Presentation Contexts:", *_summary(self.supported_contexts), ""]
        lines += [
            f"  ACSE timeout: {self.acse_timeout} s",
            f"  DIMSE timeout: {self.dimse_timeout} s",
            f"  Network timeout: {self.network_timeout} s",
            f"  Connection timeout: {self.connection_timeout} s",
            "",
        ]
        if self.require_calling_aet:
            lines.append(f"  Require calling AE title(s): {', '.join(self.require_calling_aet)}")
        lines += [f"  Require called AE title: {self.require_called_aet}", ""]
        active = self.active_associations
        lines.append(f"  Association(s): {len(active)}/{self.maximum_associations}")
        for each in active:
            peer = each.remote
            lines.append(f"\tPeer: {peer['ae_title']} on {peer['address']}:{peer['port']}")
        return "\n".join(lines)


def _summary(contexts: list[PresentationContext]) -> list[str]:
    lines = []
    for context in contexts:
        lines.append(f"\t{context!r}")
        lines += [f"\t\t{name_of(uid)}" for uid in context.uids[1]]
    return lines or ["\tNone"]


def _without(
    contexts: list[PresentationContext], abstract_syntax: str, transfer_syntax: Syntaxes
) -> list[PresentationContext]:
    if transfer_syntax is None:
        return [each for each in contexts if each.uids[0] != abstract_syntax]
    dropped = set(syntaxes_of(transfer_syntax))
    for context in contexts:
        if context.uids[0] == abstract_syntax:
            context.transfer_syntax = [uid for uid in context.uids[1] if uid not in dropped]
    return [each for each in contexts if each.uids[1]]
