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
from dicomwire.network.stores import Stores
from dicomwire.protocol.errors import Ended, Error, LocalError, NoContextAccepted
from dicomwire.standard.sop_classes import file_prefix
from dicomwire.standard.statuses import STORAGE_SERVICE_CLASS_STATUS, Category, describe

LAST_ID = 0xFFFF  # of a message, PS3.7 E.2
UNDER_WAY = 16  # requests on one association at once, of a peer that grants it
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
        while assoc is not None:
            unanswered = self._send_over(assoc)
            if assoc.is_established:
                self._leave(assoc)
                return
            self.ended_early = True
            left = bool(self._queue) or len(unanswered) > 1
            again = left and not reconnected and not self._stop.is_set()
            # the peer answers in order: the others it had not come to
            for header in unanswered[: 1 if again else None]:
                self._without_answer(header, assoc)
            if again:
                self._queue.extendleft(reversed(unanswered[1:]))
            self._leave(assoc)
            assoc = self._associate(load) if again else None
            reconnected = True

    def _send_over(self, assoc: Association) -> list[FileHeader]:
        """Send what is queued until nothing is left or the association is over.

        Returns
        -------
        list of FileHeader
            What was sent and not answered, in order.
        """
        stores = Stores(assoc)
        unanswered: dict[int, FileHeader] = {}
        message_id = 0
        try:
            while assoc.is_established and (header := self._next()) is not None:
                message_id = message_id % LAST_ID + 1
                self._send(stores, header, message_id, unanswered)
            while stores:
                self._settle(stores, unanswered)
        except (Ended, RuntimeError):
            pass  # whoever looks at the association sees it
        finally:
            stores.close()
        return list(unanswered.values())

    def _next(self) -> FileHeader | None:
        try:
            return None if self._stop.is_set() else self._queue.popleft()
        except IndexError:
            return None

    def _send(
        self, stores: Stores, header: FileHeader, message_id: int, unanswered: dict[int, FileHeader]
    ) -> None:
        """Open an object while others are under way, and send it when there is room for it."""
        began = False
        try:
            with stores.prepared(header, msg_id=message_id) as prepared:
                while stores.is_full:
                    self._settle(stores, unanswered, another_follows=True)
                if self._stop.is_set():
                    self._queue.appendleft(header)
                    return
                log.info("Sending file: %s", header.path)
                prefix = file_prefix(header.sop_class_uid)
                log.info("Sending Store Request (MsgID %d, %s)", message_id, prefix)
                began = True
                unanswered[message_id] = header
                stores.send_prepared(prepared, message_id)
        except (LocalError, ValueError) as error:
            unanswered.pop(message_id, None)
            log.error("%s: not sent: %s", header.path, error)
            what = getattr(error, "what", None) or str(error)
            self._add(Outcome(header, Category.FAILURE, what))
        except (Ended, RuntimeError) as error:
            if not began or isinstance(error, RuntimeError):  # nothing of it was sent
                unanswered.pop(message_id, None)
                self._queue.appendleft(header)
            raise

    def _settle(
        self, stores: Stores, unanswered: dict[int, FileHeader], another_follows: bool = False
    ) -> None:
        """Wait for the next answer."""
        message_id, response = stores.settle(another_follows)
        self._add(_answered(unanswered.pop(message_id), response.status, response.comment))

    def _without_answer(self, header: FileHeader, assoc: Association) -> None:
        log.error("%s: no answer", header.path)  # why is said when the association is left
        error = assoc.ended
        self._add(Outcome(header, Category.FAILURE, error.what if error else "no answer"))

    def _add(self, outcome: Outcome) -> None:
        self._report(outcome)
        if self._halt and not outcome.was_sent:
            self._stop.set()

    def _leave(self, assoc: Association) -> None:
        if not self._requestor.leave(assoc):
            self.ended_early = True
        self._open.discard(assoc)


def _wants_nothing_of_it(failure: Error | None) -> bool:
    """Return whether a peer is there, but took none of the contexts of one load."""
    cause = failure and failure.__cause__
    return isinstance(failure, NoContextAccepted) or isinstance(cause, NoContextAccepted)
