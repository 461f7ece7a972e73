"""An archive's files and index, and the peers it knows, into the handlers of an AE."""

from __future__ import annotations

import logging
import sqlite3
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.archive.files import Files
from dicomwire.archive.index import Index
from dicomwire.archive.ingest import SUCCESS, Answer, Ingest
from dicomwire.archive.query import (
    DOES_NOT_MATCH,
    PATIENT_ROOT,
    PATIENT_STUDY_ONLY,
    STUDY_ROOT,
    WANTED,
    Agreed,
    Found,
    Model,
    Query,
    Refused,
    answer,
    as_bytes,
    as_dataset,
    find,
    retrieve,
)
from dicomwire.archive.scan import keys
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.part10 import FileHeader
from dicomwire.network import events as evt
from dicomwire.network.events import Event, HandlerArgType
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.network.requests import RequestEvent, StoreEvent
from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.transfer_syntaxes import (
    ALL_TRANSFER_SYNTAXES,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

logger = logging.getLogger("dicomwire.archive")

PENDING, PENDING_NOT_ALL_KEYS, CANCELLED = 0xFF00, 0xFF01, 0xFE00
CANNOT_PROCESS = 0xC000  # PS3.4 Tables C.4-1 to C.4-3: unable to process
OUT_OF_RESOURCES = 0xA700
DESTINATION_UNKNOWN = 0xA801

_BETWEEN_LOOKS = 16  # answers to a query, after which it may have been cancelled
_WRITE: dict[str, Callable[[Found], Any]] = {
    EXPLICIT_VR_LITTLE_ENDIAN: partial(as_bytes, implicit=False),
    IMPLICIT_VR_LITTLE_ENDIAN: partial(as_bytes, implicit=True),
}
"""What encodes the answers by itself; in other transfer syntaxes that is done with pydicom."""

_ROOT = "1.2.840.10008.5.1.4.1.2"
FIND = {
    f"{_ROOT}.1.1": PATIENT_ROOT,
    f"{_ROOT}.2.1": STUDY_ROOT,
    f"{_ROOT}.3.1": PATIENT_STUDY_ONLY,
}
MOVE = {
    f"{_ROOT}.1.2": PATIENT_ROOT,
    f"{_ROOT}.2.2": STUDY_ROOT,
    f"{_ROOT}.3.2": PATIENT_STUDY_ONLY,
}
GET = {
    f"{_ROOT}.1.3": PATIENT_ROOT,
    f"{_ROOT}.2.3": STUDY_ROOT,
    f"{_ROOT}.3.3": PATIENT_STUDY_ONLY,
}
MODELS: dict[str, Model] = {**FIND, **MOVE, **GET}
"""The information model of each SOP class that is served (PS3.4 C.6)."""
VERIFICATION = "1.2.840.10008.1.1"

_PLAIN = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
_OF_IDENTIFIERS = (*_PLAIN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
_MOST_CONTEXTS = 128  # PS3.8 9.3.2.2: odd numbers up to 255
_LONGEST_COMMENT = 64  # of Error Comment, VR LO


class Destination(NamedTuple):
    """A peer that instances may be moved to.

    Parameters
    ----------
    title : str
        Its AE title.
    host : str
        Its host name or address.
    port : int
        Its TCP port.
    tls : SSLContext, optional
        How to speak TLS with it; None speaks none.
    """

    title: str
    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Node:
    """An archive that stores, finds and sends.

    Parameters
    ----------
    folder : Path
        For its files; made when it is missing.
    database : Path
        For its index.
    title : str
        The AE title to retrieve from.
    destinations : mapping of str to Destination
        Who may be moved to, by AE title.
    replace : bool
        See `Ingest`.
    fold_accents : bool
        Whether person names match without their accents, whatever was negotiated.

    Raises
    ------
    InUse, WrongDatabase, OSError, sqlite3.Error
        When the archive cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        database: Path,
        title: str,
        destinations: Mapping[str, Destination],
        replace: bool = False,
        fold_accents: bool = False,
    ) -> None:
        self.files = Files(folder)
        try:
            self.index = Index(database, self.files)
        except BaseException:
            self.files.close()
            raise
        self._title = title
        self._destinations = destinations
        self._ingest = Ingest(self.index, replace)
        self._fold_accents = fold_accents

    def close(self) -> None:
        """Close index and files."""
        self.index.close()
        self.files.close()

    def handlers(self) -> list[HandlerArgType]:
        """Return what handles the requests of associations."""
        return [
            (evt.EVT_C_STORE, self.store),
            (evt.EVT_C_FIND, self.find),
            (evt.EVT_C_GET, self.get),
            (evt.EVT_C_MOVE, self.move),
            (evt.EVT_SOP_EXTENDED, agree),
        ]

    # -- C-STORE -----------------------------------------------------------------------------

    def store(self, event: StoreEvent) -> Any:
        """Store an object; acknowledge it when it is durable."""
        uid = event.command["AffectedSOPInstanceUID"]
        sop_class = event.command["AffectedSOPClassUID"]
        syntax = str(event.context.transfer_syntax)
        taken = self._ingest.take(event.open_dataset(), syntax, sop_class, uid)
        return self._answered(event, uid, taken)

    def _answered(self, event: StoreEvent, uid: str, taken: Answer) -> Any:
        text = "Store Request (MsgID %d): %s %s"
        if taken.status == SUCCESS:
            logger.info(text, event.message_id, uid, taken.comment)
            return SUCCESS
        shown = uid if uid.replace(".", "").isdigit() else repr(uid)
        logger.error(text + " (0x%04X)", event.message_id, shown, taken.comment, taken.status)
        return status(taken.status, taken.comment)

    # -- C-FIND ------------------------------------------------------------------------------

    def find(self, event: RequestEvent) -> Iterator[Any]:
        """Answer a query, an entity at a time."""
        try:
            keys_, model, agreed = _asked(event)
            query = find(keys_, model, agreed._replace(fuzzy=agreed.fuzzy or self._fold_accents))
            pending = PENDING if query.complete else PENDING_NOT_ALL_KEYS
            write = _WRITE.get(str(event.context.transfer_syntax), as_dataset)
            count = 0
            with self.index.reading() as connection:
                for row in connection.execute(query.sql, query.parameters):
                    if not count % _BETWEEN_LOOKS and event.is_cancelled:
                        yield CANCELLED, None
                        return
                    yield pending, write(answer(query, row, self._title))
                    count += 1
            logger.info("Find Request (MsgID %d): %d matches", event.message_id, count)
        except _FAILURES as error:
            yield _failure(event, error), None

    # -- C-GET and C-MOVE --------------------------------------------------------------------

    def get(self, event: RequestEvent) -> Iterator[Any]:
        """Send what is asked for over the same association."""
        try:
            instances = self._instances(retrieve(*_asked(event)))
        except _FAILURES as error:
            yield _failure(event, error)
            return
        logger.info("Get Request (MsgID %d): %d objects", event.message_id, len(instances))
        yield from _sent(event, instances)

    def move(self, event: RequestEvent) -> Iterator[Any]:
        """Send what is asked for to a peer that we know."""
        title = str(event.move_destination).strip()
        try:
            instances = self._instances(retrieve(*_asked(event)))
        except _FAILURES as error:
            yield _failure(event, error)
            return
        to = self._destinations.get(title)
        if to is None:
            logger.error("C-MOVE to %r, which is no peer of ours", title)
            yield status(DESTINATION_UNKNOWN, f"unknown move destination {title}")
            return
        settings: dict[str, Any] = {"ae_title": title, "contexts": contexts_for(instances)}
        if to.tls is not None:
            settings["tls_args"] = (to.tls, to.host if to.tls.check_hostname else None)
        count = len(instances)
        logger.info("Move Request (MsgID %d): %d objects to %s", event.message_id, count, title)
        yield to.host, to.port, settings
        yield from _sent(event, instances)

    def _instances(self, query: Query) -> list[FileHeader]:
        with self.index.reading() as connection:
            found = connection.execute(query.sql, query.parameters).fetchall()
        return [
            FileHeader(self.files.path(file), sop_class, instance, syntax, offset, length)
            for file, sop_class, instance, syntax, offset, length in found
        ]


_FAILURES = (Refused, DataSetError, sqlite3.Error)


def _failure(event: RequestEvent, error: Exception) -> Dataset:
    """Return the status that tells the peer why a request failed, and say it in the log."""
    code = DOES_NOT_MATCH
    if isinstance(error, DataSetError):
        code = CANNOT_PROCESS
    elif isinstance(error, sqlite3.Error):
        code = OUT_OF_RESOURCES
    logger.error("%s refused (0x%04X): %s", event.request.msg_type, code, error)
    return status(code, str(error))


def _asked(event: RequestEvent) -> tuple[Any, Model, Agreed]:
    """Return keys, model and what was agreed, of a request."""
    request = event.request
    uid = str(request.AffectedSOPClassUID)
    model = MODELS.get(uid)
    data = request.Identifier
    if model is None or data is None:
        raise Refused("no identifier of a query/retrieve information model")
    identifier = keys(data.getvalue(), str(event.context.transfer_syntax), WANTED)
    proposed = event.assoc.requestor.sop_class_extended.get(uid, b"")
    return identifier, model, _agreed(granted(uid, proposed))


def _sent(event: RequestEvent, instances: list[FileHeader]) -> Iterator[Any]:
    yield len(instances)
    for instance in instances:
        if event.is_cancelled:
            yield CANCELLED, None
            return
        yield PENDING, instance


def status(code: int, comment: str) -> Dataset:
    """Return a status with a comment (PS3.7 C)."""
    from pydicom.dataset import Dataset

    ds = Dataset()
    ds.Status = code
    text = comment.encode("ascii", "replace").decode().replace("\\", "/")
    ds.ErrorComment = "".join(each if each.isprintable() else " " for each in text)[
        :_LONGEST_COMMENT
    ]
    return ds


# -- negotiation -------------------------------------------------------------------------------


def agree(event: Event) -> dict[str, bytes]:
    """Answer SOP class extended negotiation (PS3.4 C.5)."""
    return {
        uid: granted(uid, proposed) for uid, proposed in event.app_info.items() if uid in MODELS
    }


def granted(uid: str, proposed: bytes) -> bytes:
    """Return which of the proposed services of an information model are granted.

    Of C-FIND those are relational queries, ranges of date and time taken together, and person
    names compared without accents (PS3.4 C.5.1.1); of C-GET and C-MOVE relational retrievals
    (C.5.2.1, C.5.3.1).
    """
    offered = 3 if uid in FIND else 1
    return bytes(byte == 1 and at < offered for at, byte in enumerate(proposed))


def _agreed(services: bytes) -> Agreed:
    return Agreed(*(bool(each) for each in services[:3]))


def contexts(
    models: Iterable[str] = tuple(MODELS), syntaxes: Sequence[str] = ALL_TRANSFER_SYNTAXES
) -> list[PresentationContext]:
    """Return what is supported: Verification, storage, and the query/retrieve models.

    Parameters
    ----------
    models : iterable of str
        SOP class UIDs of the models.
    syntaxes : sequence of str
        Transfer syntaxes of objects, the preferred one first.
    """
    lists = ("AllStorage", "Storage")
    storage = sorted(
        {uid for name in lists for uid in CONTEXT_LISTS[f"{name}PresentationContexts"]}
    )
    found = [build_context(VERIFICATION, ALL_TRANSFER_SYNTAXES)]
    found += [build_context(uid, _OF_IDENTIFIERS) for uid in models]
    for uid in storage:
        context = build_context(uid, syntaxes)
        context.scu_role = context.scp_role = True  # C-GET turns the roles round
        found.append(context)
    return found


def contexts_for(instances: Iterable[FileHeader]) -> list[PresentationContext]:
    """Return what to propose to whom instances are sent: as stored, and uncompressed.

    Each transfer syntax in which there are some has a context of its own: what the peer takes as it
    is stored is not converted.
    """
    pairs = dict.fromkeys((each.sop_class_uid, each.transfer_syntax_uid) for each in instances)
    found = [build_context(uid, [syntax]) for uid, syntax in pairs]
    for uid in dict.fromkeys(uid for uid, _ in pairs):
        others = [syntax for syntax in _PLAIN if (uid, syntax) not in pairs]
        if others:
            found.append(build_context(uid, others))
    return found[:_MOST_CONTEXTS] or [build_context(VERIFICATION)]
