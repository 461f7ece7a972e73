"""An identifier and an association into responses, each handed on, until the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from dicomwire.apps.exits import Exit
from dicomwire.apps.interrupting import interruptible
from dicomwire.apps.output import log
from dicomwire.network.association import Association
from dicomwire.network.log_identifiers import pretty_dataset
from dicomwire.protocol.errors import Ended
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.statuses import GENERAL_STATUS, Category, StatusTable, describe

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MESSAGE_ID = 1
Pairs = Iterator[tuple["Dataset", "Dataset | None"]]


class Answer(NamedTuple):
    """The last response to a query.

    Parameters
    ----------
    service : str
        "C-FIND", "C-GET" or "C-MOVE".
    model : str
        UID of the information model.
    status : Dataset
        Status and counts; empty when the association ended instead.
    identifier : Dataset or None
        What came with it.
    interrupted : bool
        Whether the user had enough before.
    """

    service: str
    model: str
    status: Dataset
    identifier: Dataset | None
    interrupted: bool = False

    @property
    def category(self) -> Category:
        """What the status says; unknown when there is none."""
        return self._described[0] if self.status else Category.UNKNOWN

    @property
    def short(self) -> str:
        """The status in a word, and what is particular about it."""
        category, text = self._described
        plain = self.status.Status in (0x0000, 0xFF00)
        return category.value if plain or not text else f"{category.value}: {text}"

    @property
    def _described(self) -> tuple[Category, str]:
        statuses = service_class_of(self.model).statuses_of(self.service)
        return describe(int(self.status.Status), statuses)

    def __str__(self) -> str:
        category, text = self._described
        comment = str(self.status.get("ErrorComment") or "")
        parts = [text, comment, _offending(self.status)]
        words = f"0x{int(self.status.Status):04X}: {category.value}"
        return " - ".join([words, *filter(None, parts)])


def _offending(status: Dataset) -> str:
    tags = status.get("OffendingElement")
    return f"offending element {tags}" if tags else ""


def ask(
    assoc: Association,
    service: str,
    model: str,
    send: Callable[[], Pairs],
    each: Callable[[Answer], None],
    cancel_after: int | None = None,
) -> Answer:
    """Take responses until the last; Ctrl-C asks the peer to stop.

    Parameters
    ----------
    assoc : Association
        What they come over.
    service, model : str
        See `Answer`.
    send : callable
        Sends the request, with Message ID 1, and returns the responses.
    each : callable
        Takes each pending response.
    cancel_after : int, optional
        After how many of them the peer is asked to stop.

    Returns
    -------
    Answer
        The last one.

    Raises
    ------
    RuntimeError, ValueError, LocalError
        Why the request cannot be sent.
    """

    def cancel() -> None:
        with suppress(Ended, RuntimeError, ValueError):  # it is over: the responses say so
            assoc.send_c_cancel(MESSAGE_ID, query_model=model)

    with interruptible(cancel, assoc.abort) as interruption:
        for count, (status, identifier) in enumerate(send(), 1):
            answer = Answer(service, model, status, identifier, interruption.happened)
            if answer.category is not Category.PENDING:
                return answer
            each(answer)
            if count == cancel_after:
                log.info("Sending Cancel Request (MsgID %d)", MESSAGE_ID)
                cancel()
    raise AssertionError("responses end with a last one")


def show_request(service: str, identifier: Dataset) -> None:
    """Say what is asked for."""
    log.info("Sending %s Request (MsgID %d)", service.removeprefix("C-").capitalize(), MESSAGE_ID)
    log.info("Request Identifiers:")
    for line in pretty_dataset(identifier):
        log.info("%s", line)


def ended(last: Answer, to_be_cancelled: bool) -> Exit:
    """Say how a query ended; return what scripts shall know.

    Parameters
    ----------
    last : Answer
        Its last response.
    to_be_cancelled : bool
        Whether the peer was going to be asked to stop.
    """
    name = last.service.removeprefix("C-").capitalize()
    if not last.status:
        log.info("The peer answered nothing to the end. Does it know our AE title (-aet)?")
        return Exit.INTERRUPTED if last.interrupted else Exit.ENDED_EARLY
    good = (Category.SUCCESS, Category.WARNING, *([Category.CANCEL] * to_be_cancelled))
    if last.interrupted or last.category in good:
        log.info("Received Final %s Response (%s)", name, last.short)
    else:
        log.error("The %s failed: the peer answered %s", name.lower(), last)
    if last.interrupted:
        return Exit.INTERRUPTED
    return Exit.DONE if last.category in good else Exit.FAILED


def answered(
    name: str, assoc: Association, status: Dataset, table: StatusTable = GENERAL_STATUS
) -> Exit:
    """Say what the answer to a request of an N-service is; return what scripts shall know.

    Parameters
    ----------
    name : str
        What was requested: "Action", "Create" or "Set".
    assoc : Association
        What it was requested over.
    status : Dataset
        The status; empty when the association ended instead.
    table : StatusTable
        What the codes mean.
    """
    if not status:
        log.error("%s", assoc.ended)
        return Exit.ENDED_EARLY
    category, text = describe(int(status.Status), table)
    said = " - ".join(filter(None, (text, str(status.get("ErrorComment") or ""))))
    if category is Category.SUCCESS:
        log.info("Received %s Response (Success)", name)
    elif category is Category.WARNING:
        log.warning("The peer answered 0x%04X: %s", status.Status, said)
    else:
        log.error("The peer refused: 0x%04X: %s", status.Status, said)
        return Exit.FAILED
    return Exit.DONE
