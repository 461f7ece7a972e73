"""The seven PDUs <-> bytes and primitives, by pynetdicom's names (PS3.8 9.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

from pydicom.uid import UID

from dicomwire.compat.checks import pdu_title, pdu_title_or_none
from dicomwire.compat.parts import NO_VALUE, PDUItem, Unset, Valued, label_of
from dicomwire.compat.pdu_items import (
    ApplicationContextItem,
    PresentationContextItemAC,
    PresentationContextItemRQ,
    PresentationDataValueItem,
    UserInformationItem,
)
from dicomwire.compat.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA
from dicomwire.protocol import pdus
from dicomwire.standard.rejections import ABORT_REASONS, REJECTIONS, rejection

_RESULTS = {1: "Rejected (Permanent)", 2: "Rejected (Transient)"}
_SOURCES = {
    1: "DUL service-user",
    2: "DUL service-provider (ACSE related)",
    3: "DUL service-provider (presentation related)",
}
_ABORT_SOURCES = {0: "DUL service-user", 1: "Reserved", 2: "DUL service-provider"}
_LABELS = {"reserved_aet": "Called AE title", "reserved_aec": "Calling AE title"}
_FIXED = 68  # bytes before the variable items: PS3.8 Tables 9-11 and 9-17


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


class PDU(Valued):
    """A protocol data unit (PS3.8 9.3.1).

    Parameters
    ----------
    primitive : object, optional
        See `from_primitive`.
    """

    _wire: ClassVar[type[Any]]

    def __init__(self, primitive: Any = None) -> None:
        super().__init__()
        if primitive is not None:
            self.from_primitive(primitive)

    @property
    def pdu_type(self) -> int:
        """The type octet, e.g. 0x01."""
        found: int = self._wire.pdu_type
        return found

    @property
    def pdu_length(self) -> int:
        """How many bytes follow the header."""
        return 4  # most kinds; PS3.8 Tables 9-21, 9-24 to 9-26

    def __len__(self) -> int:
        return 6 + self.pdu_length

    def encode(self) -> bytes:
        """Return the whole PDU.

        Raises
        ------
        ValueError
            When something is not set.
        """
        missing = [name for name in self._unset if getattr(self, name) is None]
        if missing:
            raise Unset(f"{type(self).__name__}.{missing[0]} is not set")
        encoded: bytes = self.wire().encode()
        return encoded

    def decode(self, bytestream: bytes) -> None:
        """Take the values of an encoded PDU, header included.

        Raises
        ------
        RemoteError
            When it breaks PS3.8 9.3.
        """
        self.show(self._wire.decode(memoryview(bytestream)[6:]))

    def wire(self) -> Any:
        """Return the PDU of `protocol` that says the same."""
        return self._wire()

    def show(self, wire: Any) -> Self:
        """Take the values of a PDU that was received or sent."""
        return self

    def from_primitive(self, primitive: Any) -> None:
        """Take the values of a primitive."""

    def to_primitive(self) -> Any:
        """Return the primitive that users are given for it."""
        raise NotImplementedError

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield "PDU type", f"0x{self.pdu_type:02X}"
        yield "PDU length", f"{self.pdu_length} bytes"

    def lines(self) -> list[str]:
        """Return the lines that `str` joins."""
        title, *others = super().lines()
        return [title, "=" * len(title), *others]


class _Associate(PDU):
    """What A-ASSOCIATE-RQ and A-ASSOCIATE-AC have in common."""

    variable_items: list[PDUItem]
    protocol_version: int
    _context: ClassVar[type[PresentationContextItemRQ | PresentationContextItemAC]]
    _titles: ClassVar[tuple[str, str]]  # attributes of the called and the calling title

    def _first(self, kind: type[Any]) -> Any:
        return next((each for each in self.variable_items if isinstance(each, kind)), None)

    @property
    def application_context_name(self) -> UID | None:
        """The application context name."""
        found: ApplicationContextItem | None = self._first(ApplicationContextItem)
        return found.application_context_name if found else None

    @property
    def presentation_context(self) -> list[Any]:
        """The presentation context items."""
        return [each for each in self.variable_items if isinstance(each, self._context)]

    @property
    def user_information(self) -> UserInformationItem | None:
        """The user information item."""
        found: UserInformationItem | None = self._first(UserInformationItem)
        return found

    @property
    def pdu_length(self) -> int:
        """How many bytes follow the header."""
        return _FIXED + sum(map(len, self.variable_items))

    def encode(self) -> bytes:
        """Return the whole PDU, its items in the order they have in `variable_items`."""
        called, calling = (getattr(self, name) or "" for name in self._titles)
        fixed: bytes = self._wire(called, calling, protocol_version=self.protocol_version).encode()
        body = fixed[6 : 6 + _FIXED] + b"".join(each.encode() for each in self.variable_items)
        return pdus.HEADER.pack(self.pdu_type, len(body)) + body

    def wire(self) -> Any:
        """Return the PDU of `protocol` that says the same."""
        return self._wire.decode(memoryview(self.encode())[6:])

    def show(self, wire: Any) -> Self:
        """Take the values of a PDU that was received or sent."""
        name = ApplicationContextItem()
        name._fill({"application_context_name": UID(wire.application_context_name)})
        contexts = [self._context().show(each) for each in wire.presentation_contexts]
        called, calling = self._titles
        self._fill(
            {
                called: wire.called_ae_title,
                calling: wire.calling_ae_title,
                "protocol_version": wire.protocol_version,
                "variable_items": [
                    name,
                    *contexts,
                    UserInformationItem().show(wire.user_information),
                ],
            }
        )
        return self

    def _take(self, primitive: A_ASSOCIATE, contexts: list[Any]) -> None:
        called, calling = self._titles
        self._fill({called: primitive.called_ae_title, calling: primitive.calling_ae_title})
        self.variable_items = [
            ApplicationContextItem().from_primitive(primitive),
            *(self._context().from_primitive(each) for each in contexts),
            UserInformationItem().from_primitive(primitive.user_information),
        ]

    def _primitive(self, **values: Any) -> A_ASSOCIATE:
        made = A_ASSOCIATE()
        called, calling = (getattr(self, name) for name in self._titles)
        user = self.user_information
        made._fill(
            {
                "application_context_name": self.application_context_name,
                "called_ae_title": called,
                "calling_ae_title": calling,
                "user_information": user.to_primitive() if user else [],
                **values,
            }
        )
        return made

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield from super()._rows()
        yield "Protocol version", self.protocol_version
        for name in self._titles:
            yield _LABELS.get(name) or label_of(name), getattr(self, name)
        yield "Items", self.variable_items


class A_ASSOCIATE_RQ(_Associate, called_ae_title=pdu_title, calling_ae_title=pdu_title):
    """A-ASSOCIATE-RQ (PS3.8 9.3.2)."""

    TITLE = "A-ASSOCIATE-RQ PDU"
    _wire = pdus.AssociateRQ
    _context = PresentationContextItemRQ
    _titles = ("called_ae_title", "calling_ae_title")
    _unset: ClassVar = {
        "protocol_version": 1,
        "called_ae_title": "Default",
        "calling_ae_title": "Default",
        "variable_items": [],
    }

    def from_primitive(self, primitive: A_ASSOCIATE) -> None:
        """Take the values of a request."""
        self._take(primitive, primitive.presentation_context_definition_list)

    def to_primitive(self) -> A_ASSOCIATE:
        """Return the request."""
        contexts = [each.to_primitive() for each in self.presentation_context]
        return self._primitive(presentation_context_definition_list=contexts)


class A_ASSOCIATE_AC(_Associate, reserved_aet=pdu_title_or_none, reserved_aec=pdu_title_or_none):
    """A-ASSOCIATE-AC (PS3.8 9.3.3); its titles repeat those of the request."""

    TITLE = "A-ASSOCIATE-AC PDU"
    _wire = pdus.AssociateAC
    _context = PresentationContextItemAC
    _titles = ("reserved_aet", "reserved_aec")
    _unset: ClassVar = {
        "protocol_version": 1,
        "reserved_aet": "",
        "reserved_aec": "",
        "variable_items": [],
    }
    reserved_aet: str | None
    reserved_aec: str | None

    @property
    def called_ae_title(self) -> str | None:
        """The called AE title, repeated."""
        return self.reserved_aet

    @property
    def calling_ae_title(self) -> str | None:
        """The calling AE title, repeated."""
        return self.reserved_aec

    def from_primitive(self, primitive: A_ASSOCIATE) -> None:
        """Take the values of an acceptance."""
        self._take(primitive, primitive.presentation_context_definition_results_list)

    def to_primitive(self) -> A_ASSOCIATE:
        """Return the acceptance."""
        contexts = [each.to_primitive() for each in self.presentation_context]
        return self._primitive(
            result=0, result_source=1, presentation_context_definition_results_list=contexts
        )


class A_ASSOCIATE_RJ(PDU):
    """A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    TITLE = "A-ASSOCIATE-RJ PDU"
    _wire = pdus.AssociateRJ
    _unset: ClassVar = {"result": None, "source": None, "reason_diagnostic": None}
    result: int | None
    source: int | None
    reason_diagnostic: int | None

    @property
    def result_str(self) -> str:
        """The result in words; raises ValueError when it has none."""
        return _in_words(_RESULTS, self.result, "result")

    @property
    def source_str(self) -> str:
        """Who rejects, in words; raises ValueError when there are none."""
        return _in_words(_SOURCES, self.source, "source")

    @property
    def reason_str(self) -> str:
        """Why, in words; raises ValueError when the source has none."""
        self.source_str  # noqa: B018 - raises for a source that PS3.8 Table 9-21 does not have
        known = {(row.source, row.reason) for row in REJECTIONS}
        if (self.source, self.reason_diagnostic) not in known:
            return "Reserved"
        return _sentence(rejection(self.source or 0, self.reason_diagnostic or 0).text)

    def wire(self) -> pdus.AssociateRJ:
        """Return the PDU of `protocol` that says the same."""
        return pdus.AssociateRJ(self.result or 0, self.source or 0, self.reason_diagnostic or 0)

    def show(self, wire: pdus.AssociateRJ) -> Self:
        """Take the values of a PDU that was received or sent."""
        self.result, self.source, self.reason_diagnostic = wire.result, wire.source, wire.reason
        return self

    def from_primitive(self, primitive: A_ASSOCIATE) -> None:
        """Take the values of a rejection."""
        self.result, self.source = primitive.result, primitive.result_source
        self.reason_diagnostic = primitive.diagnostic

    def to_primitive(self) -> A_ASSOCIATE:
        """Return the rejection."""
        made = A_ASSOCIATE()
        made._fill(
            {
                "result": self.result,
                "result_source": self.source,
                "diagnostic": self.reason_diagnostic,
            }
        )
        return made

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield from super()._rows()
        yield "Result", _RESULTS.get(self.result or 0, self.result)
        yield "Source", _SOURCES.get(self.source or 0, self.source)
        known = self.source in _SOURCES and self.reason_diagnostic is not None
        yield "Reason", self.reason_str if known else self.reason_diagnostic


