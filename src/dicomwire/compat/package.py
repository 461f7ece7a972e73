"""What `import pynetdicom` gives once `install_as_pynetdicom` was called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pydicom.uid import UID

import dicomwire
from dicomwire.compat import ae, logs, presentation, uids
from dicomwire.standard.context_lists import CONTEXT_LISTS

AE = ae.AE
build_role = presentation.build_role
debug_logger = logs.debug_logger
ALL_TRANSFER_SYNTAXES = list(dicomwire.ALL_TRANSFER_SYNTAXES)
DEFAULT_TRANSFER_SYNTAXES = list(dicomwire.DEFAULT_TRANSFER_SYNTAXES)
PYNETDICOM_UID_PREFIX = "1.2.826.0.1.3680043.9.3811."  # for what a program makes of it
PYNETDICOM_IMPLEMENTATION_UID = UID(dicomwire.PYNETDICOM_IMPLEMENTATION_UID)
__version__ = dicomwire.__version__
__path__: list[str] = []  # a package; what is below it comes from `dicomwire.compat.DOORS`
uids.tell_pydicom()
__all__ = sorted({*dicomwire.__all__, *CONTEXT_LISTS, "AE", "debug_logger"})


def __getattr__(name: str) -> Any:
    try:
        return getattr(dicomwire, name)
    except AttributeError:
        pass
    try:
        return import_module(f"pynetdicom.{name}")
    except ModuleNotFoundError:
        raise AttributeError(f"module 'pynetdicom' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(dicomwire), *__all__, "AE", "debug_logger"})
