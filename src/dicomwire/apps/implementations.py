"""The implementation that a peer names (PS3.7 D.3.3.2) into the software that people know."""

from __future__ import annotations

from dicomwire.network.options import IMPLEMENTATION_UID

# How an Implementation Class UID or an Implementation Version Name begins, and whose it is. A
# product that is built on a toolkit often goes by the toolkit's.
BY_UID = (
    (IMPLEMENTATION_UID, "dicomwire"),
    ("1.2.276.0.7230010.3.0.3.", "DCMTK, or a product built on it, as Orthanc is"),
    ("1.2.826.0.1.3680043.9.3811.", "pynetdicom"),
    ("1.2.40.0.13.1.", "dcm4che (dcm4chee, Weasis)"),
    ("1.3.6.1.4.1.30071.", "fo-dicom"),
    ("1.2.826.0.1.3680043.2.1143.", "GDCM"),
    ("1.2.826.0.1.3680043.2.135.1066.", "Conquest"),
    ("1.3.6.1.4.1.25403.", "ClearCanvas"),
    ("2.16.840.1.113669.2.931128", "Merge"),
    ("1.2.840.114257.", "LEADTOOLS"),
)
BY_VERSION = (
    ("ORTHANC", "Orthanc"),
    ("OFFIS_DCMTK", "DCMTK, or a product built on it, as Orthanc is"),
    ("PYNETDICOM", "pynetdicom"),
    ("DICOMWIRE", "dicomwire"),
    ("DCM4CHE", "dcm4che (dcm4chee, Weasis)"),
    ("FO-DICOM", "fo-dicom"),
    ("GDCM", "GDCM"),
)


def software(uid: str | None, version: str | None) -> str | None:
    """Return what goes by an implementation, None when nobody that is known here does.

    Parameters
    ----------
    uid : str or None
        The Implementation Class UID, which says more than the name.
    version : str or None
        The Implementation Version Name.
    """
    for said, rows in (((uid or ""), BY_UID), ((version or "").upper(), BY_VERSION)):
        for beginning, name in rows:
            if said.startswith(beginning):
                return name
    return None
