"""pynetdicom's names of the items inside A-ASSOCIATE and P-DATA PDUs."""

from __future__ import annotations

from dicomwire.protocol.items import (
    AsynchronousOperationsWindow as AsynchronousOperationsWindowSubItem,
)
from dicomwire.protocol.items import ImplementationClassUID as ImplementationClassUIDSubItem
from dicomwire.protocol.items import ImplementationVersionName as ImplementationVersionNameSubItem
from dicomwire.protocol.items import MaximumLength as MaximumLengthSubItem
from dicomwire.protocol.items import RoleSelection as SCP_SCU_RoleSelectionSubItem
from dicomwire.protocol.items import (
    SOPClassCommonExtendedNegotiation as SOPClassCommonExtendedNegotiationSubItem,
)
from dicomwire.protocol.items import (
    SOPClassExtendedNegotiation as SOPClassExtendedNegotiationSubItem,
)
from dicomwire.protocol.items import UserIdentity as UserIdentitySubItemRQ
from dicomwire.protocol.items import UserIdentityResponse as UserIdentitySubItemAC
from dicomwire.protocol.pdus import ContextResult as PresentationContextItemAC
from dicomwire.protocol.pdus import PresentationDataValue as PresentationDataValueItem
from dicomwire.protocol.pdus import ProposedContext as PresentationContextItemRQ

__all__ = [
    "AsynchronousOperationsWindowSubItem",
    "ImplementationClassUIDSubItem",
    "ImplementationVersionNameSubItem",
    "MaximumLengthSubItem",
    "PresentationContextItemAC",
    "PresentationContextItemRQ",
    "PresentationDataValueItem",
    "SCP_SCU_RoleSelectionSubItem",
    "SOPClassCommonExtendedNegotiationSubItem",
    "SOPClassExtendedNegotiationSubItem",
    "UserIdentitySubItemAC",
    "UserIdentitySubItemRQ",
]
