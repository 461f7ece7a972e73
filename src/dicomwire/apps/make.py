"""`dicomwire make`: a text, as `dump`, dcmdump and hands write it, into a DICOM file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwire.apps.dump_text import DumpError, Made, read_dump
from dicomwire.apps.exits import Exit
from dicomwire.apps.options import (
    OnlyOne,
    Option,
    ToolParser,
    WrongUse,
    anyway,
    flag,
    option,
    refused,
)
from dicomwire.apps.output import log
from dicomwire.apps.running import run
from dicomwire.apps.writing import new_uid, write_part10, write_whole
from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.errors import DataSetError
from dicomwire.standard.sop_classes import KEYWORDS
from dicomwire.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    is_uncompressed,
)
from dicomwire.standard.uids import name_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NEW_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
SOP_CLASS, INSTANCE, SYNTAX = 0x02, 0x03, 0x10  # of the file meta information


def _written(letter: str, name: str, uid: str, common: bool = False) -> Option:
    names, text = f"+t{letter} --write-xfer-{name}", f"write {name_of(uid)}"
    return flag(names, text, action=OnlyOne, nargs=0, const=uid, dest="syntax", common=common)


_FILES: tuple[Option, ...] = (
    option("text", "the text; - reads standard input", common=True, metavar="text-file"),
    option("file", "the DICOM file to write", common=True, metavar="dicom-file"),
)
_UIDS: tuple[Option, ...] = (
    flag("+Ug --generate-new-uids", "new Study, Series and SOP Instance UIDs where there are none",
         common=True, dest="generate"),
    flag("+Uo --overwrite-uids", "and in place of those there are", common=True),
    anyway("-Uo --dont-overwrite-uids", "leave UIDs that there are"),
)  # fmt: skip
_OUTPUT: tuple[Option, ...] = (
    flag("-F --write-dataset", "write no file meta information", dest="bare"),
    anyway("+F --write-file", "write file meta information"),
    anyway("+Fu --update-meta-info", "write it to fit the data set"),
    anyway("+f --read-meta-info", "take the transfer syntax from the file meta information"),
    flag("-f --ignore-meta-info", "do not", dest="ignore_meta"),
    anyway("+t= --write-xfer-same", "write the transfer syntax that the text has"),
    _written("e", "little", EXPLICIT_VR_LITTLE_ENDIAN, common=True),
    _written("i", "implicit", IMPLICIT_VR_LITTLE_ENDIAN, common=True),
    _written("b", "big", EXPLICIT_VR_BIG_ENDIAN),
    _written("d", "deflated", DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
    flag("-e --length-undefined", "write sequences with undefined length (default: as the text)",
         const=True, dest="undefined"),
    flag("+e --length-explicit", "write them with explicit length", const=False, dest="undefined"),
    anyway("-E --stop-on-error", "write nothing when the text is damaged"),
    refused("+E --ignore-errors", "half a file is of no use; the message says what to mend"),
    anyway("+u --enable-new-vr", "write the VRs of the text"),
    refused("-u --disable-new-vr", "VRs are written as the text has them"),
    anyway("-g --group-length-remove -g= +g=", "write no group lengths (PS3.5 7.2)"),
    refused("+g --group-length-create", "group lengths are retired (PS3.5 7.2)"),
    anyway("-p --padding-off -p=", "add no padding"),
    refused("+p --padding-create", "files are not padded", 2),
    option("+l --line", "longest line (done anyway: lines of any length)", metavar="N"),
    anyway("+rl --read-file-little", "take words from files in little endian"),
    refused("+rb --read-file-big", "files are read in little endian"),
    refused("+cl --compression-level", "deflated data sets have one level", 1),
)  # fmt: skip


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "make",
        "[options] text-file dicom-file",
        "Makes a DICOM file of lines like (0010,0010) PN [Name], or PatientName=Name.",
        "query.txt query.dcm",
    )
    parser.add_options("Files", _FILES)
    parser.add_options("UIDs", _UIDS)
    parser.add_options("Output", _OUTPUT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Make the file."""
    made = _made(args)
    if made.assumed:
        log.info("Text that is not ASCII is written as %s", made.assumed)
    stated = "" if args.ignore_meta else made.meta.get(SYNTAX, "")
    syntax = args.syntax or stated or EXPLICIT_VR_LITTLE_ENDIAN
    if made.is_compressed == is_uncompressed(syntax) and made.has_pixels:
        raise WrongUse(_contradiction(args.text, made, syntax))
    try:
        data = made.data
        ds = decode(data, EXPLICIT_VR_LITTLE_ENDIAN)
        if syntax != EXPLICIT_VR_LITTLE_ENDIAN and is_uncompressed(syntax):
            data = encode(ds, syntax)
        path = Path(args.file)
        if args.bare:
            write_whole(path, data)
        else:
            write_part10(path, data, *_names(ds, made), syntax)
    except DataSetError as error:
        log.error("%s: %s", args.text, error)
        return Exit.FAILED
    except OSError as error:
        log.error("%s cannot be written: %s", args.file, error.strerror)
        return Exit.NOT_HERE
    log.info("Wrote %s (%s)", path, name_of(syntax))
    return Exit.DONE


def _made(args: argparse.Namespace) -> Made:
    uids = {keyword: new_uid() for keyword in NEW_UIDS} if args.generate else {}
    if args.overwrite_uids and not uids:
        raise WrongUse("+Uo says what becomes of old UIDs when there are new ones: add +Ug")
    folder = None if args.text == "-" else Path(args.text).parent
    try:
        return read_dump(_text(args.text), folder, args.undefined, uids, args.overwrite_uids)
    except DumpError as error:
        raise WrongUse(f"{args.text}, {error}") from error


def _text(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise WrongUse(f"{name} cannot be read: {error.strerror}") from error


def _contradiction(name: str, made: Made, syntax: str) -> str:
    if made.is_compressed:
        how = "give the one that it has, as in (0002,0010) UI [1.2.840.10008.1.2.5]"
        return f"{name} has compressed pixel data, but {name_of(syntax)} has none: {how}"
    return f"{name} has pixel data that is not compressed, but {name_of(syntax)} is: give +te"


def _names(ds: Dataset, made: Made) -> tuple[str, str]:
    """Return the SOP class and instance that the file meta information names."""
    sop_class = str(ds.get("SOPClassUID") or "") or made.meta.get(SOP_CLASS, "") or _model(ds)
    instance = str(ds.get("SOPInstanceUID") or "") or made.meta.get(INSTANCE, "") or new_uid()
    return sop_class, instance


def _model(ds: Dataset) -> str:
    """Return the information model that a data set without SOP class looks like a query for."""
    if "ScheduledProcedureStepSequence" in ds:
        return KEYWORDS["ModalityWorklistInformationModelFind"]
    root = "Patient" if ds.get("QueryRetrieveLevel") == "PATIENT" else "Study"
    return KEYWORDS[f"{root}RootQueryRetrieveInformationModelFind"]
