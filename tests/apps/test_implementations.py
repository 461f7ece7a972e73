"""Implementation UIDs and version names into software."""

from __future__ import annotations

import pytest

from dicomwire.apps.implementations import software
from dicomwire.network.options import IMPLEMENTATION_UID

pytestmark = pytest.mark.no_socket


@pytest.mark.parametrize(
    ("uid", "version", "name"),
    [
        ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", "DCMTK"),
        ("1.2.826.0.1.3680043.9.3811.3.0.4", "PYNETDICOM_304", "pynetdicom"),
        ("1.2.40.0.13.1.3", "dcm4che-5.31.0", "dcm4che"),
        ("1.3.6.1.4.1.30071.8", "fo-dicom 5.1.2", "fo-dicom"),
        (IMPLEMENTATION_UID, None, "dicomwire"),
        ("1.2.3", "OFFIS_DCMTK_366", "DCMTK"),
        (None, "dcm4che-1.4", "dcm4che"),
    ],
)
def test_known_software(uid: str | None, version: str | None, name: str) -> None:
    assert (software(uid, version) or "").startswith(name)


@pytest.mark.parametrize(("uid", "version"), [(None, None), ("1.2.3", "GREAT_PACS_1"), ("", "")])
def test_unknown_software(uid: str | None, version: str | None) -> None:
    assert software(uid, version) is None