def _in_words(words: dict[int, str], code: int | None, what: str) -> str:
    if code is None or code not in words:
        raise ValueError(f"An A-ASSOCIATE-RJ cannot have the {what} {code} (PS3.8 Table 9-21)")
    return words[code]


class P_DATA_TF(PDU):
    """P-DATA-TF (PS3.8 9.3.5)."""

    TITLE = "P-DATA-TF PDU"
    _wire = pdus.PDataTF
    _unset: ClassVar = {"presentation_data_value_items": []}
    presentation_data_value_items: list[PresentationDataValueItem]

    @property
    def pdu_length(self) -> int:
        """How many bytes follow the header."""
        return sum(map(len, self.presentation_data_value_items))

    def wire(self) -> pdus.PDataTF:
        """Return the PDU of `protocol` that says the same."""
        return pdus.PDataTF([each.wire() for each in self.presentation_data_value_items])

    def show(self, wire: pdus.PDataTF) -> Self:
        """Take the values of a PDU that was received or sent."""
        values = [PresentationDataValueItem().show(each) for each in wire.values]
        self.presentation_data_value_items = values
        return self

    def from_primitive(self, primitive: P_DATA) -> None:
        """Take the values of a P-DATA primitive."""
        self.presentation_data_value_items = [
            PresentationDataValueItem().from_primitive(each)
            for each in primitive.presentation_data_value_list
        ]

    def to_primitive(self) -> P_DATA:
        """Return the P-DATA primitive."""
        made = P_DATA()
        made.presentation_data_value_list = [
            (each.context_id, each.data) for each in self.presentation_data_value_items
        ]
        return made

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield from super()._rows()
        yield "Values", self.presentation_data_value_items


