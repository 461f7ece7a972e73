"""SOP classes by UID and by name: service class, file prefix, older spellings, registration."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.standard import sop_classes
from dicomwire.standard.service_classes import (
    SERVICE_CLASSES,
    QueryRetrieveServiceClass,
    ServiceClass,
    StorageServiceClass,
    UnifiedProcedureStepServiceClass,
)
from dicomwire.standard.uids import SOP_CLASSES

STORAGE = "1.2.840.10008.5.1.4.1.1."
PREFIXES = """CR=1 CT=2 CTE=2.1 MR=4 MRE=4.1 US=6.1 USE=6.2 SC=7 XA=12.1 XAE=12.1.1 NM=20 PT=128
    PTE=130 RI=481.1 RD=481.2 RS=481.3 RP=481.5"""


def names_by_service_class() -> dict[str, dict[str, str]]:
    """What `importable_names.txt` says: service class, name, UID."""
    found: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    path = Path(__file__).with_name("importable_names.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            name, uid = line.split()
            names[name] = uid
        elif line and not line.startswith("#"):
            names = found.setdefault(line, {})
    return found


@pytest.mark.box("A", "12.1")
def test_the_names_and_service_classes_that_programs_know() -> None:
    expected = names_by_service_class()
    instances = expected.pop("well-known instances")
    assert sum(map(len, expected.values())) == 252
    assert {cls.__name__ for cls in SERVICE_CLASSES} == set(expected)
    for service_class, names in expected.items():
        assert {name: sop_classes.uid_of(name) for name in names} == names
        assert {sop_classes.service_class_of(uid).__name__ for uid in names.values()} == {
            service_class
        }
    assert instances == sop_classes.INSTANCE_KEYWORDS


def test_retired_storage_is_still_storage() -> None:
    retired = [row.uid for row in SOP_CLASSES if row.retired]
    assert len(retired) == 14
    assert {sop_classes.service_class_of(uid) for uid in retired} == {StorageServiceClass}


def test_a_service_class_uid_leads_to_its_service_class() -> None:
    assert sop_classes.service_class_of("1.2.840.10008.4.2") is StorageServiceClass
    upsc = sop_classes.service_class_of("1.2.840.10008.5.1.4.34.6")
    assert upsc is UnifiedProcedureStepServiceClass
    assert sop_classes.service_class_of("1.2.3") is ServiceClass
    assert not sop_classes.is_named("1.2.3")
    assert not sop_classes.is_named("")


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("VerificationSOPClass", "1.2.840.10008.1.1"),
        ("ModalityPerformedProcedureStepSOPClass", "1.2.840.10008.3.1.2.3.3"),
        ("KeyObjectSelectionStorage", STORAGE + "88.59"),
        ("DigitalXRayImagePresentationStorage", STORAGE + "1.1"),
        ("ModalityWorklistInformationModelFind", "1.2.840.10008.5.1.4.31"),
        ("ModalityWorklistInformationFind", "1.2.840.10008.5.1.4.31"),
        ("SOPClass", None),
        ("CtImageStorage", None),
    ],
)
def test_spellings(name: str, uid: str | None) -> None:
    assert sop_classes.uid_of(name) == uid


def test_instances_have_two_spellings() -> None:
    assert sop_classes.instance_uid_of("PrinterSOPInstance") == "1.2.840.10008.5.1.1.17"
    assert sop_classes.instance_uid_of("PrinterInstance") == "1.2.840.10008.5.1.1.17"
    assert sop_classes.instance_uid_of("Printer") is None


def test_seventeen_kinds_of_files_have_a_prefix_of_their_own() -> None:
    prefixes = {STORAGE + uid: text for text, uid in (w.split("=") for w in PREFIXES.split())}
    assert len(prefixes) == 17
    assert {row.uid: row.file_prefix for row in SOP_CLASSES if row.file_prefix} == prefixes
    assert sop_classes.file_prefix(STORAGE + "2") == "CT"
    assert sop_classes.file_prefix(STORAGE + "104.1") == "UN"
    assert sop_classes.file_prefix("1.2.3") == "UN"


@pytest.fixture
def own_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of what `register` writes to."""
    monkeypatch.setattr(sop_classes, "KEYWORDS", dict(sop_classes.KEYWORDS))
    monkeypatch.setattr(sop_classes, "_SERVICE_CLASS", dict(sop_classes._SERVICE_CLASS))


@pytest.mark.usefixtures("own_tables")
def test_a_registered_uid_is_known_by_uid_and_keyword() -> None:
    sop_classes.register("1.2.3", "OwnFind", QueryRetrieveServiceClass)
    assert sop_classes.uid_of("OwnFind") == "1.2.3"
    assert sop_classes.service_class_of("1.2.3") is QueryRetrieveServiceClass
    assert sop_classes.is_named("1.2.3")
    sop_classes.register("1.2.3", "OwnFind", StorageServiceClass)
    assert sop_classes.service_class_of("1.2.3") is StorageServiceClass


@pytest.mark.usefixtures("own_tables")
@pytest.mark.parametrize("keyword", ["CTImageStorage", "PrinterInstance", "VerificationSOPClass"])
def test_a_name_in_use_is_not_taken_away(keyword: str) -> None:
    with pytest.raises(ValueError, match=f"{keyword} is 1.2.840"):
        sop_classes.register("1.2.3", keyword, StorageServiceClass)
    assert sop_classes.service_class_of("1.2.3") is ServiceClass
