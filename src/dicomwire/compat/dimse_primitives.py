"""The rows of the DIMSE services into classes whose attributes are the services' parameters."""

from __future__ import annotations

from typing import Any, ClassVar

from dicomwire.compat.checks import Check, Checked, number, one_of, stream, tags, title, uid_or_none
from dicomwire.standard.dimse import BY_NAME, COMMAND_ELEMENTS, Service

_US = number(0, 0xFFFF, optional=True)
_BY_VR: dict[str, Check] = {"UI": uid_or_none, "US": _US, "AE": title}
_CHECKS: dict[str, Check] = {
    **{keyword: _BY_VR[vr] for _, keyword, vr in COMMAND_ELEMENTS if vr in _BY_VR},
    "AttributeIdentifierList": tags,
    "Priority": one_of(0, 1, 2),  # PS3.7 E.1
}


class DIMSEPrimitive(Checked):
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
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, service: str) -> None:
        row = cls.SERVICE = BY_NAME[service]
        data = (row.data_in, row.data_out)
        cls.STATUS_OPTIONAL_KEYWORDS = row.response_fields
        cls.REQUEST_KEYWORDS = (
            "MessageID",
            *row.demanded,
            *(name for name in row.request_fields if name == "Priority"),
            *row.demanded_fields,
            *(() if row.may_have_data(False) else data[:1]),
        )
        ids = "MessageID MessageIDBeingRespondedTo Status AffectedSOPClassUID".split()
        uids = (row.class_uid, row.instance_uid, row.instance_uid.replace("Requested", "Affected"))
        names = (*ids, *uids, *row.request_fields, *row.response_fields, *data)
        cls._defaults = {name: None for name in names if name}
        if "Priority" in row.request_fields:
            cls._defaults["Priority"] = 2  # low
        super().__init_subclass__(**_CHECKS, **{name: stream for name in data if name})

    def __init__(self) -> None:
        self.__dict__.update(self._defaults)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no parameter '{name}'")

    @property
    def msg_type(self) -> str:
        """The service, e.g. "C-STORE"."""
        return self.SERVICE.name

    @property
    def is_valid_request(self) -> bool:
        """Whether all is there that a request has to have."""
        return all(self.__dict__[name] is not None for name in self.REQUEST_KEYWORDS)

    @property
    def is_valid_response(self) -> bool:
        """Whether all is there that a response has to have."""
        return self.MessageIDBeingRespondedTo is not None and self.Status is not None


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


class C_CANCEL(Checked, MessageIDBeingRespondedTo=_US):
    """C-CANCEL (PS3.7 9.3.2.3)."""

    def __init__(self) -> None:
        self.MessageIDBeingRespondedTo: int | None = None


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
