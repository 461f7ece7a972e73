"""Which data sets match an identifier (PS3.4 C.2.2.2), and what answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicomwire.archive.worklist import answer, matching


def ds(**elements: Any) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def step(**elements: Any) -> Dataset:
    return ds(ScheduledProcedureStepSequence=[ds(**elements)])


ITEMS = [
    ds(
        PatientName="Ärmel^Ada",
        PatientID="P0",
        StudyInstanceUID="1.2.0",
        AccessionNumber="A[0]",
        ScheduledProcedureStepSequence=[
            ds(
                Modality="CT",
                ScheduledStationAETitle=["CT1", "CT2"],
                ScheduledProcedureStepStartDate="20260101",
                ScheduledProcedureStepStartTime="0800",
                ScheduledProtocolCodeSequence=[ds(CodeValue="X1")],
            )
        ],
    ),
    ds(
        PatientName="Beta^Bert=山^田",
        PatientID="P1",
        StudyInstanceUID="1.2.1",
        ScheduledProcedureStepSequence=[
            ds(
                Modality="MR",
                ScheduledStationAETitle="MR1",
                ScheduledProcedureStepStartDate="20260102",
                ScheduledProcedureStepStartTime="073000.5",
            )
        ],
    ),
    ds(PatientName="arm", PatientID="", PatientWeight="7.5"),
]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (ds(), [0, 1, 2]),
        (ds(PatientName=""), [0, 1, 2]),
        (ds(PatientName="*"), [0, 1, 2]),
        (ds(PatientName="BETA^bert"), [1]),  # names without case
        (ds(PatientName="山*"), [1]),  # any component group
        (ds(PatientName="ärm*"), [0]),
        (ds(PatientName="?rm*"), [0, 2]),
        (ds(PatientID="P?"), [0, 1]),
        (ds(PatientID="p0"), []),  # others with case
        (ds(AccessionNumber="A[0]"), [0]),
        (ds(AccessionNumber="A[*"), [0]),
        (ds(StudyInstanceUID=["1.2.1", "1.2.0", "1.9"]), [0, 1]),
        (ds(PatientWeight="7.5"), [2]),
        (step(), [0, 1, 2]),
        (step(Modality=""), [0, 1, 2]),
        (step(Modality="MR"), [1]),
        (step(Modality="MR", ScheduledStationAETitle="CT1"), []),
        (step(ScheduledStationAETitle="CT2"), [0]),  # one of several values
        (step(ScheduledProcedureStepStartDate="20260101-20260101"), [0]),
        (step(ScheduledProcedureStepStartDate="20260102-"), [1]),
        (step(ScheduledProcedureStepStartDate="-20260102"), [0, 1]),
        (step(ScheduledProcedureStepStartTime="07-0759"), [1]),
        (step(ScheduledProcedureStepStartTime="080000"), [0]),
        (step(ScheduledProtocolCodeSequence=[ds(CodeValue="X*")]), [0]),
        # the two ranges together are from one moment to another
        (step(ScheduledProcedureStepStartDate="20260101-20260102",
              ScheduledProcedureStepStartTime="0900-0700"), []),
        (step(ScheduledProcedureStepStartDate="20260101-20260102",
              ScheduledProcedureStepStartTime="0900-0800"), [1]),
        (ds(PatientName="A*", PatientID="P1"), []),
        (ds(QueryRetrieveLevel="STUDY", SpecificCharacterSet="ISO_IR 192"), [0, 1, 2]),
        (ds(PatientComments="' OR 1=1 --"), []),
    ],
)  # fmt: skip
def test_matching(keys: Dataset, found: list[int]) -> None:
    assert matching(keys, ITEMS) == found


def test_accents_count_unless_agreed_otherwise() -> None:
    keys = ds(PatientName="Arm*")
    assert matching(keys, ITEMS) == [2]
    assert matching(keys, ITEMS, fuzzy=True) == [0, 2]


def test_an_answer_has_what_was_asked_for() -> None:
    keys = ds(
        SpecificCharacterSet="ISO_IR 100",
        PatientName="",
        PatientID="P*",
        PatientSex="",
        ScheduledProcedureStepSequence=[ds(Modality="", ScheduledProcedureStepID="")],
        ReferencedStudySequence=[],
    )
    found = answer(keys, ITEMS[0])
    assert found == ds(
        SpecificCharacterSet="ISO_IR 192",
        PatientName="Ärmel^Ada",
        PatientID="P0",
        PatientSex="",
        ScheduledProcedureStepSequence=[ds(Modality="CT", ScheduledProcedureStepID="")],
        ReferencedStudySequence=[],
    )


def test_an_empty_sequence_asks_for_all_of_it() -> None:
    found = answer(ds(ScheduledProcedureStepSequence=[]), ITEMS[1])
    assert found == ds(ScheduledProcedureStepSequence=ITEMS[1].ScheduledProcedureStepSequence)


def test_a_bad_value_of_an_item_matches_nothing() -> None:
    bad = Dataset()
    bad[0x00280010] = RawDataElement(Tag(0x00280010), "US", 3, b"\1\2\3", 0, False, True)
    assert matching(ds(Rows=3), [bad]) == []
    assert answer(ds(Rows=3), bad) == ds(Rows=None)


def test_a_hostile_pattern_ends() -> None:
    keys = ds(PatientName="*a" * 5000 + "b")
    assert matching(keys, [ds(PatientName="a" * 60)] * 50) == []
