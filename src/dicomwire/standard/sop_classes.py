"""A SOP class's UID or keyword into its row, its service class and the prefix of its files."""

from __future__ import annotations

from dicomwire.standard.service_classes import SERVICE_CLASSES, ServiceClass
from dicomwire.standard.uids import ALSO_NAMED, INSTANCES, SOP_CLASSES

BY_UID = {row.uid: row for row in SOP_CLASSES}
KEYWORDS = {row.keyword: row.uid for row in SOP_CLASSES}
KEYWORDS.update({other: KEYWORDS[keyword] for other, keyword in ALSO_NAMED.items()})
INSTANCE_KEYWORDS = {row.keyword: row.uid for row in INSTANCES}

_BY_NAME = {cls.__name__: cls for cls in SERVICE_CLASSES}
_SERVICE_CLASS = {row.uid: _BY_NAME[row.service_class] for row in SOP_CLASSES}
_SERVICE_CLASS.update({cls.uid: cls for cls in SERVICE_CLASSES if cls.uid})


def service_class_of(uid: str) -> type[ServiceClass]:
    """Return the service class of a SOP class, a Meta SOP class or a Service Class UID.

    Parameters
    ----------
    uid : str
        The UID that a context or a message carries.

    Returns
    -------
    type of ServiceClass
        `ServiceClass` itself when neither the standard nor `register` names the UID.
    """
    return _SERVICE_CLASS.get(uid, ServiceClass)


def is_named(uid: str) -> bool:
    """Return whether the standard or `register` gives a UID a service class."""
    return uid in _SERVICE_CLASS


def uid_of(keyword: str) -> str | None:
    """Return the UID of a SOP class by the name that programs import it under.

    Parameters
    ----------
    keyword : str
        PS3.6's keyword, a spelling of `ALSO_NAMED`, or the keyword with ``SOPClass`` appended.

    Returns
    -------
    str or None
        None when no SOP class has the name.
    """
    return KEYWORDS.get(keyword) or KEYWORDS.get(keyword.removesuffix("SOPClass"))


def instance_uid_of(keyword: str) -> str | None:
    """Return the UID of a well-known SOP instance by its keyword.

    Parameters
    ----------
    keyword : str
        PS3.6's, e.g. ``PrinterInstance``, or as ``PrinterSOPInstance``.

    Returns
    -------
    str or None
        None when no well-known instance has the name.
    """
    return INSTANCE_KEYWORDS.get(keyword.replace("SOPInstance", "Instance"))


def file_prefix(uid: str) -> str:
    """Return what DCMTK's storescp begins a file name with, e.g. ``CT``; ``UN`` for most."""
    row = BY_UID.get(uid)
    return row.file_prefix if row and row.file_prefix else "UN"


def register(uid: str, keyword: str, service_class: type[ServiceClass]) -> None:
    """Name a SOP class that the standard does not have, for this process.

    Parameters
    ----------
    uid : str
        Its UID. One that is known gets another service class.
    keyword : str
        A name for it.
    service_class : type of ServiceClass
        What is done with it.

    Raises
    ------
    ValueError
        If the keyword is the name of another SOP class or of a well-known instance.
    """
    if (uid_of(keyword) or instance_uid_of(keyword) or uid) != uid:
        raise ValueError(f"{keyword} is {uid_of(keyword) or instance_uid_of(keyword)} already")
    KEYWORDS[keyword] = uid
    _SERVICE_CLASS[uid] = service_class
