"""Loads of objects into C-STORE requests over one or more associations at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from dicomwire.apps.output import log
from dicomwire.apps.planning import Load
from dicomwire.apps.requesting import Requestor
from dicomwire.dataset.part10 import FileHeader
from dicomwire.network.association import Association
from dicomwire.protocol.errors import Ended, Error, LocalError, NoContextAccepted
from dicomwire.standard.sop_classes import file_prefix
from dicomwire.standard.statuses import STORAGE_SERVICE_CLASS_STATUS, Category, describe

LAST_ID = 0xFFFF  # of a message, PS3.7 E.2
GRACE = 3.0  # seconds that an aborted association has to end


class Outcome(NamedTuple):
    """What became of an object.

    Parameters
    ----------
    header : FileHeader
        The object.
    category : Category
        SUCCESS and WARNING: it was sent.
    text : str
        The status in words, or why it was not sent; empty for success.
    """

    header: FileHeader
    category: Category
    text: str = ""

    @property
    def was_sent(self) -> bool:
        """Whether the peer has it."""
        return self.category in (Category.SUCCESS, Category.WARNING)


class Lost(Exception):
    """The association was over before the object could be sent: it can be sent over another."""


def send(assoc: Association, header: FileHeader, message_id: int) -> Outcome:
    """Send one object and say what the answer is.

    Parameters
    ----------
    assoc : Association
        With a context that can carry it.
    header : FileHeader
        The object.
    message_id : int
        1 to 65,535.

    Raises
    ------
    Lost
        When nothing was sent as the association is over.
    """
    log.info("Sending file: %s", header.path)
    log.info("Sending Store Request (MsgID %d, %s)", message_id, file_prefix(header.sop_class_uid))
    try:
        response = assoc.c_store(header, message_id)
    except RuntimeError as error:
        raise Lost from error
    except Ended as error:
        log.error("%s: no answer", header.path)  # why is said when the association is left
        return Outcome(header, Category.FAILURE, error.what)
    except (LocalError, ValueError) as error:
        log.error("%s: not sent: %s", header.path, error)
        return Outcome(header, Category.FAILURE, getattr(error, "what", None) or str(error))
    return _answered(header, response.status, response.comment)


def _answered(header: FileHeader, status: int, comment: str) -> Outcome:
    category, text = describe(status, STORAGE_SERVICE_CLASS_STATUS)
    if category is Category.SUCCESS:
        log.info("Received Store Response (Success)")
        return Outcome(header, category)
    text = f"0x{status:04X} {text or category.value}"
    said = f"{text} ({comment})" if comment else text
    if category is Category.WARNING:
        log.warning("%s: stored with a warning: %s", header.path, said)
        return Outcome(header, category, text)
    log.error("%s: not stored: %s", header.path, said)
    return Outcome(header, Category.FAILURE, text)


class Sender:
    """Sends loads; goes on after an object that failed and, once, after a lost association.

    Parameters
    ----------
    requestor : Requestor
        Makes the associations.
    jobs : int
        How many associations are open at once, at most.
    halt : bool
        Whether to stop at the first object that fails.
    report : callable
        Told the `Outcome` of each object that was tried, from several threads.

    Attributes
    ----------
    associated : bool
        Whether there was an association at all.
    ended_early : bool
        Whether an association ended before it was released.
    """

    def __init__(
        self, requestor: Requestor, jobs: int, halt: bool, report: Callable[[Outcome], None]
    ) -> None:
        self._requestor = requestor
        self._jobs = jobs
        self._halt = halt
        self._report = report
        self._queue: deque[FileHeader] = deque()
        self._open: set[Association] = set()
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self.associated = False
        self.ended_early = False

    def run(self, loads: list[Load]) -> None:
        """Send all loads, one after another.

        Raises
        ------
        KeyboardInterrupt
            After the associations were aborted.
        """
        try:
            for load in loads:
                self._queue.extend(load.headers)
                if not self._stop.is_set():
                    self._run(load)
                self._queue.clear()
        except KeyboardInterrupt:
            self._stop.set()
            for assoc in list(self._open):
                assoc.abort()
            for thread in self._threads:
                thread.join(GRACE)
            raise

    def _run(self, load: Load) -> None:
        first = self._associate(load)
        if first is None:
            if not _wants_nothing_of_it(self._requestor.failure):
                self._stop.set()  # nobody there, or not for us: no use in asking again
            return
        others = min(self._jobs, len(load.headers)) - 1
        self._threads = [
            threading.Thread(target=self._work, args=(load, assoc), daemon=True)
            for assoc in (first, *[None] * others)
        ]
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _associate(self, load: Load) -> Association | None:
        assoc = self._requestor.associate(load.proposal())
        if assoc is not None:
            self.associated = True
            self._open.add(assoc)
        return assoc

    def _work(self, load: Load, assoc: Association | None) -> None:
        """Send what is queued until nothing is left or the association was lost twice."""
        if assoc is None and self._queue:
            assoc = self._associate(load)
        reconnected = False
        message_id = 0
        while assoc is not None and not self._stop.is_set():
            header = self._next()
            if header is None:
                break
            message_id = message_id % LAST_ID + 1
            if self._try(assoc, header, message_id):
                continue
            self.ended_early = True
            self._leave(assoc)
            again = not reconnected and bool(self._queue) and not self._stop.is_set()
            assoc = self._associate(load) if again else None
            reconnected, message_id = True, 0
        if assoc is not None:
            self._leave(assoc)

    def _next(self) -> FileHeader | None:
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    def _try(self, assoc: Association, header: FileHeader, message_id: int) -> bool:
        """Send one object; tell whether the association still stands."""
        try:
            outcome = send(assoc, header, message_id)
        except Lost:
            self._queue.appendleft(header)
            return False
        self._report(outcome)
        if self._halt and not outcome.was_sent:
            self._stop.set()
        return assoc.is_established

    def _leave(self, assoc: Association) -> None:
        if not self._requestor.leave(assoc):
            self.ended_early = True
        self._open.discard(assoc)


def _wants_nothing_of_it(failure: Error | None) -> bool:
    """Return whether a peer is there, but took none of the contexts of one load."""
    cause = failure and failure.__cause__
    return isinstance(failure, NoContextAccepted) or isinstance(cause, NoContextAccepted)
