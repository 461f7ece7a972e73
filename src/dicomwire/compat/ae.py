"""An AE with pynetdicom's defaults, which takes its options from `_config`."""

from __future__ import annotations

from functools import lru_cache

# imported for what it does: it says where the options of an AE come from
from dicomwire.compat import _config as _config
from dicomwire.network.ae import ApplicationEntity as _ApplicationEntity
from dicomwire.network.options import Options
from dicomwire.network.presentation import PresentationContext, build_context

MAXIMUM_ASSOCIATIONS = 10


class ApplicationEntity(_ApplicationEntity):
    """An application entity as programs written for pynetdicom expect it.

    Parameters
    ----------
    ae_title : str
        1 to 16 characters.
    options : Options, optional
        Settings; None takes what `_config` says whenever an association or a server begins.
    """

    def __init__(self, ae_title: str = "PYNETDICOM", options: Options | None = None) -> None:
        super().__init__(ae_title, options)
        self.maximum_associations = MAXIMUM_ASSOCIATIONS

    def _unset_options(self) -> Options:
        return _not_counting_bind(super()._unset_options())


@lru_cache(8)
def _not_counting_bind(options: Options) -> Options:
    return options.replace(counts_bind=False)


AE = ApplicationEntity

__all__ = ["AE", "ApplicationEntity", "PresentationContext", "build_context"]
