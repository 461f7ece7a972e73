"""pynetdicom's `presentation` module, as programs import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwire import presentation
from dicomwire.compat.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from dicomwire.network.presentation import (
    PresentationContext,
    PresentationContextTuple,
    build_context,
    negotiate_as_acceptor,
    negotiate_as_requestor,
    negotiate_unrestricted,
)
from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.transfer_syntaxes import DEFAULT_TRANSFER_SYNTAXES as _DEFAULT

if TYPE_CHECKING:
    from pydicom.uid import UID

DEFAULT_TRANSFER_SYNTAXES = list(_DEFAULT)

__all__ = [
    "DEFAULT_TRANSFER_SYNTAXES",
    "PresentationContext",
    "PresentationContextTuple",
    "build_context",
    "build_role",
    "negotiate_as_acceptor",
    "negotiate_as_requestor",
    "negotiate_unrestricted",
    *CONTEXT_LISTS,
]


def build_role(
    uid: str | UID, scu_role: bool = False, scp_role: bool = False
) -> SCP_SCU_RoleSelectionNegotiation:
    """Return a role selection item for `AE.associate(ext_neg=...)` (PS3.7 D.3.3.4).

    Parameters
    ----------
    uid : str
        The SOP class.
    scu_role, scp_role : bool
        Whether the requestor proposes to be SCU, SCP, or both.
    """
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = uid, scu_role, scp_role
    return role


def __getattr__(name: str) -> list[PresentationContext]:
    if name not in CONTEXT_LISTS:
        raise AttributeError(f"module 'pynetdicom.presentation' has no attribute '{name}'")
    contexts: list[PresentationContext] = getattr(presentation, name)
    return contexts


def __dir__() -> list[str]:
    return sorted({*globals(), *CONTEXT_LISTS})
