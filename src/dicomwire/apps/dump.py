"""`dicomwire dump`: DICOM files into text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwire.apps.dumping import BYTE_WORDS, NUMBERS, Dumper, Wanted
from dicomwire.apps.exits import Exit
from dicomwire.apps.keys import way
from dicomwire.apps.matches import json_dict
from dicomwire.apps.options import Option, ToolParser, anyway, flag, option, refused
from dicomwire.apps.output import log, stop_printing
from dicomwire.apps.running import run
from dicomwire.apps.selection import find_files, is_dicom
from dicomwire.dataset.codec import PYDICOM_ERRORS, first_line
from dicomwire.dataset.elements import UNDEFINED
from dicomwire.dataset.errors import DataSetError, UnreadableFile
from dicomwire.protocol.errors import LocalError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FILE_META = 0x0002  # a group that may be asked for, unlike in a query
LONG = 1024  # bytes of a binary value that JSON says the place of
_BINARY = frozenset((*BYTE_WORDS, *(vr for vr in NUMBERS if vr.startswith("O"))))
_FORMAT = "the transfer syntax is the one that the file states, or that its data set looks like"

_WHAT: tuple[Option, ...] = (
    option("path", "DICOM files and folders", common=True, nargs="+", metavar="path"),
    flag("-r --recurse +r", "go into the folders of folders too", common=True, dest="recurse"),
    anyway("+sd --scan-directories", "take the files of folders"),
    option("+sp --scan-pattern", "take only a folder's files whose names match", default="*",
           metavar="PATTERN"),
    option("+P --search", "show only this: 0010,0010, PatientName, Sequence[0].Modality; repeat",
           common=True, action="append", default=[], metavar="ELEMENT"),
)  # fmt: skip
_HOW: tuple[Option, ...] = (
    flag("+L --print-all", "show long values whole", common=True, dest="whole"),
    anyway("-L --print-short", "show long values shortened"),
    flag("--json", "a line of JSON for each file (PS3.18 Annex F)", common=True),
    anyway("+F --print-filename", "say the name of each file, when there are several"),
    anyway("+U8 --convert-to-utf8", "show text as UTF-8"),
    anyway("+f --read-file", "read files with or without file meta information"),
    anyway("-t= --read-xfer-auto", "recognise the transfer syntax"),
    anyway("-M --load-short", "do not read long values that are not shown"),
    anyway("+M --load-all", "show them with +L"),
    anyway("-T --print-indented", "indent what is in sequences"),
    *(
        refused(f"-t{letter} --read-xfer-{name}", _FORMAT)
        for letter, name in (("d", "detect"), ("e", "little"), ("b", "big"), ("i", "implicit"))
    ),
    refused("+T --print-tree", "there is one form; see --json for programs"),
)


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "dump",
        "[options] path...",
        "Shows what is in DICOM files (PS3.10), a line for each element.",
        "+P PatientName +P StudyDate -r scans/",
    )
    parser.add_options("Files", _WHAT)
    parser.add_options("Output", _HOW)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Show each file; go on after one that cannot be read."""
    wanted = tuple(way(text, f"+P {text}", FILE_META) for text in args.search)
    files = find_files(args.path, args.recurse, args.scan_pattern)
    if isinstance(sys.stdout, TextIOWrapper):  # no terminal lacks a letter so much that we end
        sys.stdout.reconfigure(errors="backslashreplace")
    headline = not args.json and (len(files) > 1 or not files[0][1] if files else False)
    code = Exit.DONE
    try:
        for path, named in files:
            try:
                show(path, args, wanted, headline)
            except LocalError as error:
                if named or is_dicom(path, error):
                    log.error(
                        "%s", error if isinstance(error, UnreadableFile) else _of(path, error)
                    )
                    code = Exit.FAILED
                else:
                    log.info("Skipped %s", error)
        sys.stdout.flush()
    except BrokenPipeError:
        stop_printing()
    return code


def _of(path: Path, error: LocalError) -> str:
    return f"{path}: {error}"


def show(path: Path, args: argparse.Namespace, wanted: Wanted, headline: bool) -> None:
    """Print one file.

    Parameters
    ----------
    path : Path
        The file.
    args : Namespace
        The options.
    wanted : tuple
        Ways to the elements to show; all when there are none.
    headline : bool
        Whether its name stands above.

    Raises
    ------
    LocalError
        When it cannot be read, or not to its end.
    """
    if args.json:
        print(json.dumps(json_of(path, args.whole, wanted)))
        return
    pieces = _Pieces(f"# {path}\n" if headline else "")
    Dumper(pieces.write, args.whole, wanted).file(path)


class _Pieces:
    """Prints a headline when there is something below it."""

    def __init__(self, headline: str) -> None:
        self._headline = headline

    def write(self, text: str) -> None:
        """Print some text."""
        sys.stdout.write(self._headline + text)
        self._headline = ""


def json_of(path: Path, whole: bool, wanted: Wanted = ()) -> dict[str, Any]:
    """Return a file's data set as the JSON model has it (PS3.18 F.2).

    Parameters
    ----------
    path : Path
        The file.
    whole : bool
        Whether long binary values are in it; else a BulkDataURI says where in the file they are.
    wanted : tuple
        Only elements of the data set that these begin with.

    Raises
    ------
    LocalError
        When the file cannot be read.
    """
    from pydicom import dcmread
    from pydicom.errors import BytesLengthException

    Dumper(len).file(path)  # finds out what is wrong with it; pydicom would take the half
    try:
        ds = dcmread(path, force=True, defer_size=None if whole else LONG)
        if wanted:
            _keep(ds, {steps[0].tag for steps in wanted})
        elsewhere = {} if whole else _taken_out(ds, path.resolve().as_uri())
        made = {**json_dict(ds), **elsewhere}
    except (BytesLengthException, *PYDICOM_ERRORS) as error:
        raise DataSetError(f"cannot be read as JSON: {first_line(error)}") from error
    return {tag: made[tag] for tag in sorted(made)}


def _keep(ds: Dataset, tags: set[int]) -> None:
    for tag in list(ds.keys()):
        if int(tag) not in tags:
            del ds[tag]


def _taken_out(ds: Dataset, uri: str) -> dict[str, Any]:
    """Take binary values that were not read out of a data set; return what stands for them."""
    from pydicom.dataelem import RawDataElement

    found: dict[str, Any] = {}
    for tag in list(ds.keys()):
        element: Any = ds.get_item(tag, keep_deferred=True)
        if not isinstance(element, RawDataElement) or element.value is not None:
            continue
        vr = element.VR or ("OW" if tag == 0x7FE00010 else "UN")
        if vr in _BINARY and element.length:
            length = "" if element.length == UNDEFINED else f"&length={element.length}"
            place = f"{uri}?offset={element.value_tell}{length}"
            found[f"{int(tag):08X}"] = {"vr": vr, "BulkDataURI": place}
            del ds[tag]
    return found
