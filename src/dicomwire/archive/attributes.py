"""What the index knows of patients, studies, series and instances, as rows (PS3.4 C.6)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Level(IntEnum):
    """The levels of the query/retrieve hierarchy, from the top (PS3.4 C.6.1.1.1)."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


class Attribute(NamedTuple):
    """An element that the index keeps or computes.

    Parameters
    ----------
    level : Level
        Whose it is.
    tag : int
        Its tag.
    keyword : str
        Its keyword; a kept one's column is called so.
    vr : str
        Its value representation.
    items : tuple of Attribute
        Of a sequence, what is kept of each item.
    computed : str
        SQL that computes it for a row of the level's table; empty where it is a column.
    """

    level: Level
    tag: int
    keyword: str
    vr: str
    items: tuple[Attribute, ...] = ()
    computed: str = ""


TABLES = {
    Level.PATIENT: "patients",
    Level.STUDY: "studies",
    Level.SERIES: "series",
    Level.IMAGE: "instances",
}
"""The table of each level; its rows name their parent in the column `parent`."""

UNIQUE_KEYS = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}

_KEPT = {
    Level.PATIENT: """
        00100010 PN PatientName
        00100020 LO PatientID
        00100021 LO IssuerOfPatientID
        00100030 DA PatientBirthDate
        00100032 TM PatientBirthTime
        00100040 CS PatientSex
        00102160 SH EthnicGroup
        00104000 LT PatientComments
    """,
    Level.STUDY: """
        00080020 DA StudyDate
        00080030 TM StudyTime
        00080050 SH AccessionNumber
        00080090 PN ReferringPhysicianName
        00081030 LO StudyDescription
        00081060 PN NameOfPhysiciansReadingStudy
        00081080 LO AdmittingDiagnosesDescription
        00101010 AS PatientAge
        00101020 DS PatientSize
        00101030 DS PatientWeight
        00102180 SH Occupation
        001021B0 LT AdditionalPatientHistory
        0020000D UI StudyInstanceUID
        00200010 SH StudyID
    """,
    Level.SERIES: """
        00080021 DA SeriesDate
        00080031 TM SeriesTime
        00080060 CS Modality
        00080070 LO Manufacturer
        00080080 LO InstitutionName
        00081010 SH StationName
        0008103E LO SeriesDescription
        00081050 PN PerformingPhysicianName
        00081070 PN OperatorsName
        00081090 LO ManufacturerModelName
        00180015 CS BodyPartExamined
        00181030 LO ProtocolName
        00185100 CS PatientPosition
        0020000E UI SeriesInstanceUID
        00200011 IS SeriesNumber
        00200052 UI FrameOfReferenceUID
        00200060 CS Laterality
        00400244 DA PerformedProcedureStepStartDate
        00400245 TM PerformedProcedureStepStartTime
        00400253 SH PerformedProcedureStepID
        00400254 LO PerformedProcedureStepDescription
    """,
    Level.IMAGE: """
        00080016 UI SOPClassUID
        00080018 UI SOPInstanceUID
        00080022 DA AcquisitionDate
        00080023 DA ContentDate
        00080032 TM AcquisitionTime
        00080033 TM ContentTime
        00200012 IS AcquisitionNumber
        00200013 IS InstanceNumber
        00280008 IS NumberOfFrames
        00280010 US Rows
        00280011 US Columns
    """,
}

_CODE = """
        00080100 SH CodeValue
        00080102 SH CodingSchemeDesignator
        00080103 SH CodingSchemeVersion
        00080104 LO CodeMeaning
    """
_SEQUENCES = {
    (Level.STUDY, 0x00081032, "ProcedureCodeSequence"): _CODE,
    (Level.SERIES, 0x00400275, "RequestAttributesSequence"): """
        00080050 SH AccessionNumber
        00321060 LO RequestedProcedureDescription
        00400007 LO ScheduledProcedureStepDescription
        00400009 SH ScheduledProcedureStepID
        00401001 SH RequestedProcedureID
    """,
}

_SERIES_OF_PATIENT = "series JOIN studies ON series.parent = studies.id"
_COMPUTED = (
    (
        Level.PATIENT,
        0x00201200,
        "NumberOfPatientRelatedStudies",
        "IS",
        "SELECT count(*) FROM studies WHERE parent = patients.id",
    ),
    (
        Level.PATIENT,
        0x00201202,
        "NumberOfPatientRelatedSeries",
        "IS",
        f"SELECT count(*) FROM {_SERIES_OF_PATIENT} WHERE studies.parent = patients.id",
    ),
    (
        Level.PATIENT,
        0x00201204,
        "NumberOfPatientRelatedInstances",
        "IS",
        f"SELECT count(*) FROM instances JOIN {_SERIES_OF_PATIENT}"
        " ON instances.parent = series.id WHERE studies.parent = patients.id",
    ),
    (
        Level.STUDY,
        0x00080061,
        "ModalitiesInStudy",
        "CS",
        "SELECT DISTINCT Modality AS value FROM series"
        " WHERE parent = studies.id AND Modality <> ''",
    ),
    (
        Level.STUDY,
        0x00080062,
        "SOPClassesInStudy",
        "UI",
        "SELECT DISTINCT SOPClassUID AS value"
        " FROM instances JOIN series ON instances.parent = series.id"
        " WHERE series.parent = studies.id",
    ),
    (
        Level.STUDY,
        0x00201206,
        "NumberOfStudyRelatedSeries",
        "IS",
        "SELECT count(*) FROM series WHERE parent = studies.id",
    ),
    (
        Level.STUDY,
        0x00201208,
        "NumberOfStudyRelatedInstances",
        "IS",
        "SELECT count(*) FROM instances JOIN series ON instances.parent = series.id"
        " WHERE series.parent = studies.id",
    ),
    (
        Level.SERIES,
        0x00201209,
        "NumberOfSeriesRelatedInstances",
        "IS",
        "SELECT count(*) FROM instances WHERE parent = series.id",
    ),
)


def _rows(level: Level, text: str) -> tuple[Attribute, ...]:
    words = [line.split() for line in text.split("\n") if line.strip()]
    return tuple(Attribute(level, int(tag, 16), keyword, vr) for tag, vr, keyword in words)


ATTRIBUTES = (
    *(row for level, text in _KEPT.items() for row in _rows(level, text)),
    *(
        Attribute(level, tag, keyword, "SQ", _rows(level, text))
        for (level, tag, keyword), text in _SEQUENCES.items()
    ),
    *(
        Attribute(level, tag, keyword, vr, computed=sql)
        for level, tag, keyword, vr, sql in _COMPUTED
    ),
)
"""Everything that a query may match or ask for, apart from what says how to answer."""

BY_TAG = {row.tag: row for row in ATTRIBUTES}
BY_KEYWORD = {row.keyword: row for row in ATTRIBUTES}
KEPT = {row.tag: row for row in ATTRIBUTES if not row.computed}
"""What is taken from an object, by tag."""
COLUMNS = {
    level: tuple(row.keyword for row in KEPT.values() if row.level is level) for level in Level
}
"""The columns of each level's table, by keyword."""

NAMES = tuple(row for row in KEPT.values() if row.vr == "PN")

LONGEST = {
    **dict.fromkeys(("AE", "CS", "SH", "DS", "IS", "TM", "DA", "AS"), 16),
    "LO": 64,
    "PN": 64 * 3 + 2,
    "UI": 64,
    "LT": 10240,
}
"""Characters that are kept of one value (PS3.5 Table 6.2-1); the file has all of them."""
