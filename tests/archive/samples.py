"""Objects for the archive, and an archive for the objects."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from dicomwire.archive.files import Files
from dicomwire.archive.index import Index
from dicomwire.archive.ingest import Answer, Ingest
from dicomwire.archive.query import (
    NOTHING_AGREED,
    STUDY_ROOT,
    WANTED,
    Agreed,
    Model,
    answer,
    as_bytes,
    as_dataset,
    find,
)
from dicomwire.archive.scan import keys
from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.part10 import encode_file_meta, read_header_from
from dicomwire.dataset.sinks import Written

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"


def instance(number: int = 1, **elements: Any) -> Dataset:
    """Return an object; by number of a study, a series and a patient of its own."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CT, f"1.2.3.{number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.1.{number}", f"1.2.2.{number}"
    ds.PatientName, ds.PatientID, ds.Modality = f"Name^{number}", f"ID{number}", "CT"
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def write(path: Path, ds: Dataset, syntax: str = EXPLICIT) -> Path:
    """Write an object as a Part 10 file."""
    meta = encode_file_meta(ds.SOPClassUID, ds.SOPInstanceUID, syntax, "1.2.9", "TEST")
    path.write_bytes(meta + encode(ds, syntax))
    return path


def received(path: Path, head: int = 0) -> Written:
    """Return a file as a sink hands it over; so many bytes of its data set are in memory."""
    data, offset = b"", 0
    if path.exists():
        data = path.read_bytes()
        offset = read_header_from(BytesIO(data), path).offset
    return Written(data[offset:][:head], str(path), offset, len(data) - offset)


class Store:
    """An archive in a folder.

    Parameters
    ----------
    folder : Path
        Where it is, or was.
    replace : bool
        See `Ingest`.
    """

    def __init__(self, folder: Path, replace: bool = False) -> None:
        self.files = Files(folder)
        try:
            self.index = Index(folder / "index.sqlite", self.files)
        except BaseException:
            self.files.close()
            raise
        self.ingest = Ingest(self.index, replace)
        self._count = 0

    def close(self) -> None:
        """Close it."""
        self.index.close()
        self.files.close()

    def receive(self, ds: Dataset, syntax: str = EXPLICIT) -> Path:
        """Put an object where received ones go."""
        self._count += 1
        return write(self.files.incoming / f".{self._count}.part", ds, syntax)

    def take(self, ds: Dataset, syntax: str = EXPLICIT) -> Answer:
        """Receive an object and have it taken; the temporary file goes, as after a request."""
        path = self.receive(ds, syntax)
        taken = self.take_file(path, ds.SOPClassUID, ds.SOPInstanceUID, syntax)
        with suppress(FileNotFoundError):
            path.unlink()
        return taken

    def take_file(
        self, path: Path, sop_class: str, uid: str, syntax: str = EXPLICIT, head: int = 0
    ) -> Answer:
        """Have a received file taken; so many bytes of its data set are in memory."""
        return self.ingest.take(received(path, head), syntax, sop_class, uid)

    def add(self, *objects: Dataset) -> None:
        """Store objects; all of them have to be taken."""
        for ds in objects:
            assert self.take(ds).status == 0

    def find(
        self, identifier: Dataset, model: Model = STUDY_ROOT, agreed: Agreed = NOTHING_AGREED
    ) -> list[Dataset]:
        """Query with an identifier; the answers, as they would be sent."""
        query = find(keys(encode(identifier, EXPLICIT), EXPLICIT, WANTED), model, agreed)
        with self.index.reading() as connection:
            rows = connection.execute(query.sql, query.parameters).fetchall()
        found = [answer(query, row, "US") for row in rows]
        encoded = [as_bytes(each, implicit=False) for each in found]
        for elements, data in zip(found, encoded, strict=True):  # as pydicom would write it
            assert encode(as_dataset(elements), EXPLICIT) == data
            assert encode(as_dataset(elements), IMPLICIT) == as_bytes(elements, implicit=True)
        return [decode(each, EXPLICIT) for each in encoded]

    def rows(self, sql: str) -> list[Any]:
        """Ask the index in SQL."""
        with self.index.reading() as connection:
            return connection.execute(sql).fetchall()

    @property
    def objects(self) -> list[str]:
        """The names of the files of objects."""
        return sorted(path.name for path in (self.files.folder / "objects").rglob("*.dcm"))
