"""The service classes of PS3.4: which DIMSE services each has, and what its statuses mean."""

from __future__ import annotations

from typing import ClassVar

from dicomwire.standard import statuses
from dicomwire.standard.statuses import StatusTable

_ALL_N = ("N-CREATE", "N-EVENT-REPORT", "N-GET", "N-SET", "N-ACTION", "N-DELETE")


class ServiceClass:
    """What SOP classes of one kind have in common; by itself, that of an unknown SOP class.

    Attributes
    ----------
    uid : str
        The Service Class UID of common extended negotiation (PS3.7 D.3.3.6), where there is one.
    operations : tuple of str
        The DIMSE services that an SCP of the service class performs.
    statuses : StatusTable
        What the statuses of their responses mean.
    """

    uid: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]] = ()
    statuses: ClassVar[StatusTable] = statuses.GENERAL_STATUS

    @classmethod
    def statuses_of(cls, operation: str) -> StatusTable:
        """Return what the statuses of one DIMSE service, e.g. ``C-MOVE``, mean."""
        return cls.statuses


class VerificationServiceClass(ServiceClass):  # Annex A
    """Whether a peer answers."""

    operations = ("C-ECHO",)
    statuses = statuses.VERIFICATION_SERVICE_CLASS_STATUS


class StorageServiceClass(ServiceClass):  # Annex B
    """Composite instances of a patient."""

    uid = "1.2.840.10008.4.2"
    operations = ("C-STORE",)
    statuses = statuses.STORAGE_SERVICE_CLASS_STATUS


class QueryRetrieveServiceClass(ServiceClass):  # Annex C
    """Searching for composite instances, and fetching them."""

    operations: ClassVar[tuple[str, ...]] = ("C-FIND", "C-GET", "C-MOVE")

    @classmethod
    def statuses_of(cls, operation: str) -> StatusTable:
        """Return what the statuses of one DIMSE service, e.g. ``C-MOVE``, mean."""
        return _QUERY_RETRIEVE.get(operation, cls.statuses)


_QUERY_RETRIEVE = {
    "C-FIND": statuses.QR_FIND_SERVICE_CLASS_STATUS,
    "C-GET": statuses.QR_GET_SERVICE_CLASS_STATUS,
    "C-MOVE": statuses.QR_MOVE_SERVICE_CLASS_STATUS,
}


class _QueryServiceClass(QueryRetrieveServiceClass):
    """Searching without fetching: statuses of its own."""

    operations = ("C-FIND",)

    @classmethod
    def statuses_of(cls, operation: str) -> StatusTable:
        """Return what the statuses of its one DIMSE service mean."""
        return cls.statuses


class ProcedureStepServiceClass(ServiceClass):  # Annex F
    """Modality performed procedure steps, their retrieval and notification."""

    operations = ("N-CREATE", "N-EVENT-REPORT", "N-GET", "N-SET")
    statuses = statuses.PROCEDURE_STEP_STATUS


class PrintManagementServiceClass(ServiceClass):  # Annex H
    """Film sessions, film boxes, image boxes, print jobs and printers."""

    operations = _ALL_N
    statuses = statuses.PRINT_JOB_MANAGEMENT_SERVICE_CLASS_STATUS


class StorageCommitmentServiceClass(ServiceClass):  # Annex J
    """The promise to keep instances."""

    operations = ("N-ACTION", "N-EVENT-REPORT")
    statuses = statuses.STORAGE_COMMITMENT_SERVICE_CLASS_STATUS


class BasicWorklistManagementServiceClass(_QueryServiceClass):  # Annex K
    """The modality worklist."""

    statuses = statuses.MODALITY_WORKLIST_SERVICE_CLASS_STATUS


class ApplicationEventLoggingServiceClass(ServiceClass):  # Annex P
    """Logging of events of procedures and of administered substances."""

    operations = ("N-ACTION",)
    statuses = statuses.APPLICATION_EVENT_LOGGING_SERVICE_CLASS_STATUS


class RelevantPatientInformationQueryServiceClass(ServiceClass):  # Annex Q
    """What is known of a patient, as one structured answer."""

    operations = ("C-FIND",)
    statuses = statuses.RELEVANT_PATIENT_SERVICE_CLASS_STATUS


