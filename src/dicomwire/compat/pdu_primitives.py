"""User information items and ACSE primitives under pynetdicom's names, checked when assigned."""

from __future__ import annotations

from dicomwire.compat.checks import (
    Checked,
    boolean,
    number,
    octets,
    role,
    uid,
    uids,
    version_name,
)
from dicomwire.protocol import items
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.pdus import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    ReleaseRP,
    ReleaseRQ,
)

# What EVT_ACSE_RECV and EVT_ACSE_SENT bring: the PDU itself. For isinstance, not to be made.
A_ASSOCIATE = AssociateRQ | AssociateAC | AssociateRJ
A_RELEASE = ReleaseRQ | ReleaseRP
A_ABORT = Abort
A_P_ABORT = Abort  # the one whose source is 2 (PS3.8 9.3.8)
P_DATA = PDataTF


class MaximumLengthNotification(
    Checked, items.MaximumLength, maximum_length_received=number(0, 0xFFFFFFFF)
):
    """The longest P-DATA-TF that its sender can receive; 0 is unlimited (PS3.8 D.1)."""


class ImplementationClassUIDNotification(
    Checked, items.ImplementationClassUID, implementation_class_uid=uid
):
    """Implementation Class UID (PS3.7 D.3.3.2.1)."""


class ImplementationVersionNameNotification(
    Checked, items.ImplementationVersionName, implementation_version_name=version_name
):
    """Implementation Version Name (PS3.7 D.3.3.2.3)."""


class AsynchronousOperationsWindowNegotiation(
    Checked,
    items.AsynchronousOperationsWindow,
    maximum_number_operations_invoked=number(0, 0xFFFF),
    maximum_number_operations_performed=number(0, 0xFFFF),
):
    """How many operations may be outstanding; 0 is unlimited (PS3.7 D.3.3.3)."""


class SCP_SCU_RoleSelectionNegotiation(
    Checked, items.RoleSelection, sop_class_uid=uid, scu_role=role, scp_role=role
):
    """Which roles the requestor proposes for a SOP class (PS3.7 D.3.3.4)."""

    def encode(self) -> bytes:
        """Return the item's body; a SOP class without any role raises LocalError."""
        if not (self.scu_role or self.scp_role):
            raise LocalError(f"The role selection for '{self.sop_class_uid}' proposes no role")
        return super().encode()


class SOPClassExtendedNegotiation(
    Checked,
    items.SOPClassExtendedNegotiation,
    sop_class_uid=uid,
    service_class_application_information=octets,
):
    """What a service class has to say about a SOP class (PS3.7 D.3.3.5)."""


class SOPClassCommonExtendedNegotiation(
    Checked,
    items.SOPClassCommonExtendedNegotiation,
    sop_class_uid=uid,
    service_class_uid=uid,
    related_general_sop_class_identification=uids,
):
    """Which service class and which general SOP classes a SOP class has (PS3.7 D.3.3.6)."""


class UserIdentityNegotiation(
    Checked,
    items.UserIdentity,
    user_identity_type=number(1, 5, optional=True),
    positive_response_requested=boolean,
    primary_field=octets,
    secondary_field=octets,
    server_response=octets,
):
    """Who the user is (PS3.7 D.3.3.7); see `dicomwire.protocol.items.UserIdentity`."""

    server_response = b""

    def encode(self) -> bytes:
        """Return the item's body; type 2 without a passcode raises LocalError."""
        if self.user_identity_type == 2 and not self.secondary_field:
            raise LocalError("User identity type 2 needs a secondary field, the passcode")
        return super().encode()


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
    "UserIdentityNegotiation",
]
