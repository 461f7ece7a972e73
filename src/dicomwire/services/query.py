"""A C-FIND request into its responses, as service class provider (PS3.7 9.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.messages import Message
from dicomwire.services.responding import (
    category_for,
    drop,
    encoded,
    is_data_set,
    read_status,
    respond,
)
from dicomwire.services.wants import END, FLUSH_MORE, Call, Close, Conversation, HandlerRaised, Next
from dicomwire.standard.dimse import BY_NAME
from dicomwire.standard.service_classes import RelevantPatientInformationQueryServiceClass
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.statuses import Category

SUCCESS = 0x0000
NO_IDENTIFIER = 0xC312  # a pending match that cannot be encoded; as pynetdicom's users know it

REPOSITORY_QUERY = "1.2.840.10008.5.1.4.1.1.201.6"

C_FIND = BY_NAME["C-FIND"]


def find(connection: Connection, message: Message) -> Conversation[None]:
    """Send a response for each match that the handler yields, and a last one (PS3.4 C.4.1.3)."""
    matches: Any = None
    category = cache(partial(category_for, message, C_FIND))
    matched, only_one = False, _has_one_match(message)
    try:
        matches = yield Call(C_FIND.event, message=message)
        if matches is not None:
            another = Next(C_FIND.event, matches)
            while (found := (yield another)) is not END:
                status, extra, data = _match(connection, message, found, category)
                if matched and only_one and category(status) is Category.PENDING:
                    break
                matched = True
                yield from respond(connection, message, status, extra, data, FLUSH_MORE)
                if connection.ended is not None or not _goes_on(message, category(status)):
                    return
        yield from respond(connection, message, SUCCESS, {})
    except HandlerRaised as error:
        yield from respond(connection, message, C_FIND.on_error, {"ErrorComment": error.comment})
    finally:
        drop(message)
        yield Close(matches)


def _has_one_match(message: Message) -> bool:
    """Whether a service has one pending response at most (PS3.4 Annex Q)."""
    uid = message.command["AffectedSOPClassUID"]
    return service_class_of(uid) is RelevantPatientInformationQueryServiceClass


def _match(
    connection: Connection, message: Message, found: Any, category: Callable[[int], Category]
) -> tuple[int, Command, bytes | None]:
    if not isinstance(found, tuple | list) or len(found) != 2:
        return C_FIND.on_error, {"ErrorComment": "the handler gave no status and identifier"}, None
    status, extra = read_status(found[0], C_FIND)
    if category(status) is not Category.PENDING:
        return status, extra, None
    data: bytes | None = None
    if isinstance(found[1], bytes):  # an archive's own, in the transfer syntax of the context
        data = found[1] or None
    elif is_data_set(found[1]) and found[1]:
        data = encoded(connection, message, found[1])
    if data is None:
        return NO_IDENTIFIER, {"ErrorComment": "the match cannot be encoded"}, None
    return status, extra, data


def _goes_on(message: Message, category: Category) -> bool:
    """Whether further responses may follow one with this status (PS3.7 9.1.2.1.5).

    Of the warnings only one may be followed, that of a Repository Query (PS3.4 C.6.4).
    """
    if category is Category.WARNING:
        return bool(message.command["AffectedSOPClassUID"] == REPOSITORY_QUERY)
    return category is Category.PENDING
