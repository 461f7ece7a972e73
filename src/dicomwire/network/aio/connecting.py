"""Where a peer listens and what is asked of it into an association."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from dicomwire.network.addresses import TLSArguments
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.aio.association import Association
from dicomwire.network.aio.handlers import Handlers
from dicomwire.network.aio.sockets import resolved
from dicomwire.network.events import HandlerArgType
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.network.timeouts import checked
from dicomwire.protocol.items import AnyUserItem

Contexts = Sequence[PresentationContext | str]


class Closing(Protocol):
    """What is closed on leaving a block."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


Opened = TypeVar("Opened", bound=Closing)


class Opening(Generic[Opened]):
    """Something that is opened by `await`, or by `async with`, which closes it too.

    Parameters
    ----------
    opening : callable
        Gives the coroutine that opens it.
    """

    def __init__(self, opening: Callable[[], Coroutine[Any, Any, Opened]]) -> None:
        self._open = opening
        self._opened: Opened | None = None

    def __await__(self) -> Generator[Any, Any, Opened]:
        return self._open().__await__()

    async def __aenter__(self) -> Opened:
        self._opened = await self._open()
        return await self._opened.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._opened is not None
        await self._opened.__aexit__(kind, error, traceback)


def built(contexts: Contexts) -> list[PresentationContext]:
    """Return presentation contexts where a UID stands for one with the usual transfer syntaxes."""
    return [build_context(each) if isinstance(each, str) else each for each in contexts]


def connect(
    host: str | tuple[str, int, int],
    port: int,
    contexts: Contexts | None = None,
    ae_title: str = "ANY-SCP",
    *,
    ae: ApplicationEntity | None = None,
    handlers: Sequence[HandlerArgType] = (),
    max_pdu: int | None = None,
    ext_neg: Sequence[AnyUserItem] | None = None,
    bind_address: tuple[Any, ...] | None = None,
    tls_args: TLSArguments | None = None,
    **timeouts: float | None,
) -> Opening[Association]:
    """Ask a peer for an association.

    `async with connect(...) as assoc:` releases it at the end of the block, and aborts it when an
    exception leaves the block; `assoc = await connect(...)` leaves that to the caller.

    Parameters
    ----------
    host : str or (str, int, int)
        Host name or address; or IPv6 address, flow info, scope ID.
    port : int
        TCP port.
    contexts : sequence of PresentationContext or str, optional
        What to propose, at most 128; the UID of a SOP class stands for it with the four
        uncompressed transfer syntaxes. None takes `requested_contexts` of the AE.
    ae_title : str
        The called AE title.
    ae : AE, optional
        Who asks: its title, limits, time-outs and options count. None is `AE()`.
    handlers : sequence
        (event, handler) or (event, handler, [arguments]). Handlers are coroutine functions, plain
        functions that do not block, generators of either kind, or marked as `blocking`.
    max_pdu, ext_neg, bind_address, tls_args
        See `AE.associate`.
    **timeouts
        `acse_timeout`, `dimse_timeout`, `network_timeout` and `connection_timeout`, in seconds;
        those of the AE unless given.

    Returns
    -------
    Opening
        To be awaited, or used with `async with`; that raises `Ended` when there is no association
        (rejected, no connection, no context accepted, timed out), and `OSError` when the host
        name is not known or the local end cannot be bound.

    Raises
    ------
    TypeError, ValueError
        Also when it is awaited: when an argument cannot be.
    """
    entity = ae or ApplicationEntity()
    checked(timeouts, "connect")
    return Opening(
        lambda: associate(
            entity,
            host,
            port,
            contexts,
            ae_title,
            max_pdu,
            ext_neg,
            bind_address,
            tls_args,
            handlers,
            **timeouts,
        )
    )


async def associate(
    ae: ApplicationEntity,
    addr: str | tuple[str, int, int],
    port: int,
    contexts: Contexts | None = None,
    ae_title: str = "ANY-SCP",
    max_pdu: int | None = None,
    ext_neg: Sequence[AnyUserItem] | None = None,
    bind_address: tuple[Any, ...] | None = None,
    tls_args: TLSArguments | None = None,
    evt_handlers: Sequence[HandlerArgType] | None = None,
    **timeouts: float | None,
) -> Association:
    """Ask a peer for an association; the arguments are those of `AE.associate`.

    Raises
    ------
    Ended
        Why there is none.
    """
    terms = ae.terms(
        await resolved(addr),
        port,
        None if contexts is None else built(contexts),
        ae_title,
        max_pdu,
        ext_neg,
        bind_address,
        checked(timeouts, "associate"),
    )
    association = Association(ae, "requestor", terms.identity, Handlers(evt_handlers), ae.options)
    association.open_destination = partial(associate, ae)
    terms.set_up(association)
    await association.negotiate(terms.peer, association.proposal, tls_args, terms.bind_address)
    return association
