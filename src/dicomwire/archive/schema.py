"""An SQLite database of any version into one of this version: the schema, a script a version."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x44574152
"""Marks the database as ours (`PRAGMA application_id`)."""

# Text is '' where an object has no value. `parent` is the row one level up. Never change a script
# that was released: add one.
_FIRST = """
CREATE TABLE patients (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    PatientName TEXT NOT NULL DEFAULT '',
    PatientID TEXT NOT NULL DEFAULT '',
    IssuerOfPatientID TEXT NOT NULL DEFAULT '',
    PatientBirthDate TEXT NOT NULL DEFAULT '',
    PatientBirthTime TEXT NOT NULL DEFAULT '',
    PatientSex TEXT NOT NULL DEFAULT '',
    EthnicGroup TEXT NOT NULL DEFAULT '',
    PatientComments TEXT NOT NULL DEFAULT ''
);
CREATE INDEX patients_by_id ON patients (PatientID);

CREATE TABLE studies (
    id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL REFERENCES patients,
    StudyInstanceUID TEXT NOT NULL,
    StudyDate TEXT NOT NULL DEFAULT '',
    StudyTime TEXT NOT NULL DEFAULT '',
    AccessionNumber TEXT NOT NULL DEFAULT '',
    StudyID TEXT NOT NULL DEFAULT '',
    StudyDescription TEXT NOT NULL DEFAULT '',
    ReferringPhysicianName TEXT NOT NULL DEFAULT '',
    NameOfPhysiciansReadingStudy TEXT NOT NULL DEFAULT '',
    AdmittingDiagnosesDescription TEXT NOT NULL DEFAULT '',
    PatientAge TEXT NOT NULL DEFAULT '',
    PatientSize TEXT NOT NULL DEFAULT '',
    PatientWeight TEXT NOT NULL DEFAULT '',
    Occupation TEXT NOT NULL DEFAULT '',
    AdditionalPatientHistory TEXT NOT NULL DEFAULT '',
    ProcedureCodeSequence TEXT NOT NULL DEFAULT '',
    UNIQUE (parent, StudyInstanceUID)
);
CREATE INDEX studies_by_uid ON studies (StudyInstanceUID);
CREATE INDEX studies_by_date ON studies (StudyDate);
CREATE INDEX studies_by_accession_number ON studies (AccessionNumber);

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL REFERENCES studies,
    SeriesInstanceUID TEXT NOT NULL,
    Modality TEXT NOT NULL DEFAULT '',
    SeriesNumber TEXT NOT NULL DEFAULT '',
    SeriesDate TEXT NOT NULL DEFAULT '',
    SeriesTime TEXT NOT NULL DEFAULT '',
    SeriesDescription TEXT NOT NULL DEFAULT '',
    Manufacturer TEXT NOT NULL DEFAULT '',
    ManufacturerModelName TEXT NOT NULL DEFAULT '',
    InstitutionName TEXT NOT NULL DEFAULT '',
    StationName TEXT NOT NULL DEFAULT '',
    PerformingPhysicianName TEXT NOT NULL DEFAULT '',
    OperatorsName TEXT NOT NULL DEFAULT '',
    BodyPartExamined TEXT NOT NULL DEFAULT '',
    ProtocolName TEXT NOT NULL DEFAULT '',
    PatientPosition TEXT NOT NULL DEFAULT '',
    FrameOfReferenceUID TEXT NOT NULL DEFAULT '',
    Laterality TEXT NOT NULL DEFAULT '',
    PerformedProcedureStepStartDate TEXT NOT NULL DEFAULT '',
    PerformedProcedureStepStartTime TEXT NOT NULL DEFAULT '',
    PerformedProcedureStepID TEXT NOT NULL DEFAULT '',
    PerformedProcedureStepDescription TEXT NOT NULL DEFAULT '',
    RequestAttributesSequence TEXT NOT NULL DEFAULT '',
    UNIQUE (parent, SeriesInstanceUID)
);
CREATE INDEX series_by_uid ON series (SeriesInstanceUID);

CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL REFERENCES series,
    SOPInstanceUID TEXT NOT NULL UNIQUE,
    SOPClassUID TEXT NOT NULL,
    InstanceNumber TEXT NOT NULL DEFAULT '',
    AcquisitionDate TEXT NOT NULL DEFAULT '',
    AcquisitionTime TEXT NOT NULL DEFAULT '',
    ContentDate TEXT NOT NULL DEFAULT '',
    ContentTime TEXT NOT NULL DEFAULT '',
    AcquisitionNumber TEXT NOT NULL DEFAULT '',
    NumberOfFrames TEXT NOT NULL DEFAULT '',
    Rows TEXT NOT NULL DEFAULT '',
    Columns TEXT NOT NULL DEFAULT '',
    transfer_syntax TEXT NOT NULL,
    digest TEXT NOT NULL,      -- SHA-256 of the encoded data set
    file TEXT NOT NULL,        -- its name below the archive's folder
    offset INTEGER NOT NULL,   -- where in the file the data set begins
    length INTEGER NOT NULL    -- of the encoded data set, in bytes
);
CREATE INDEX instances_by_series ON instances (parent);
CREATE INDEX instances_by_file ON instances (file);

-- The component groups of person names, as they are compared: without case, and without accents.
CREATE TABLE names (
    keyword TEXT NOT NULL,
    entity INTEGER NOT NULL,   -- the row that has the name, in the table that has the keyword
    folded TEXT NOT NULL,
    plain TEXT NOT NULL,
    PRIMARY KEY (keyword, entity, folded)
) WITHOUT ROWID;
CREATE INDEX names_by_folded ON names (keyword, folded);
CREATE INDEX names_by_plain ON names (keyword, plain);

-- Files that belong to no instance any more, until they are removed from the disk.
CREATE TABLE doomed (file TEXT PRIMARY KEY) WITHOUT ROWID;
"""

SCRIPTS = (_FIRST,)
"""What brings a database from one version to the next; version 0 is empty."""


class WrongDatabase(Exception):
    """The file is no database that can be used; the message says why."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to this version, all at once.

    Raises
    ------
    WrongDatabase
        When it is somebody else's, newer than this software, or damaged.
    """
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise WrongDatabase(f"it is no database that can be read: {error}") from error
    if owner != APPLICATION_ID and tables:
        raise WrongDatabase("it is the database of another program")
    if version > len(SCRIPTS):
        raise WrongDatabase(
            f"it has version {version}, and this software knows up to {len(SCRIPTS)}"
        )
    if version == len(SCRIPTS):
        return
    script = "\n".join(SCRIPTS[version:])
    connection.executescript(
        f"BEGIN IMMEDIATE; {script}; PRAGMA application_id = {APPLICATION_ID};"
        f" PRAGMA user_version = {len(SCRIPTS)}; COMMIT;"
    )
