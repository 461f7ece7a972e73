"""Identifiers in memory and files in a folder into answers to C-FIND, C-GET and C-MOVE.

The same program for dicomwire and for pynetdicom: the first argument says which.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.objects import CT, EXPLICIT

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
GET = "1.2.840.10008.5.1.4.1.2.2.3"


def identifiers(count: int) -> list[Any]:
    """Make identifiers at the level of a study, as an archive answers with."""
    from pydicom import Dataset

    made = []
    for number in range(count):
        match = Dataset()
        match.SpecificCharacterSet = "ISO_IR 100"
        match.StudyDate, match.StudyTime = "20200101", "101010"
        match.AccessionNumber = f"A{number:07}"
        match.QueryRetrieveLevel = "STUDY"
        match.ModalitiesInStudy = "CT"
        match.StudyDescription = "Thorax"
        match.PatientName, match.PatientID = f"Bench^Mark^{number}", f"P{number:07}"
        match.PatientBirthDate, match.PatientSex = "19500101", "F"
        match.StudyInstanceUID, match.StudyID = f"2.25.{10**30 + number}", str(number)
        match.NumberOfStudyRelatedInstances = "1"
        made.append(match)
    return made


def main(library: str, port: str, count: str, folder: str, destination: str) -> None:
    """Serve until the process is ended; whatever is asked for, everything is the answer."""
    lib: Any = import_module(library)
    matches = identifiers(int(count))
    files: list[Any] = sorted(Path(folder).iterdir())
    if library == "pynetdicom":  # which takes data sets only
        from pydicom import dcmread

        files = [dcmread(path) for path in files]

    def find(event: Any) -> Iterator[Any]:
        for match in matches:
            yield 0xFF00, match

    def get(event: Any) -> Iterator[Any]:
        yield len(files)
        for file in files:
            yield 0xFF00, file

    def move(event: Any) -> Iterator[Any]:
        yield "127.0.0.1", int(destination)
        yield from get(event)

    ae = lib.AE("ARCHIVE")
    for model in (FIND, GET, MOVE):
        ae.add_supported_context(model)
    ae.add_supported_context(CT, EXPLICIT, scu_role=True, scp_role=True)
    ae.add_requested_context(CT, EXPLICIT)
    evt = lib.evt
    bound = [(evt.EVT_C_FIND, find), (evt.EVT_C_GET, get), (evt.EVT_C_MOVE, move)]
    ae.start_server(("127.0.0.1", int(port)), evt_handlers=bound)


if __name__ == "__main__":
    main(*sys.argv[1:])