class InstanceAvailabilityNotificationServiceClass(ServiceClass):  # Annex R
    """Word that instances can now be fetched."""

    operations = ("N-CREATE",)


class MediaCreationManagementServiceClass(ServiceClass):  # Annex S
    """Orders to write media."""

    operations = ("N-CREATE", "N-GET", "N-ACTION")
    statuses = statuses.MEDIA_CREATION_MANAGEMENT_SERVICE_CLASS_STATUS


class HangingProtocolQueryRetrieveServiceClass(QueryRetrieveServiceClass):  # Annex U
    """Hanging protocols."""


class SubstanceAdministrationQueryServiceClass(_QueryServiceClass):  # Annex V
    """Approval and characteristics of substances and products."""

    statuses = statuses.SUBSTANCE_ADMINISTRATION_SERVICE_CLASS_STATUS


class ColorPaletteQueryRetrieveServiceClass(QueryRetrieveServiceClass):  # Annex X
    """Color palettes."""


class ImplantTemplateQueryRetrieveServiceClass(QueryRetrieveServiceClass):  # Annex BB
    """Implant templates, their assemblies and groups."""


class UnifiedProcedureStepServiceClass(ServiceClass):  # Annex CC
    """Worklists of procedure steps and their progress."""

    uid = "1.2.840.10008.5.1.4.34.6"
    operations = ("N-CREATE", "N-EVENT-REPORT", "N-GET", "N-SET", "N-ACTION", "C-FIND")
    statuses = statuses.UNIFIED_PROCEDURE_STEP_SERVICE_CLASS_STATUS


class RTMachineVerificationServiceClass(ServiceClass):  # Annex DD
    """Verification of a treatment machine's settings."""

    operations = _ALL_N
    statuses = statuses.RT_MACHINE_VERIFICATION_SERVICE_CLASS_STATUS


class DisplaySystemManagementServiceClass(ServiceClass):  # Annex EE
    """The state and configuration of displays."""

    operations = ("N-GET",)


class NonPatientObjectStorageServiceClass(StorageServiceClass):  # Annex GG
    """Composite instances that are about no patient: protocols, templates, palettes."""

    uid = ""
    statuses = statuses.NON_PATIENT_SERVICE_CLASS_STATUS


class DefinedProcedureProtocolQueryRetrieveServiceClass(QueryRetrieveServiceClass):  # Annex HH
    """Defined procedure protocols."""


class ProtocolApprovalQueryRetrieveServiceClass(QueryRetrieveServiceClass):  # Annex II
    """Approvals of protocols."""


class InventoryQueryRetrieveServiceClass(QueryRetrieveServiceClass):  # Annex JJ
    """Inventories of a repository."""


class StorageManagementServiceClass(ServiceClass):  # Annex KK
    """Creation of inventories."""

    operations = ("N-ACTION", "N-EVENT-REPORT")
    statuses = statuses.STORAGE_MANAGEMENT_SERVICE_CLASS_STATUS


SERVICE_CLASSES: tuple[type[ServiceClass], ...] = (
    ServiceClass,
    ApplicationEventLoggingServiceClass,
    BasicWorklistManagementServiceClass,
    ColorPaletteQueryRetrieveServiceClass,
    DefinedProcedureProtocolQueryRetrieveServiceClass,
    DisplaySystemManagementServiceClass,
    HangingProtocolQueryRetrieveServiceClass,
    ImplantTemplateQueryRetrieveServiceClass,
    InstanceAvailabilityNotificationServiceClass,
    InventoryQueryRetrieveServiceClass,
    MediaCreationManagementServiceClass,
    NonPatientObjectStorageServiceClass,
    PrintManagementServiceClass,
    ProcedureStepServiceClass,
    ProtocolApprovalQueryRetrieveServiceClass,
    QueryRetrieveServiceClass,
    RelevantPatientInformationQueryServiceClass,
    RTMachineVerificationServiceClass,
    StorageCommitmentServiceClass,
    StorageManagementServiceClass,
    StorageServiceClass,
    SubstanceAdministrationQueryServiceClass,
    UnifiedProcedureStepServiceClass,
    VerificationServiceClass,
)
