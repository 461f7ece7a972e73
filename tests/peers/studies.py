"""A seed into studies that archives hold, and into queries that all of them are asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pydicom import Dataset

from dicomwire.sop_class import PatientRootQueryRetrieveInformationModelFind as PATIENT_ROOT
from dicomwire.sop_class import StudyRootQueryRetrieveInformationModelFind as STUDY_ROOT
from tests.archive.samples import instance, write
from tests.peers.queries import keys

FAMILIES = ("Adams", "Adamson", "Baker", "Bakersfield", "Clark", "O'Neil", "Van Dyke", "Zimmer")
GIVEN = ("John", "Jane", "Jo", "Mary Ann", "X")
DESCRIPTIONS = ("Head", "HEAD", "Thorax", "Thorax 2 views", "Knee left", "")
DATES = ("20200101", "20200229", "20201231", "20210101", "20211115", "")
TIMES = ("000000", "081500", "101112.5", "120000", "235959", "")
MODALITIES = ("CT", "MR", "US", "CR")
COUNT = 40  # studies


def studies(folder: Path, seed: int = 1) -> list[Path]:
    """Write the objects of some studies: two series each, one and two objects."""
    chance, paths = Random(seed), []
    for number in range(COUNT):
        patient = number // 2  # each has two studies
        birth = Random(patient)
        common = {
            "SpecificCharacterSet": "ISO_IR 100",
            "PatientName": f"{FAMILIES[patient % 8]}^{GIVEN[patient % 5]}",
            "PatientID": f"P{patient:03}",
            "PatientBirthDate": birth.choice(DATES[:-1]),
            "PatientSex": birth.choice(("F", "M", "O")),
            "StudyInstanceUID": f"1.2.826.1.{number}",
            "StudyDate": chance.choice(DATES),
            "StudyTime": chance.choice(TIMES),
            "AccessionNumber": f"A{number:04}" if number % 7 else "",
            "StudyID": str(number),
            "StudyDescription": chance.choice(DESCRIPTIONS),
            "ReferringPhysicianName": f"Doctor^{GIVEN[number % 5]}",
        }
        for part in range(3):
            series = part and 1
            ds = instance(
                **common,
                SeriesInstanceUID=f"1.2.826.1.{number}.{series}",
                SeriesNumber=str(series + 1),
                Modality=MODALITIES[(number + series) % 4],
                SOPInstanceUID=f"1.2.826.1.{number}.{series}.{part}",
                InstanceNumber=str(part + 1),
            )
            paths.append(write(folder / f"{number:03}-{part}.dcm", ds))
    return paths


class Question(NamedTuple):
    """A query.

    Parameters
    ----------
    model : str
        The information model's UID.
    unique : str
        The keyword of what is counted.
    identifier : Dataset
        The keys.
    """

    model: str
    unique: str
    identifier: Dataset

    def __str__(self) -> str:
        wanted = {each.keyword: each.value for each in self.identifier if each.value}
        return f"{self.unique} of {wanted}"


def _cut(chance: Random, text: str) -> str:
    """Put a wild card into a text."""
    at = chance.randrange(len(text) + 1)
    kinds = (f"{text[:at]}*", f"*{text[at:]}", f"{text[:at]}*{text[at + 1 :]}",
             f"{text[:at]}?{text[at + 1 :]}", "*")  # fmt: skip
    return chance.choice(kinds)


def _range(chance: Random, values: tuple[str, ...]) -> str:
    low, high = sorted(chance.choices([each for each in values if each], k=2))
    return chance.choice((low, f"{low}-{high}", f"{low}-", f"-{high}"))


def _name(chance: Random, names: tuple[str, ...]) -> str:
    name = chance.choice(names)
    return chance.choice((name, name.upper(), name.lower(), _cut(chance, name), _cut(chance, name)))


def _text(chance: Random, values: tuple[str, ...]) -> str:
    value = chance.choice([each for each in values if each])
    return chance.choice((value, value.lower(), _cut(chance, value), ""))


_NAMES = tuple(f"{FAMILIES[n % 8]}^{GIVEN[n % 5]}" for n in range(COUNT // 2))
_OF_PATIENT = {
    "PatientName": lambda chance: _name(chance, _NAMES),
    "PatientID": lambda chance: _text(chance, tuple(f"P{n:03}" for n in range(COUNT // 2))),
    "PatientBirthDate": lambda chance: _range(chance, DATES),
    "PatientSex": lambda chance: chance.choice(("F", "M", "")),
}
_OF_STUDY = {
    "StudyDate": lambda chance: _range(chance, DATES),
    "StudyTime": lambda chance: _range(chance, TIMES),
    "AccessionNumber": lambda chance: _text(chance, tuple(f"A{n:04}" for n in range(COUNT))),
    "StudyID": lambda chance: str(chance.randrange(COUNT)),
    "StudyDescription": lambda chance: _text(chance, DESCRIPTIONS),
    "ReferringPhysicianName": lambda chance: _name(chance, tuple(f"Doctor^{g}" for g in GIVEN)),
    "ModalitiesInStudy": lambda chance: chance.choice((*MODALITIES, "NM")),
    "StudyInstanceUID": lambda chance: [
        f"1.2.826.1.{chance.randrange(COUNT + 5)}" for _ in range(chance.randrange(1, 4))
    ],
}
_OF_SERIES = {
    "Modality": lambda chance: chance.choice((*MODALITIES, "C?", "*R", "")),
    "SeriesNumber": lambda chance: chance.choice(("1", "2", "3")),
}
_OF_IMAGE = {"InstanceNumber": lambda chance: chance.choice(("1", "2", "3", ""))}


def _some(chance: Random, kinds: dict[str, Any], most: int) -> dict[str, Any]:
    names = chance.sample(sorted(kinds), chance.randrange(min(most, len(kinds)) + 1))
    return {name: kinds[name](chance) for name in names}


def questions(count: int, seed: int = 2) -> Iterator[Question]:
    """Make queries of all levels: about keys that each archive has, in all kinds of matching."""
    chance = Random(seed)
    for _ in range(count):
        number = chance.randrange(COUNT)
        study, patient = f"1.2.826.1.{number}", f"P{number // 2:03}"
        root = chance.choice((PATIENT_ROOT, STUDY_ROOT))
        level = chance.choice(("STUDY", "STUDY", "STUDY", "PATIENT", "SERIES", "IMAGE"))
        above = {"PatientID": patient} if root == PATIENT_ROOT else {}
        if level == "PATIENT":
            wanted = {"PatientID": "", **_some(chance, _OF_PATIENT, 2)}
            yield Question(PATIENT_ROOT, "PatientID", keys(level, **wanted))
        elif level == "STUDY":
            more = {} if above else _some(chance, _OF_PATIENT, 1)
            wanted = {"StudyInstanceUID": "", **_some(chance, _OF_STUDY, 2), **more, **above}
            yield Question(root, "StudyInstanceUID", keys(level, **wanted))
        elif level == "SERIES":
            wanted = {"SeriesInstanceUID": "", **_some(chance, _OF_SERIES, 2)}
            wanted.update(StudyInstanceUID=study, **above)
            yield Question(root, "SeriesInstanceUID", keys(level, **wanted))
        else:
            wanted = {"SOPInstanceUID": "", **_some(chance, _OF_IMAGE, 1)}
            wanted.update(SeriesInstanceUID=f"{study}.1", StudyInstanceUID=study, **above)
            yield Question(root, "SOPInstanceUID", keys(level, **wanted))
