"""A C-GET of many SOP classes into one association after another, and their results into one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomwire.network.association import Association
from dicomwire.network.events import EVT_C_STORE, Event, Handler, HandlerArgType
from dicomwire.network.presentation import PresentationContext, build_context, build_role
from dicomwire.protocol.pdus import MAXIMUM_CONTEXTS
from dicomwire.services.retrieve import ALL_FAILED, SOME_FAILED, SUCCESS
from dicomwire.standard.statuses import Category, category_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Pair = tuple["Dataset", "Dataset | None"]


def plan(model: str, contexts: Iterable[PresentationContext]) -> list[list[PresentationContext]]:
    """Spread contexts over associations: each has the information model and at most 127 of them.

    The contexts of a SOP class stay together, so that no instance can come over two associations.

    Parameters
    ----------
    model : str
        UID of the information model.
    contexts : iterable of PresentationContext
        Of the SOP classes to receive, in the order of preference.

    Raises
    ------
    ValueError
        When there is none, or one SOP class has more than fit into an association.
    """
    groups: dict[str, list[PresentationContext]] = {}
    for context in contexts:
        groups.setdefault(str(context.abstract_syntax), []).append(context)
    groups.pop(model, None)
    if not groups:
        raise ValueError("There is no presentation context of a SOP class to receive")
    turns: list[list[PresentationContext]] = []
    for uid, group in groups.items():
        if len(group) >= MAXIMUM_CONTEXTS:
            raise ValueError(f"{len(group)} presentation contexts for {uid} fit no association")
        if not turns or len(turns[-1]) + len(group) > MAXIMUM_CONTEXTS:
            turns.append([build_context(model)])
        turns[-1] += group
    return turns


@dataclass
class Total:
    """What the turns of one C-GET came to.

    Attributes
    ----------
    received : set of str
        SOP Instance UIDs that a handler took.
    """

    completed: int = 0
    warning: int = 0
    failed: int = 0
    failed_uids: list[str] | None = None
    received: set[str] = field(default_factory=set)
    last: Pair | None = None

    def add(self, status: Dataset, identifier: Dataset | None) -> bool:
        """Take the last response of a turn; tell whether another turn may bring more.

        Each turn tries all that match: what it has no context for fails, and comes in another.
        """
        self.last = status, identifier
        counts = [
            int(status.get(f"NumberOf{name}Suboperations") or 0)
            for name in ("Completed", "Warning", "Failed")
        ]
        matches = sum(counts)
        self.completed += counts[0]
        self.warning += counts[1]
        self.failed = max(matches - self.completed - self.warning, 0)
        uids = _failed_uids(identifier)
        before = uids if self.failed_uids is None else self.failed_uids
        self.failed_uids = [uid for uid in before if uid in set(uids) - self.received]
        return status.Status in (SUCCESS, SOME_FAILED, ALL_FAILED) and self.failed > 0

    def summary(self) -> Pair:
        """Return the one last response."""
        from pydicom.dataset import Dataset

        assert self.last is not None
        status = Dataset()
        status.update(self.last[0])
        if status.Status in (SUCCESS, SOME_FAILED, ALL_FAILED):
            status.Status = self._status
        status.NumberOfCompletedSuboperations = self.completed
        status.NumberOfWarningSuboperations = self.warning
        status.NumberOfFailedSuboperations = self.failed
        if category_of(status.Status) is Category.SUCCESS:
            return status, None
        identifier = Dataset()
        identifier.FailedSOPInstanceUIDList = self.failed_uids or []
        return status, identifier

    @property
    def _status(self) -> int:
        if not self.failed and not self.warning:
            return SUCCESS
        return SOME_FAILED if self.completed or self.warning else ALL_FAILED

    def noting(self, handler: Handler) -> Handler:
        """Return a handler of EVT_C_STORE that takes note of what it took."""

        def store(event: Event, *args: Any) -> Any:
            returned = handler(event, *args)
            status = returned if isinstance(returned, int) else returned.get("Status")
            if category_of(status) in (Category.SUCCESS, Category.WARNING):
                self.received.add(str(event.request.AffectedSOPInstanceUID))
            return returned

        return store


def _failed_uids(identifier: Dataset | None) -> list[str]:
    value: Any = identifier.get("FailedSOPInstanceUIDList") if identifier is not None else None
    return [value] if isinstance(value, str) else [str(uid) for uid in value or ()]


def get_in_turns(
    associate: Callable[..., Association],
    identifier: Dataset,
    model: str,
    turns: Sequence[Sequence[PresentationContext]],
    handlers: Sequence[HandlerArgType],
    items: Sequence[Any],
    **fields: Any,
) -> Iterator[Pair]:
    """Ask over each association what the ones before could not receive.

    Parameters
    ----------
    associate : callable
        Takes `contexts`, `evt_handlers` and `ext_neg` as `AE.associate`.
    identifier : Dataset
        What to get.
    model : str
        UID of the information model.
    turns : sequence of sequence of PresentationContext
        See `plan`.
    handlers : sequence
        As `evt_handlers` of `AE.associate`.
    items : sequence
        Negotiation items besides the roles.
    **fields
        Further arguments of `Association.send_c_get`.

    Yields
    ------
    status, identifier
        As `Association.send_c_get`: those that are pending, and one last pair for all.

    Raises
    ------
    Ended
        Why an association could not be had, or ended.
    """
    total = Total()
    bound = [
        (event, total.noting(handler), *args) if event == EVT_C_STORE else (event, handler, *args)
        for event, handler, *args in handlers
    ]
    for contexts in turns:
        classes = dict.fromkeys(str(each.abstract_syntax) for each in contexts[1:])
        roles = [build_role(uid, scp_role=True) for uid in classes]
        assoc = associate(contexts=list(contexts), evt_handlers=bound, ext_neg=[*roles, *items])
        _check(assoc)
        with assoc:
            last = yield from _turn(assoc, assoc.send_c_get(identifier, model, **fields))
        if not total.add(*last):
            break
    yield total.summary()


def _turn(assoc: Association, pairs: Iterator[Pair]) -> Generator[Pair, None, Pair]:
    """Yield what is pending; return the last pair."""
    while True:
        status, identifier = next(pairs)
        if not status:
            _check(assoc)
        if category_of(status.Status) is not Category.PENDING:
            return status, identifier
        yield status, identifier


def _check(assoc: Association) -> None:
    if not assoc.is_established:
        assert assoc.ended is not None
        raise assoc.ended
