"""pynetdicom's `dimse_messages` module: the one class that EVT_DIMSE_RECV and _SENT bring."""

from __future__ import annotations

from dicomwire.network.tap import DimseMessage as DIMSEMessage

__all__ = ["DIMSEMessage"]
