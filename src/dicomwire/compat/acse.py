"""pynetdicom's `acse` module, as programs import it."""

from __future__ import annotations

from dicomwire.network.acse import Acse as ACSE

__all__ = ["ACSE"]
