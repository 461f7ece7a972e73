"""Service classes: which DIMSE services each has, and which statuses."""

from __future__ import annotations

import pytest

from dicomwire.standard import service_classes, statuses
from dicomwire.standard.dimse import BY_NAME
from dicomwire.standard.service_classes import SERVICE_CLASSES, ServiceClass

C_QUERY_RETRIEVE = "C-FIND C-GET C-MOVE"
ALL_N = "N-ACTION N-CREATE N-DELETE N-EVENT-REPORT N-GET N-SET"
OPERATIONS = {
    "": "",
    "Verification": "C-ECHO",
    "Storage": "C-STORE",
    "NonPatientObjectStorage": "C-STORE",
    "QueryRetrieve": C_QUERY_RETRIEVE,
    "ColorPaletteQueryRetrieve": C_QUERY_RETRIEVE,
    "DefinedProcedureProtocolQueryRetrieve": C_QUERY_RETRIEVE,
    "HangingProtocolQueryRetrieve": C_QUERY_RETRIEVE,
    "ImplantTemplateQueryRetrieve": C_QUERY_RETRIEVE,
    "InventoryQueryRetrieve": C_QUERY_RETRIEVE,
    "ProtocolApprovalQueryRetrieve": C_QUERY_RETRIEVE,
    "BasicWorklistManagement": "C-FIND",
    "RelevantPatientInformationQuery": "C-FIND",
    "SubstanceAdministrationQuery": "C-FIND",
    "ApplicationEventLogging": "N-ACTION",
    "DisplaySystemManagement": "N-GET",
    "InstanceAvailabilityNotification": "N-CREATE",
    "MediaCreationManagement": "N-ACTION N-CREATE N-GET",
    "PrintManagement": ALL_N,
    "RTMachineVerification": ALL_N,
    "ProcedureStep": "N-CREATE N-EVENT-REPORT N-GET N-SET",
    "StorageCommitment": "N-ACTION N-EVENT-REPORT",
    "StorageManagement": "N-ACTION N-EVENT-REPORT",
    "UnifiedProcedureStep": "C-FIND N-ACTION N-CREATE N-EVENT-REPORT N-GET N-SET",
}


def test_each_service_class_has_its_services() -> None:
    found = {cls.__name__: " ".join(sorted(cls.operations)) for cls in SERVICE_CLASSES}
    assert found == {f"{name}ServiceClass": served for name, served in OPERATIONS.items()}
    assert {name for cls in SERVICE_CLASSES for name in cls.operations} == set(BY_NAME)


@pytest.mark.parametrize(
    ("service_class", "operation", "table"),
    [
        ("StorageServiceClass", "C-STORE", "STORAGE_SERVICE_CLASS_STATUS"),
        ("QueryRetrieveServiceClass", "C-FIND", "QR_FIND_SERVICE_CLASS_STATUS"),
        ("QueryRetrieveServiceClass", "C-GET", "QR_GET_SERVICE_CLASS_STATUS"),
        ("ColorPaletteQueryRetrieveServiceClass", "C-MOVE", "QR_MOVE_SERVICE_CLASS_STATUS"),
        (
            "BasicWorklistManagementServiceClass",
            "C-FIND",
            "MODALITY_WORKLIST_SERVICE_CLASS_STATUS",
        ),
        (
            "SubstanceAdministrationQueryServiceClass",
            "C-FIND",
            "SUBSTANCE_ADMINISTRATION_SERVICE_CLASS_STATUS",
        ),
        (
            "UnifiedProcedureStepServiceClass",
            "C-FIND",
            "UNIFIED_PROCEDURE_STEP_SERVICE_CLASS_STATUS",
        ),
        ("NonPatientObjectStorageServiceClass", "C-STORE", "NON_PATIENT_SERVICE_CLASS_STATUS"),
        ("ServiceClass", "C-STORE", "GENERAL_STATUS"),
    ],
)
def test_statuses_of_an_operation(service_class: str, operation: str, table: str) -> None:
    cls: type[ServiceClass] = getattr(service_classes, service_class)
    assert cls.statuses_of(operation) is getattr(statuses, table)


def test_each_status_table_has_a_service_class() -> None:
    used = {
        id(cls.statuses_of(operation)) for cls in SERVICE_CLASSES for operation in cls.operations
    }
    names = [name for name in dir(statuses) if name.endswith("_STATUS")]
    assert [name for name in names if id(getattr(statuses, name)) not in used] == []
