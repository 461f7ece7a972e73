"""Names of SOP classes and well-known instances, as programs import them, into UID objects."""

from __future__ import annotations

from functools import cache
from keyword import iskeyword

from pydicom.uid import UID

from dicomwire.protocol.validate import is_valid_uid
from dicomwire.standard import sop_classes
from dicomwire.standard.service_classes import QueryRetrieveServiceClass, ServiceClass
from dicomwire.standard.sop_classes import INSTANCE_KEYWORDS

DisplaySystemInstance = UID(INSTANCE_KEYWORDS["DisplaySystemInstance"])
PrinterConfigurationRetrievalInstance = UID(
    INSTANCE_KEYWORDS["PrinterConfigurationRetrievalInstance"]
)
PrinterInstance = UID(INSTANCE_KEYWORDS["PrinterInstance"])
ProceduralEventLoggingInstance = UID(INSTANCE_KEYWORDS["ProceduralEventLoggingInstance"])
StorageCommitmentPushModelInstance = UID(INSTANCE_KEYWORDS["StorageCommitmentPushModelInstance"])
StorageManagementInstance = UID(INSTANCE_KEYWORDS["StorageManagementInstance"])
SubstanceAdministrationLoggingInstance = UID(
    INSTANCE_KEYWORDS["SubstanceAdministrationLoggingInstance"]
)
UPSFilteredGlobalSubscriptionInstance = UID(
    INSTANCE_KEYWORDS["UPSFilteredGlobalSubscriptionInstance"]
)
UPSGlobalSubscriptionInstance = UID(INSTANCE_KEYWORDS["UPSGlobalSubscriptionInstance"])


class SOPClass(UID):
    """The UID of a SOP class."""

    @property
    def service_class(self) -> type[ServiceClass]:
        """What is done with it; `ServiceClass` itself for an unknown SOP class."""
        return sop_classes.service_class_of(self)


@cache
def _named(uid: str) -> SOPClass:
    """The one object for a UID that has a name."""
    return SOPClass(uid)


def uid_to_sop_class(uid: str) -> SOPClass:
    """Return the SOP class of a UID; the same object each time for one that has a name.

    Parameters
    ----------
    uid : str
        Any UID.
    """
    # A peer chooses the UIDs that have none: remembering those too would be its way to our memory.
    return _named(str(uid)) if sop_classes.is_named(uid) else SOPClass(uid)


def uid_to_service_class(uid: str) -> type[ServiceClass]:
    """Return the service class of a SOP class, or of a Service Class UID, by its UID.

    Returns
    -------
    type of ServiceClass
        `ServiceClass` itself for an unknown UID.
    """
    return sop_classes.service_class_of(uid)


def register_uid(
    uid: str, keyword: str, service_class: type[ServiceClass], dimse_msg_type: str = ""
) -> None:
    """Make a SOP class that the standard does not have importable from here.

    Parameters
    ----------
    uid : str
        Its UID.
    keyword : str
        The name to import it by.
    service_class : type of ServiceClass
        What is done with it.
    dimse_msg_type : str
        ``C-FIND``, ``C-GET`` or ``C-MOVE``: which of them a `QueryRetrieveServiceClass` is for.

    Raises
    ------
    ValueError
        If the UID breaks PS3.5 9.1, the keyword is no Python name or names something else
        already, or the message type is missing.
    TypeError
        If the service class is not one. Nothing is registered when anything is wrong.
    """
    if not is_valid_uid(uid):
        raise ValueError(f"not a UID: {uid!r}")
    if not keyword.isidentifier() or iskeyword(keyword):
        raise ValueError(f"not a name that Python can import: {keyword!r}")
    if not _is_service_class(service_class):
        raise TypeError(f"not a subclass of ServiceClass: {service_class!r}")
    messages = QueryRetrieveServiceClass.operations
    if service_class is QueryRetrieveServiceClass and dimse_msg_type not in messages:
        raise ValueError(f"dimse_msg_type has to be one of {', '.join(messages)}")
    if keyword in globals():
        raise ValueError(f"{keyword} is something else already")
    sop_classes.register(str(uid), keyword, service_class)


def _is_service_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, ServiceClass)


# What `from dicomwire.sop_class import *` brings; each is made when it is asked for.
__all__ = [
    "SOPClass",
    "register_uid",
    "uid_to_service_class",
    "uid_to_sop_class",
    *sop_classes.KEYWORDS,
    *sop_classes.INSTANCE_KEYWORDS,
]


def __getattr__(name: str) -> SOPClass:
    uid = sop_classes.uid_of(name) or sop_classes.instance_uid_of(name)
    if uid is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _named(uid)


def __dir__() -> list[str]:
    return sorted({*globals(), *sop_classes.KEYWORDS})
