"""What users ask of the upper layer, and are told by it, as objects (PS3.8 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydicom.uid import UID

from dicomwire.compat.addresses import AddressInformation
from dicomwire.compat.checks import Check, called_title, one_of, pdvs, uid
from dicomwire.compat.negotiation import (
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    ServiceParameter,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)
from dicomwire.compat.parts import NO_VALUE, Part
from dicomwire.network.presentation import PresentationContext
from dicomwire.network.rejected import Rejection
from dicomwire.standard.rejections import ABORT_REASONS


def _address(name: str, value: Any) -> AddressInformation | None:
    if value is not None and not isinstance(value, AddressInformation):
        raise TypeError(f"{name} is an AddressInformation, not {type(value).__name__}")
    return value


def _list_of(kind: type[Any]) -> Check:
    def check(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError(f"{name} is a list, not {type(value).__name__}")
        return [each for each in value if isinstance(each, kind)]

    return check


class A_ASSOCIATE(
    Part,
    application_context_name=uid,
    calling_ae_title=called_title,
    called_ae_title=called_title,
    calling_presentation_address=_address,
    called_presentation_address=_address,
    result=one_of(None, 0, 1, 2),
    result_source=one_of(None, 1, 2, 3),
    diagnostic=one_of(None, 1, 2, 3, 7),
    user_information=_list_of(ServiceParameter),
    presentation_context_definition_list=_list_of(PresentationContext),
    presentation_context_definition_results_list=_list_of(PresentationContext),
):
    """A-ASSOCIATE: an association is asked for, accepted or rejected (PS3.8 7.1.1).

    A request has no `result`; an acceptance has 0, a rejection 1 (permanent) or 2 (transient).
    """

    TITLE = "A-ASSOCIATE"
    _unset: ClassVar = {
        "application_context_name": None,
        "calling_ae_title": "DEFAULT",
        "called_ae_title": "DEFAULT",
        "user_information": [],
        "result": None,
        "result_source": None,
        "diagnostic": None,
        "calling_presentation_address": None,
        "called_presentation_address": None,
        "presentation_context_definition_list": [],
        "presentation_context_definition_results_list": [],
    }
    application_context_name: UID | None
    calling_ae_title: str
    called_ae_title: str
    user_information: list[ServiceParameter]
    result: int | None
    result_source: int | None
    diagnostic: int | None
    calling_presentation_address: AddressInformation | None
    called_presentation_address: AddressInformation | None
    presentation_context_definition_list: list[PresentationContext]
    presentation_context_definition_results_list: list[PresentationContext]

    @property
    def mode(self) -> str:
        """Always "normal" (PS3.8 7.1.1.1)."""
        return "normal"

    @property
    def responding_ae_title(self) -> str:
        """The title of who answers: the called one (PS3.8 7.1.1.5)."""
        return self.called_ae_title

    @property
    def responding_presentation_address(self) -> AddressInformation | None:
        """The address of who answers: the called one."""
        return self.called_presentation_address

    @property
    def presentation_requirements(self) -> str:
        """Always "Presentation Kernel" (PS3.8 7.1.1.15)."""
        return "Presentation Kernel"

    @property
    def session_requirements(self) -> str:
        """Always empty (PS3.8 7.1.1.16)."""
        return ""

    @property
    def _rejection(self) -> Rejection:
        return Rejection(self.result or 0, self.result_source or 0, self.diagnostic or 0)

    @property
    def result_str(self) -> str:
        """The result in words."""
        if self.result == 0:
            return "Accepted"
        return NO_VALUE if self.result is None else self._rejection.result_str

    @property
    def source_str(self) -> str:
        """Who rejected, in words."""
        return NO_VALUE if self.result_source is None else self._rejection.source_str

    @property
    def reason_str(self) -> str:
        """Why it was rejected, in words."""
        known = self.result_source is not None and self.diagnostic is not None
        return self._rejection.reason_str if known else NO_VALUE

    def _found(self, kind: type[Any]) -> Any:
        return next((each for each in self.user_information if isinstance(each, kind)), None)

    @property
    def maximum_length_received(self) -> int | None:
        """The maximum length in the user information; None when it has none."""
        found = self._found(MaximumLengthNotification)
        return found.maximum_length_received if found else None

    @maximum_length_received.setter
    def maximum_length_received(self, value: int) -> None:
        item = self._found(MaximumLengthNotification) or MaximumLengthNotification()
        item.maximum_length_received = value
        self._put(item)

    @property
    def implementation_class_uid(self) -> UID:
        """The implementation class UID in the user information.

        Raises
        ------
        ValueError
            When it has none.
        """
        found = self._found(ImplementationClassUIDNotification)
        if found is None or found.implementation_class_uid is None:
            raise ValueError("The user information has no implementation class UID")
        value: UID = found.implementation_class_uid
        return value

    @implementation_class_uid.setter
    def implementation_class_uid(self, value: str | bytes | UID) -> None:
        kind = ImplementationClassUIDNotification
        item = self._found(kind) or kind()
        item.implementation_class_uid = value
        self._put(item)

    def _put(self, item: ServiceParameter) -> None:
        if not any(each is item for each in self.user_information):
            self.user_information.append(item)

    def _rows(self) -> Iterator[tuple[str, Any]]:
        contexts = ("presentation_context_definition_", "calling_presentation", "called_present")
        for label, value in super()._rows():
            name = label.lower().replace(" ", "_")
            if value is not None and not name.startswith(contexts):
                yield label, value
        if self.result is not None:
            words = (self.result_str, self.source_str, self.reason_str)
            yield "In words", ", ".join(each for each in words if each != NO_VALUE)
        for each in self.presentation_context_definition_list:
            yield "Proposed context", f"{each.context_id} {each!r}"
        for each in self.presentation_context_definition_results_list:
            yield "Answered context", f"{each.context_id} {each.status}"


class A_RELEASE(Part, result=one_of(None, "affirmative")):
    """A-RELEASE: the association is to be released, or is (PS3.8 7.2)."""

    TITLE = "A-RELEASE"
    _unset: ClassVar = {"result": None}
    result: str | None

    @property
    def reason(self) -> str:
        """Always "normal" (PS3.8 7.2.1.1)."""
        return "normal"


class _Demanding(Part):
    """A primitive whose one parameter is an error to read before it is set."""

    def __getattr__(self, name: str) -> Any:
        if name in self._needed:
            raise ValueError(f"{type(self).__name__}.{name} is not set")
        raise AttributeError(f"{type(self).__name__} has no parameter '{name}'")

    _needed: ClassVar[tuple[str, ...]] = ()

    def _rows(self) -> Iterator[tuple[str, Any]]:
        for name in self._needed:
            yield name.replace("_", " ").capitalize(), self.__dict__.get(name, NO_VALUE)


class A_ABORT(_Demanding, abort_source=one_of(0, 1, 2)):
    """A-ABORT: a user ended the association (PS3.8 7.3)."""

    TITLE = "A-ABORT"
    _needed = ("abort_source",)


class A_P_ABORT(_Demanding, provider_reason=one_of(*ABORT_REASONS)):
    """A-P-ABORT: the provider ended the association (PS3.8 7.4)."""

    TITLE = "A-P-ABORT"
    _needed = ("provider_reason",)


class P_DATA(Part, presentation_data_value_list=pdvs):
    """P-DATA: fragments of messages, each with its context (PS3.8 7.6).

    The list has pairs of a context ID and bytes; the first of them is the message control header.
    """

    TITLE = "P-DATA"
    _unset: ClassVar = {"presentation_data_value_list": []}
    presentation_data_value_list: list[Any]

    def _rows(self) -> Iterator[tuple[str, Any]]:
        for context_id, data in self.presentation_data_value_list:
            yield f"Context {context_id}", f"{len(data)} bytes"


__all__ = [
    "A_ABORT",
    "A_ASSOCIATE",
    "A_P_ABORT",
    "A_RELEASE",
    "AsynchronousOperationsWindowNegotiation",
    "ImplementationClassUIDNotification",
    "ImplementationVersionNameNotification",
    "MaximumLengthNotification",
    "P_DATA",
    "SCP_SCU_RoleSelectionNegotiation",
    "SOPClassCommonExtendedNegotiation",
    "SOPClassExtendedNegotiation",
    "ServiceParameter",
    "UserIdentityNegotiation",
]
