"""Public names into where they live; each is imported when it is first asked for."""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomwire._version import __dicom_version__, __version__
from dicomwire.network.views import take_views_from

if TYPE_CHECKING:
    from dicomwire import events as evt
    from dicomwire import tls
    from dicomwire.compat import install_as_pynetdicom
    from dicomwire.network.ae import ApplicationEntity as AE
    from dicomwire.network.association import Association
    from dicomwire.network.logs import debug_logger
    from dicomwire.network.options import Options
    from dicomwire.network.presentation import build_context, build_role
    from dicomwire.protocol.limits import Limits
    from dicomwire.sop_class import register_uid

    ALL_TRANSFER_SYNTAXES: list[str]
    DEFAULT_TRANSFER_SYNTAXES: list[str]

__all__ = [
    "AE",
    "ALL_TRANSFER_SYNTAXES",
    "DEFAULT_TRANSFER_SYNTAXES",
    "Association",
    "Limits",
    "Options",
    "__dicom_version__",
    "__version__",
    "build_context",
    "build_role",
    "debug_logger",
    "evt",
    "install_as_pynetdicom",
    "register_uid",
    "tls",
]

_PLACES = {
    "AE": ("dicomwire.network.ae", "ApplicationEntity"),
    "Association": ("dicomwire.network.association", "Association"),
    "Limits": ("dicomwire.protocol.limits", "Limits"),
    "Options": ("dicomwire.network.options", "Options"),
    "build_context": ("dicomwire.network.presentation", "build_context"),
    "build_role": ("dicomwire.network.presentation", "build_role"),
    "debug_logger": ("dicomwire.network.logs", "debug_logger"),
    "install_as_pynetdicom": ("dicomwire.compat", "install_as_pynetdicom"),
    "register_uid": ("dicomwire.sop_class", "register_uid"),
    "ALL_TRANSFER_SYNTAXES": ("dicomwire.standard.transfer_syntaxes", "ALL_TRANSFER_SYNTAXES"),
    "DEFAULT_TRANSFER_SYNTAXES": (
        "dicomwire.standard.transfer_syntaxes",
        "DEFAULT_TRANSFER_SYNTAXES",
    ),
    # pynetdicom's names for what a program says about its implementation
    "PYNETDICOM_UID_PREFIX": ("dicomwire.network.options", "UID_PREFIX"),
    "PYNETDICOM_IMPLEMENTATION_UID": ("dicomwire.network.options", "IMPLEMENTATION_UID"),
    "PYNETDICOM_IMPLEMENTATION_VERSION": (
        "dicomwire.network.options",
        "IMPLEMENTATION_VERSION",
    ),
}

_MODULES = {"evt": "dicomwire.events", "tls": "dicomwire.tls", "_config": "dicomwire._config"}

# What programs are given of PDUs and messages has pynetdicom's names; made when they look.
take_views_from(partial(import_module, "dicomwire.compat.views"))

# A library is silent until its user wants otherwise.
logging.getLogger("dicomwire").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(_MODULES[name])
    elif name in _PLACES:
        module, attribute = _PLACES[name]
        value = getattr(import_module(module), attribute)
        if isinstance(value, tuple):  # as programs know them that put further UIDs in
            value = list(value)
    elif name.endswith("PresentationContexts"):
        value = getattr(import_module("dicomwire.presentation"), name)
    else:
        raise AttributeError(f"module 'dicomwire' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES, *__all__})
