"""pynetdicom's constants, as programs import them."""

from __future__ import annotations

from dicomwire.network.options import DEFAULT_MAXIMUM_LENGTH as DEFAULT_MAX_LENGTH
from dicomwire.protocol.pdus import APPLICATION_CONTEXT as APPLICATION_CONTEXT_NAME
from dicomwire.standard import transfer_syntaxes
from dicomwire.standard.statuses import Category

ALL_TRANSFER_SYNTAXES = list(transfer_syntaxes.ALL_TRANSFER_SYNTAXES)
DEFAULT_TRANSFER_SYNTAXES = list(transfer_syntaxes.DEFAULT_TRANSFER_SYNTAXES)

MODE_REQUESTOR = "requestor"
MODE_ACCEPTOR = "acceptor"

STATUS_SUCCESS = Category.SUCCESS.value
STATUS_FAILURE = Category.FAILURE.value
STATUS_WARNING = Category.WARNING.value
STATUS_CANCEL = Category.CANCEL.value
STATUS_PENDING = Category.PENDING.value
STATUS_UNKNOWN = Category.UNKNOWN.value

__all__ = [
    "ALL_TRANSFER_SYNTAXES",
    "APPLICATION_CONTEXT_NAME",
    "DEFAULT_MAX_LENGTH",
    "DEFAULT_TRANSFER_SYNTAXES",
    "MODE_ACCEPTOR",
    "MODE_REQUESTOR",
    "STATUS_CANCEL",
    "STATUS_FAILURE",
    "STATUS_PENDING",
    "STATUS_SUCCESS",
    "STATUS_UNKNOWN",
    "STATUS_WARNING",
]
