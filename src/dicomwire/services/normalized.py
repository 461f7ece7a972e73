"""A request of an N-service into its response, as service class provider (PS3.7 10.1)."""

from __future__ import annotations

from typing import Any

from dicomwire.dataset.byte_order import unshared
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
from dicomwire.services.wants import Call, Conversation, HandlerRaised
from dicomwire.standard.dimse import BY_COMMAND_FIELD, Service
from dicomwire.standard.statuses import Category

PROCESSING_FAILURE = 0x0110  # PS3.7 Annex C

# What a response repeats of its request (PS3.7 10.3.1.2, 10.3.4.2).
_REPEATED = ("EventTypeID", "ActionTypeID")


def operate(connection: Connection, message: Message) -> Conversation[None]:
    """Answer a request of one of the six N-services: they differ in rows, not in how they go."""
    service = BY_COMMAND_FIELD[message.command["CommandField"]]
    try:
        returned = yield Call(service.event, message=message)
        status, extra, data = _answer(connection, message, service, returned)
    except HandlerRaised as error:
        status, extra, data = service.on_error, {"ErrorComment": error.comment}, None
    finally:
        drop(message)
    repeated = {name: message.command[name] for name in _REPEATED if name in message.command}
    yield from respond(connection, message, status, {**repeated, **extra}, data)


def _answer(
    connection: Connection, message: Message, service: Service, returned: Any
) -> tuple[int, Command, bytes | None]:
    """Read what the handler returned; what cannot be sent is a processing failure."""
    dataset = None
    if service.data_out:
        if not isinstance(returned, tuple | list) or len(returned) != 2:
            return (
                service.on_error,
                {"ErrorComment": "the handler gave no status and data set"},
                None,
            )
        returned, dataset = returned
    status, extra = read_status(returned, service)
    if category_for(message, service, status) not in (Category.SUCCESS, Category.WARNING):
        return status, extra, None
    if dataset is not None and not is_data_set(dataset):
        return service.on_error, {"ErrorComment": "the handler gave no data set"}, None
    if service.name == "N-CREATE":
        named, dataset = _created(dataset)
        given = message.command.get("AffectedSOPInstanceUID")
        instance = given or named or extra.get("AffectedSOPInstanceUID")
        if not instance:  # PS3.7 10.1.5.1.3: whoever creates the instance has to name it
            return PROCESSING_FAILURE, {"ErrorComment": "the new instance has no UID"}, None
        extra["AffectedSOPInstanceUID"] = instance
    if not dataset:
        return status, extra, None
    data = encoded(connection, message, dataset)
    if data is None:
        return PROCESSING_FAILURE, {"ErrorComment": "the response cannot be encoded"}, None
    return status, extra, data


def _created(dataset: Any) -> tuple[str, Any]:
    """Take the UID of a created instance out of what the handler returned for it."""
    if dataset is None or "AffectedSOPInstanceUID" not in dataset:
        return "", dataset
    ours = unshared(dataset)
    instance = str(ours.AffectedSOPInstanceUID)
    del ours.AffectedSOPInstanceUID
    return instance, ours
