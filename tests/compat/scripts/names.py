"""SOP classes, statuses and constants by name.

boxes: 12.1 12.2 12.3 12.4 12.5 12.6 12.7 12.8
"""

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import _globals, register_uid, sop_class, status
from pynetdicom.service_class import (
    QueryRetrieveServiceClass,
    ServiceClass,
    StorageServiceClass,
    VerificationServiceClass,
)
from pynetdicom.service_class_n import PrintManagementServiceClass
from pynetdicom.sop_class import *  # noqa: F403
from pynetdicom.sop_class import (
    CTImageStorage,
    ModalityWorklistInformationFind,
    OphthlamicOpticalCoherenceTomographyBscanVolumeAnalysisStorage,
    PseudoColorSoftcopyPresentationStageStorage,
    SOPClass,
    UltrasoundMultiFrameImageStorage,
    VariableModalityLUTSoftcopyPresentationStageStorage,
    Verification,
    uid_to_service_class,
    uid_to_sop_class,
)
from pynetdicom.status import Status, code_to_category, code_to_status


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


assert isinstance(CTImageStorage, SOPClass)
assert isinstance(CTImageStorage, UID)
assert CTImageStorage == "1.2.840.10008.5.1.4.1.1.2"
assert CTImageStorage.service_class is StorageServiceClass
assert Verification.service_class is VerificationServiceClass
assert BasicFilmSession.service_class is PrintManagementServiceClass  # noqa: F405
assert uid_to_sop_class("1.2.840.10008.1.1") is Verification
assert uid_to_sop_class("1.2.3").service_class is ServiceClass
assert uid_to_service_class("1.2.840.10008.1.1") is VerificationServiceClass
assert uid_to_service_class("1.2.3") is ServiceClass
classes = [name for name in dir(sop_class) if isinstance(getattr(sop_class, name), SOPClass)]
assert len(classes) >= 252, len(classes)
for name in classes:
    assert uid_to_sop_class(str(getattr(sop_class, name))) is getattr(sop_class, name), name
instances = {
    "DisplaySystemInstance": "1.2.840.10008.5.1.1.40.1",
    "PrinterConfigurationRetrievalInstance": "1.2.840.10008.5.1.1.17.376",
    "PrinterInstance": "1.2.840.10008.5.1.1.17",
    "ProceduralEventLoggingInstance": "1.2.840.10008.1.40.1",
    "StorageCommitmentPushModelInstance": "1.2.840.10008.1.20.1.1",
    "StorageManagementInstance": "1.2.840.10008.5.1.4.1.1.201.1.1",
    "SubstanceAdministrationLoggingInstance": "1.2.840.10008.1.42.1",
    "UPSFilteredGlobalSubscriptionInstance": "1.2.840.10008.5.1.4.34.5.1",
    "UPSGlobalSubscriptionInstance": "1.2.840.10008.5.1.4.34.5",
}
for name, uid in instances.items():
    assert getattr(sop_class, name) == uid, (name, getattr(sop_class, name))
for odd in (
    PseudoColorSoftcopyPresentationStageStorage,
    VariableModalityLUTSoftcopyPresentationStageStorage,
    OphthlamicOpticalCoherenceTomographyBscanVolumeAnalysisStorage,
    ModalityWorklistInformationFind,
    UltrasoundMultiFrameImageStorage,
):
    assert isinstance(odd, SOPClass)

register_uid("1.2.3.4", "PrivateStorage", StorageServiceClass)
from pynetdicom.sop_class import PrivateStorage  # noqa: E402

assert PrivateStorage == "1.2.3.4"
assert uid_to_service_class("1.2.3.4") is StorageServiceClass
register_uid("1.2.3.5", "PrivateFind", QueryRetrieveServiceClass, "C-FIND")
assert sop_class.PrivateFind.service_class is QueryRetrieveServiceClass
for wrong in ("not a name", "class"):
    assert refused(ValueError, register_uid, "1.2.3.6", wrong, StorageServiceClass)
assert refused(TypeError, register_uid, "1.2.3.6", "Other", "class")
assert refused(TypeError, register_uid, "1.2.3.6", "Other", dict)
assert refused(ValueError, register_uid, "1.2.3.7", "OtherFind", QueryRetrieveServiceClass)

made = code_to_status(0xA700)
assert isinstance(made, Dataset)
assert (made.Status, len(made)) == (0xA700, 1)
categories = {
    "Success": (0x0000,),
    "Pending": (0xFF00, 0xFF01),
    "Cancel": (0xFE00,),
    "Failure": (0x0105, 0x0110, 0x0122, 0x0210, 0xA000, 0xAFFF, 0xC000, 0xCFFF),
    "Warning": (0x0001, 0x0107, 0x0116, 0xB000, 0xBFFF),
    "Unknown": (0x0002, 0xD000, 0xFF02),
}
for category, codes in categories.items():
    for code in codes:
        assert code_to_category(code) == category, hex(code)
assert refused(ValueError, code_to_category, -1)
assert refused((ValueError, TypeError), code_to_category, "0")
assert Status.SUCCESS == 0x0000
assert Status.CANCEL == 0xFE00
assert Status.PENDING == 0xFF00
assert Status.MOVE_DESTINATION_UNKNOWN == 0xA801
Status.add("DISK_FULL", 0xA700)
assert Status.DISK_FULL == 0xA700
sizes = {
    "GENERAL_STATUS": 24,
    "RT_MACHINE_VERIFICATION_SERVICE_CLASS_STATUS": 32,
}
for name, size in sizes.items():
    assert len(getattr(status, name)) == size, name
assert status.GENERAL_STATUS[0x0110][0] == "Failure"
assert status.STORAGE_SERVICE_CLASS_STATUS[0xB000][0] == "Warning"
tables = [name for name in dir(status) if name.endswith("_STATUS")]
assert len(tables) >= 18, tables

assert _globals.DEFAULT_MAX_LENGTH == 16382
assert _globals.APPLICATION_CONTEXT_NAME == "1.2.840.10008.3.1.1.1"
assert (_globals.MODE_REQUESTOR, _globals.MODE_ACCEPTOR) == ("requestor", "acceptor")
for name in ("Success", "Failure", "Warning", "Cancel", "Pending", "Unknown"):
    assert getattr(_globals, f"STATUS_{name.upper()}") == name
assert _globals.ALL_TRANSFER_SYNTAXES[:4] == _globals.DEFAULT_TRANSFER_SYNTAXES