class A_RELEASE_RQ(PDU):
    """A-RELEASE-RQ (PS3.8 9.3.6)."""

    TITLE = "A-RELEASE-RQ PDU"
    _wire = pdus.ReleaseRQ

    def to_primitive(self) -> A_RELEASE:
        """Return the request."""
        return A_RELEASE()


class A_RELEASE_RP(PDU):
    """A-RELEASE-RP (PS3.8 9.3.7)."""

    TITLE = "A-RELEASE-RP PDU"
    _wire = pdus.ReleaseRP

    def to_primitive(self) -> A_RELEASE:
        """Return the answer."""
        made = A_RELEASE()
        made.result = "affirmative"
        return made


class A_ABORT_RQ(PDU):
    """A-ABORT (PS3.8 9.3.8)."""

    TITLE = "A-ABORT PDU"
    _wire = pdus.Abort
    _unset: ClassVar = {"source": None, "reason_diagnostic": None}
    source: int | None
    reason_diagnostic: int | None

    @property
    def source_str(self) -> str:
        """Who aborts, in words."""
        return NO_VALUE if self.source is None else _ABORT_SOURCES.get(self.source, NO_VALUE)

    @property
    def reason_str(self) -> str:
        """Why, in words; a user has no reason (PS3.8 9.3.8)."""
        if self.source != 2 or self.reason_diagnostic is None:
            return NO_VALUE
        if self.reason_diagnostic == 3:  # PS3.8 Table 9-26
            return "Reserved"
        if self.reason_diagnostic == 0:
            return "No reason given"
        text = ABORT_REASONS.get(self.reason_diagnostic)
        return _sentence(text) if text else NO_VALUE

    def wire(self) -> pdus.Abort:
        """Return the PDU of `protocol` that says the same."""
        return pdus.Abort(self.source or 0, self.reason_diagnostic or 0)

    def show(self, wire: pdus.Abort) -> Self:
        """Take the values of a PDU that was received or sent."""
        self.source, self.reason_diagnostic = wire.source, wire.reason
        return self

    def from_primitive(self, primitive: A_ABORT | A_P_ABORT) -> None:
        """Take the values of an abort by a user or by the provider."""
        if isinstance(primitive, A_P_ABORT):
            self.source, self.reason_diagnostic = 2, primitive.provider_reason
        else:
            self.source, self.reason_diagnostic = primitive.abort_source, 0

    def to_primitive(self) -> A_ABORT | A_P_ABORT:
        """Return the abort: by the provider when the source is 2, else by the user."""
        if self.source == 2:
            by_provider = A_P_ABORT()
            by_provider._fill({"provider_reason": self.reason_diagnostic})
            return by_provider
        by_user = A_ABORT()
        by_user._fill({"abort_source": self.source})
        return by_user

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield from super()._rows()
        yield "Abort source", self.source_str
        yield "Reason", self.reason_str


