"""The pre-built context lists, against the lists that programs know, written down by hand."""

from __future__ import annotations

import pytest

from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.uids import SOP_CLASSES

ROOT = "1.2.840.10008."

# UIDs without their root.
LISTS = """
    ApplicationEventLogging: 1.40 1.42
    BasicWorklistManagement: 5.1.4.31
    ColorPalette: 5.1.4.39.2 5.1.4.39.3 5.1.4.39.4
    DefinedProcedureProtocol: 5.1.4.20.1 5.1.4.20.2 5.1.4.20.3
    DisplaySystem: 5.1.1.40
    HangingProtocol: 5.1.4.38.2 5.1.4.38.3 5.1.4.38.4
    ImplantTemplate: 5.1.4.43.2 5.1.4.43.3 5.1.4.43.4 5.1.4.44.2 5.1.4.44.3 5.1.4.44.4
        5.1.4.45.2 5.1.4.45.3 5.1.4.45.4
    InstanceAvailability: 5.1.4.33
    MediaCreationManagement: 5.1.1.33
    MediaStorage: 1.3.10
    ModalityPerformed: 3.1.2.3.3 3.1.2.3.4 3.1.2.3.5
    NonPatientObject: 5.1.4.1.1.200.1 5.1.4.1.1.200.3 5.1.4.1.1.200.7 5.1.4.1.1.201.1 5.1.4.38.1
        5.1.4.39.1 5.1.4.43.1 5.1.4.44.1 5.1.4.45.1
    PrintManagement: 5.1.1.1 5.1.1.14 5.1.1.15 5.1.1.16 5.1.1.16.376 5.1.1.18 5.1.1.2 5.1.1.23
        5.1.1.4 5.1.1.4.1 5.1.1.9
    ProcedureStep: 3.1.2.3.3 3.1.2.3.4 3.1.2.3.5
    ProtocolApproval: 5.1.4.1.1.200.4 5.1.4.1.1.200.5 5.1.4.1.1.200.6
    QueryRetrieve: 5.1.4.1.1.201.6 5.1.4.1.2.1.1 5.1.4.1.2.1.2 5.1.4.1.2.1.3 5.1.4.1.2.2.1
        5.1.4.1.2.2.2 5.1.4.1.2.2.3 5.1.4.1.2.3.1 5.1.4.1.2.3.2 5.1.4.1.2.3.3 5.1.4.1.2.4.2
        5.1.4.1.2.4.3 5.1.4.1.2.5.3
    RTMachineVerification: 5.1.4.34.8 5.1.4.34.9
    RelevantPatientInformation: 5.1.4.37.1 5.1.4.37.2 5.1.4.37.3
    StorageCommitment: 1.20.1
    SubstanceAdministration: 5.1.4.41 5.1.4.42
    UnifiedProcedure: 5.1.4.34.6.1 5.1.4.34.6.2 5.1.4.34.6.3 5.1.4.34.6.4 5.1.4.34.6.5
    Verification: 1.1
"""

# In order; * is 5.1.4.1.1.
STORAGE = """
    5.1.1.27 5.1.1.29 5.1.1.30 *1 *1.1 *1.1.1 *1.2 *1.2.1 *1.3 *1.3.1 *10 *104.1 *104.2 *11
    *11.1 *11.2 *11.3 *11.4 *11.5 *12.1 *12.1.1 *12.2 *12.2.1 *12.3 *128 *128.1 *129 *13.1.1
    *13.1.2 *13.1.3 *130 *131 *14.1 *14.2 *2 *2.1 *2.2 *20 *3 *3.1 *4 *4.1 *4.2 *4.3 *4.4 *481.1
    *481.2 *481.3 *481.4 *481.5 *481.6 *481.7 *481.8 *481.9 *5 *6 *6.1 *6.2 *66 *66.1 *66.2
    *66.3 *66.4 *66.5 *67 *68.1 *68.2 *7 *7.1 *7.2 *7.3 *7.4 *77.1 *77.1.1 *77.1.1.1 *77.1.2
    *77.1.2.1 *77.1.3 *77.1.4 *77.1.4.1 *77.1.5.1 *77.1.5.2 *77.1.5.3 *77.1.5.4 *77.1.6 *77.2
    *78.1 *78.2 *78.3 *78.4 *78.5 *78.6 *78.7 *78.8 *79.1 *8 *80.1 *81.1 *88.11 *88.22 *88.33
    *88.34 *88.40 *88.50 *88.59 *88.65 *88.67 *88.69 *88.70 *9 *9.1.1 *9.1.2 *9.1.3 *9.2.1
    *9.3.1 *9.4.1 *9.4.2 *9.5.1 *9.6.1 5.1.4.34.7
"""


def expected(text: str) -> dict[str, tuple[str, ...]]:
    """Each list's name and its UIDs."""
    lists: dict[str, tuple[str, ...]] = {}
    name = ""
    for word in text.split():
        if word.endswith(":"):
            name = word.rstrip(":") + "PresentationContexts"
        else:
            lists[name] = (*lists.get(name, ()), ROOT + word)
    return lists


@pytest.mark.box("B.t", "1.9")
def test_each_small_list_has_what_its_name_says_in_order() -> None:
    lists = expected(LISTS)
    assert len(lists) == 22
    assert {name: CONTEXT_LISTS[name] for name in lists} == lists
    assert CONTEXT_LISTS.keys() - lists.keys() == {
        "AllStoragePresentationContexts",
        "StoragePresentationContexts",
    }


@pytest.mark.box("B.t")
def test_storage_contexts_are_the_120_in_order() -> None:
    storage = tuple(ROOT + word.replace("*", "5.1.4.1.1.") for word in STORAGE.split())
    assert len(storage) == 120
    assert CONTEXT_LISTS["StoragePresentationContexts"] == storage


def test_all_storage_contexts_are_the_170_current_ones_in_order() -> None:
    uids = CONTEXT_LISTS["AllStoragePresentationContexts"]
    current = {
        row.uid
        for row in SOP_CLASSES
        if row.service_class == "StorageServiceClass" and not row.retired
    }
    assert len(uids) == 170
    assert list(uids) == sorted(current)


def test_fourteen_of_the_120_are_retired() -> None:
    some = set(CONTEXT_LISTS["StoragePresentationContexts"])
    assert len(some - set(CONTEXT_LISTS["AllStoragePresentationContexts"])) == 14
