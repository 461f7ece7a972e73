"""Transfer syntaxes of the present standard into pydicom's dictionary, where it lacks them."""

from __future__ import annotations

from pydicom._uid_dict import UID_dictionary

from dicomwire.standard.transfer_syntaxes import ALL_TRANSFER_SYNTAXES
from dicomwire.standard.uids import name_of


def tell_pydicom() -> None:
    """Add what is missing; what pydicom has to say itself stays as it is."""
    for uid in ALL_TRANSFER_SYNTAXES:
        name = name_of(uid)
        keyword = "".join(part for part in name.title() if part.isalnum())
        UID_dictionary.setdefault(uid, (name, "Transfer Syntax", "", "", keyword))