_KINDS: tuple[type[PDU], ...] = (
    A_ASSOCIATE_RQ,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    P_DATA_TF,
    A_RELEASE_RQ,
    A_RELEASE_RP,
    A_ABORT_RQ,
)
PDU_TYPES: dict[type[PDU], int] = {kind: kind._wire.pdu_type for kind in _KINDS}
"""Class -> PDU type (PS3.8 9.3)."""

_BY_WIRE: dict[type[Any], Callable[[], PDU]] = {kind._wire: kind for kind in _KINDS}


def pdu_of(wire: pdus.AnyPDU) -> PDU:
    """Return the PDU as programs expect it."""
    return _BY_WIRE[type(wire)]().show(wire)


def pdu_for(primitive: Any) -> PDU:
    """Return the PDU that a primitive is sent as.

    Raises
    ------
    TypeError
        When it is no primitive of the upper layer.
    """
    if isinstance(primitive, A_ASSOCIATE):
        kinds = {None: A_ASSOCIATE_RQ, 0: A_ASSOCIATE_AC}
        return kinds.get(primitive.result, A_ASSOCIATE_RJ)(primitive)
    if isinstance(primitive, A_RELEASE):
        return A_RELEASE_RQ() if primitive.result is None else A_RELEASE_RP()
    if isinstance(primitive, A_ABORT | A_P_ABORT):
        return A_ABORT_RQ(primitive)
    if isinstance(primitive, P_DATA):
        return P_DATA_TF(primitive)
    raise TypeError(f"{type(primitive).__name__} is no primitive of the upper layer")


__all__ = [
    "A_ABORT_RQ",
    "A_ASSOCIATE_AC",
    "A_ASSOCIATE_RJ",
    "A_ASSOCIATE_RQ",
    "A_RELEASE_RP",
    "A_RELEASE_RQ",
    "PDU",
    "PDU_TYPES",
    "P_DATA_TF",
]
