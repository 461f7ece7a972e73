"""Service classes into the pre-built lists of abstract syntaxes that programs propose."""

from __future__ import annotations

from collections.abc import Iterator

from dicomwire.standard.uids import SOP_CLASSES

# The name before "PresentationContexts", and the service class whose current SOP classes it has.
_OF_SERVICE_CLASS = {
    "AllStorage": "StorageServiceClass",
    "ApplicationEventLogging": "ApplicationEventLoggingServiceClass",
    "BasicWorklistManagement": "BasicWorklistManagementServiceClass",
    "ColorPalette": "ColorPaletteQueryRetrieveServiceClass",
    "DefinedProcedureProtocol": "DefinedProcedureProtocolQueryRetrieveServiceClass",
    "DisplaySystem": "DisplaySystemManagementServiceClass",
    "HangingProtocol": "HangingProtocolQueryRetrieveServiceClass",
    "ImplantTemplate": "ImplantTemplateQueryRetrieveServiceClass",
    "InstanceAvailability": "InstanceAvailabilityNotificationServiceClass",
    "MediaCreationManagement": "MediaCreationManagementServiceClass",
    "MediaStorage": "ServiceClass",
    "ModalityPerformed": "ProcedureStepServiceClass",
    "NonPatientObject": "NonPatientObjectStorageServiceClass",
    "PrintManagement": "PrintManagementServiceClass",
    "ProcedureStep": "ProcedureStepServiceClass",
    "ProtocolApproval": "ProtocolApprovalQueryRetrieveServiceClass",
    "QueryRetrieve": "QueryRetrieveServiceClass",
    "RTMachineVerification": "RTMachineVerificationServiceClass",
    "RelevantPatientInformation": "RelevantPatientInformationQueryServiceClass",
    "StorageCommitment": "StorageCommitmentServiceClass",
    "SubstanceAdministration": "SubstanceAdministrationQueryServiceClass",
    "UnifiedProcedure": "UnifiedProcedureStepServiceClass",
    "Verification": "VerificationServiceClass",
}


def _lists() -> Iterator[tuple[str, list[str]]]:
    """Each list's name and its abstract syntaxes."""
    current: dict[str, list[str]] = {}
    for row in SOP_CLASSES:
        if not row.retired:
            current.setdefault(row.service_class, []).append(row.uid)
    for name, service_class in _OF_SERVICE_CLASS.items():
        yield name, current[service_class]
    yield "Storage", [row.uid for row in SOP_CLASSES if row.default]


CONTEXT_LISTS: dict[str, tuple[str, ...]] = {
    f"{name}PresentationContexts": tuple(sorted(uids)) for name, uids in _lists()
}
"""Abstract syntaxes by the list's public name, e.g. ``StoragePresentationContexts``."""
