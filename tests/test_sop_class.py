"""The SOP class door: names that programs import, one object each, and registration."""

from __future__ import annotations

import pickle

import pytest
from pydicom.uid import UID

from dicomwire import sop_class
from dicomwire.sop_class import (
    CTImageStorage,
    ModalityPerformedProcedureStepSOPClass,
    PrinterInstance,
    PseudoColorSoftcopyPresentationStageStorage,
    SOPClass,
    Verification,
    VerificationSOPClass,
    register_uid,
    uid_to_service_class,
    uid_to_sop_class,
)
from dicomwire.standard import sop_classes
from dicomwire.standard.service_classes import (
    InventoryQueryRetrieveServiceClass,
    ProcedureStepServiceClass,
    QueryRetrieveServiceClass,
    ServiceClass,
    StorageServiceClass,
    VerificationServiceClass,
)


def test_a_sop_class_is_a_uid_with_a_service_class() -> None:
    assert isinstance(CTImageStorage, SOPClass)
    assert CTImageStorage == UID("1.2.840.10008.5.1.4.1.1.2")
    assert CTImageStorage.name == "CT Image Storage"
    assert CTImageStorage.service_class is StorageServiceClass
    assert Verification.service_class is VerificationServiceClass
    assert ModalityPerformedProcedureStepSOPClass.service_class is ProcedureStepServiceClass


def test_a_name_and_a_uid_give_the_same_object() -> None:
    assert Verification is VerificationSOPClass is sop_class.Verification
    assert uid_to_sop_class("1.2.840.10008.1.1") is Verification
    assert uid_to_sop_class(UID("1.2.840.10008.1.1")) is Verification
    assert (
        PseudoColorSoftcopyPresentationStageStorage
        is sop_class.PseudoColorSoftcopyPresentationStateStorage
    )


def test_a_sop_class_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(CTImageStorage))
    assert copy == CTImageStorage
    assert copy.service_class is StorageServiceClass


def test_every_name_that_dir_gives_is_there() -> None:
    names = [name for name in dir(sop_class) if name in sop_classes.KEYWORDS]
    assert len(names) >= 252
    assert all(isinstance(getattr(sop_class, name), SOPClass) for name in names)
    assert {uid_to_sop_class(uid) for uid in sop_classes.KEYWORDS.values()} == {
        getattr(sop_class, name) for name in names
    }


def test_well_known_instances_are_plain_uids() -> None:
    for name, uid in sop_classes.INSTANCE_KEYWORDS.items():
        assert type(getattr(sop_class, name)) is UID
        assert getattr(sop_class, name) == uid
    assert sop_class.PrinterSOPInstance == PrinterInstance == "1.2.840.10008.5.1.1.17"


def test_a_name_of_nothing_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="NoImageStorage"):
        _ = sop_class.NoImageStorage


def test_unknown_uids_are_not_remembered() -> None:
    before = sop_class._named.cache_info().currsize
    unknown = uid_to_sop_class("1.2.3.4")
    assert unknown.service_class is ServiceClass is uid_to_service_class("1.2.3.4")
    assert sop_class._named.cache_info().currsize == before


@pytest.fixture
def own_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of what registration writes to."""
    monkeypatch.setattr(sop_classes, "KEYWORDS", dict(sop_classes.KEYWORDS))
    monkeypatch.setattr(sop_classes, "_SERVICE_CLASS", dict(sop_classes._SERVICE_CLASS))


@pytest.mark.usefixtures("own_tables")
def test_a_registered_uid_can_be_imported() -> None:
    register_uid("1.2.3.5", "OwnFind", QueryRetrieveServiceClass, "C-FIND")
    from dicomwire.sop_class import OwnFind

    assert OwnFind == "1.2.3.5"
    assert OwnFind.service_class is QueryRetrieveServiceClass
    assert uid_to_sop_class("1.2.3.5") is OwnFind
    assert uid_to_service_class("1.2.3.5") is QueryRetrieveServiceClass
    assert "OwnFind" in dir(sop_class)


@pytest.mark.usefixtures("own_tables")
def test_other_service_classes_need_no_message_type() -> None:
    register_uid("1.2.3.6", "OwnInventory", InventoryQueryRetrieveServiceClass)
    assert uid_to_service_class("1.2.3.6") is InventoryQueryRetrieveServiceClass


@pytest.mark.usefixtures("own_tables")
@pytest.mark.parametrize(
    ("uid", "keyword", "service_class", "message", "error"),
    [
        ("1.2.3.7", "no name", StorageServiceClass, "", ValueError),
        ("1.2.3.7", "class", StorageServiceClass, "", ValueError),
        ("1.2.3.7", "CTImageStorage", StorageServiceClass, "", ValueError),
        ("1.2.3.7", "PrinterInstance", StorageServiceClass, "", ValueError),
        ("1.2.3.7", "register_uid", StorageServiceClass, "", ValueError),
        ("1.2..7", "Own", StorageServiceClass, "", ValueError),
        ("1.2.3.7", "Own", QueryRetrieveServiceClass, "", ValueError),
        ("1.2.3.7", "Own", QueryRetrieveServiceClass, "C-STORE", ValueError),
        ("1.2.3.7", "Own", "StorageServiceClass", "", TypeError),
        ("1.2.3.7", "Own", int, "", TypeError),
    ],
)
def test_a_wrong_registration_registers_nothing(
    uid: str, keyword: str, service_class: type, message: str, error: type[Exception]
) -> None:
    before = dict(sop_classes.KEYWORDS)
    with pytest.raises(error):
        register_uid(uid, keyword, service_class, message)
    assert uid_to_service_class(uid) is ServiceClass
    assert before == sop_classes.KEYWORDS
