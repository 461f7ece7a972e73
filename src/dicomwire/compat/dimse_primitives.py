"""The rows of the DIMSE services into classes whose attributes are the services' parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any, ClassVar

from pydicom.uid import UID

from dicomwire.compat.checks import Check, number, one_of, stream, tags, title, uid_or_none
from dicomwire.compat.parts import Part
from dicomwire.protocol.command import Command
from dicomwire.standard.dimse import (
    BY_COMMAND_FIELD,
    BY_NAME,
    C_CANCEL_RQ,
    COMMAND_ELEMENTS,
    RESPONSE,
    Service,
)

_US = number(0, 0xFFFF, optional=True)
_IDS = ("MessageID", "MessageIDBeingRespondedTo", "Status", "AffectedSOPClassUID")
_VRS = {keyword: vr for _, keyword, vr in COMMAND_ELEMENTS}
_BY_VR: dict[str, Check] = {"UI": uid_or_none, "US": _US, "AE": title}
_CHECKS: dict[str, Check] = {
    **{keyword: _BY_VR[vr] for _, keyword, vr in COMMAND_ELEMENTS if vr in _BY_VR},
    "AttributeIdentifierList": tags,
    "Priority": one_of(0, 1, 2),  # PS3.7 E.1
}


class DIMSEPrimitive(Part):
    """The parameters of a DIMSE service, those of the request and of the response (PS3.7 9, 10).

    The data set is an `io.BytesIO` with its encoding. What was not set is None.

    Attributes
    ----------
    STATUS_OPTIONAL_KEYWORDS : tuple of str
        What a response may have besides its Status.
    REQUEST_KEYWORDS : tuple of str
        What a request has to have.
    """

    SERVICE: ClassVar[Service]
    STATUS_OPTIONAL_KEYWORDS: ClassVar[tuple[str, ...]] = ()
    REQUEST_KEYWORDS: ClassVar[tuple[str, ...]] = ()
    RESPONSE_KEYWORDS: ClassVar[tuple[str, ...]] = ("MessageIDBeingRespondedTo", "Status")
    _unset: ClassVar[Mapping[str, Any]] = dict.fromkeys(_IDS)
    _context_id: int | None = None  # the presentation context of one that was received

    def __init_subclass__(cls, service: str) -> None:
        row = cls.SERVICE = BY_NAME[service]
        cls.TITLE = service
        data = (row.data_in, row.data_out)
        cls.STATUS_OPTIONAL_KEYWORDS = row.response_fields
        cls.REQUEST_KEYWORDS = (
            "MessageID",
            *row.demanded,
            *(name for name in row.request_fields if name == "Priority"),
            *row.demanded_fields,
            *(() if row.may_have_data(False) else data[:1]),
        )
        uids = (row.class_uid, row.instance_uid, row.instance_uid.replace("Requested", "Affected"))
        names = (*_IDS, *uids, *row.request_fields, *row.response_fields, *data)
        low = {"Priority": 2} if "Priority" in row.request_fields else {}
        cls._unset = {**{name: None for name in names if name}, **low}
        super().__init_subclass__(**_CHECKS, **{name: stream for name in data if name})

    def __getattr__(self, name: str) -> Any:
        if name in self._unset and name in (self.SERVICE.data_in, self.SERVICE.data_out):
            make = self.__dict__.get("_data")  # nobody has looked at the data set yet
            value = self.__dict__[name] = make() if make else None
            return value
        raise AttributeError(f"{type(self).__name__} has no parameter '{name}'")

    @property
    def msg_type(self) -> str:
        """The service, e.g. "C-STORE"."""
        return type(self).__name__.replace("_", "-")

    @property
    def is_valid_request(self) -> bool:
        """Whether all is there that a request has to have."""
        return all(getattr(self, name) is not None for name in self.REQUEST_KEYWORDS)

    @property
    def is_valid_response(self) -> bool:
        """Whether all is there that a response has to have."""
        return all(getattr(self, name) is not None for name in self.RESPONSE_KEYWORDS)

    def _rows(self) -> Iterator[tuple[str, Any]]:
        for name, value in ((name, getattr(self, name)) for name in self._unset):
            if isinstance(value, BytesIO):
                yield name, f"{len(value.getbuffer())} bytes"
            elif value is not None:
                yield name, value

    def __repr__(self) -> str:
        return f"<{self.msg_type} {dict(self._rows())}>"


class C_STORE(DIMSEPrimitive, service="C-STORE"):
    """C-STORE (PS3.7 9.1.1)."""


class C_FIND(DIMSEPrimitive, service="C-FIND"):
    """C-FIND (PS3.7 9.1.2)."""


class C_GET(DIMSEPrimitive, service="C-GET"):
    """C-GET (PS3.7 9.1.3)."""


class C_MOVE(DIMSEPrimitive, service="C-MOVE"):
    """C-MOVE (PS3.7 9.1.4)."""


class C_ECHO(DIMSEPrimitive, service="C-ECHO"):
    """C-ECHO (PS3.7 9.1.5)."""


class C_CANCEL(Part, MessageIDBeingRespondedTo=_US):
    """C-CANCEL (PS3.7 9.3.2.3)."""

    TITLE = "C-CANCEL"
    _unset: ClassVar = {"MessageIDBeingRespondedTo": None}
    _context_id: int | None = None
    MessageIDBeingRespondedTo: int | None


class N_EVENT_REPORT(DIMSEPrimitive, service="N-EVENT-REPORT"):
    """N-EVENT-REPORT (PS3.7 10.1.1)."""


class N_GET(DIMSEPrimitive, service="N-GET"):
    """N-GET (PS3.7 10.1.2)."""


class N_SET(DIMSEPrimitive, service="N-SET"):
    """N-SET (PS3.7 10.1.3)."""


class N_ACTION(DIMSEPrimitive, service="N-ACTION"):
    """N-ACTION (PS3.7 10.1.4)."""


class N_CREATE(DIMSEPrimitive, service="N-CREATE"):
    """N-CREATE (PS3.7 10.1.5)."""


class N_DELETE(DIMSEPrimitive, service="N-DELETE"):
    """N-DELETE (PS3.7 10.1.6)."""


_KINDS: dict[str, type[DIMSEPrimitive]] = {
    kind.SERVICE.name: kind for kind in DIMSEPrimitive.__subclasses__()
}


def primitive_kind(command: Command) -> type[DIMSEPrimitive] | type[C_CANCEL]:
    """Return the class of the primitive that a command set is of.

    Raises
    ------
    KeyError
        When PS3.7 E.1 has no such message.
    """
    field = command["CommandField"]
    if field == C_CANCEL_RQ:
        return C_CANCEL
    return _KINDS[BY_COMMAND_FIELD[field & ~RESPONSE].name]


def filled(
    kind: type[DIMSEPrimitive] | type[C_CANCEL],
    command: Command,
    data: Callable[[], BytesIO] | None,
    context_id: int | None,
) -> DIMSEPrimitive | C_CANCEL:
    """Return a primitive with what was received, as it came.

    Parameters
    ----------
    kind : class
        Of this file.
    command : dict
        The command set by keyword.
    data : callable, optional
        Makes the data set when it is looked at.
    context_id : int or None
        The presentation context it came over.
    """
    made = kind.__new__(kind)
    values = dict(kind._unset)
    for name, value in command.items():
        if value is not None and name in values:
            values[name] = shown_value(name, value)
    made._fill(values)
    if isinstance(made, DIMSEPrimitive) and data is not None:
        row = made.SERVICE
        name = row.data_out if command["CommandField"] & RESPONSE else row.data_in
        if name:
            del made.__dict__[name]
            made._fill({"_data": data})
    made._fill({"_context_id": context_id})
    return made


def shown_value(keyword: str, value: Any) -> Any:
    """Return the value of a command element as programs expect it."""
    vr = _VRS[keyword]
    if vr == "UI":
        return str.__new__(UID, value)  # as it came: UID() would judge it, which costs a call
    return tags(keyword, value) if vr == "AT" else value


__all__ = [
    "C_CANCEL",
    "C_ECHO",
    "C_FIND",
    "C_GET",
    "C_MOVE",
    "C_STORE",
    "DIMSEPrimitive",
    "N_ACTION",
    "N_CREATE",
    "N_DELETE",
    "N_EVENT_REPORT",
    "N_GET",
    "N_SET",
]
