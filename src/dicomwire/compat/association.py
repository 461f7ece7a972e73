"""pynetdicom's `association` module, as programs import it."""

from __future__ import annotations

from dicomwire.network.association import Association
from dicomwire.network.user import ServiceUser

__all__ = ["Association", "ServiceUser"]
