"""Identifiers that match into lines, JSON, a table or files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwire.apps.writing import new_uid, write_part10
from dicomwire.dataset.codec import PYDICOM_ERRORS, encode
from dicomwire.network.log_identifiers import pretty_dataset
from dicomwire.network.log_text import visible
from dicomwire.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CHARACTER_SET = "00080005"
UTF8 = {"vr": "CS", "Value": ["ISO_IR 192"]}
_NO_COLUMN = ("QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC")
_WIDEST = 64  # characters of a column

Path_ = tuple[int, ...]
"""The tags that lead to a value, through the first items of sequences."""


def lines(identifier: Dataset) -> list[str]:
    """Return an identifier as lines, one an element; of one that cannot be read, that."""
    readable, others = _readable(identifier)
    return [*pretty_dataset(readable), *(f"{tag} (cannot be read)" for tag in others)]


def json_line(identifier: Dataset) -> str:
    """Return an identifier as JSON in one line (PS3.18 Annex F); bad values are left out."""
    return json.dumps(json_dict(identifier))


def json_dict(identifier: Dataset) -> dict[str, Any]:
    """Return a data set as the JSON model has it (PS3.18 F.2); bad values are left out."""
    made: dict[str, Any] = _readable(identifier)[0].to_json_dict(suppress_invalid_tags=True)
    if CHARACTER_SET in made:
        made[CHARACTER_SET] = UTF8  # what the text is now, PS3.18 F.2
    return made


def _readable(identifier: Dataset) -> tuple[Dataset, list[Any]]:
    """Return what of an identifier pydicom can read, and the tags of the rest."""
    from pydicom.dataset import Dataset
    from pydicom.errors import BytesLengthException

    readable, others = Dataset(), []
    for tag in sorted(identifier.keys()):
        try:
            readable[tag] = identifier[tag]
        except (BytesLengthException, *PYDICOM_ERRORS):
            others.append(tag)
    return readable, others


def columns(identifier: Dataset) -> dict[Path_, str]:
    """Return what a table of the matches of a query shows: headings by place, in the order of tags.

    Parameters
    ----------
    identifier : Dataset
        The query; its level has no column, as it is the same in each match.
    """
    found: dict[Path_, str] = {}
    for element in identifier:
        if element.keyword in _NO_COLUMN:
            continue
        if element.VR == "SQ" and element.value and len(element.value[0]):
            for path, heading in columns(element.value[0]).items():
                found[(int(element.tag), *path)] = heading
        else:
            found[(int(element.tag),)] = element.keyword or str(element.tag)
    return found


def cell(match: Dataset, path: Path_) -> str:
    """Return a value as text, safe to print; "" when the match does not have it."""
    from pydicom.errors import BytesLengthException

    try:
        for tag in path[:-1]:
            match = match[tag].value[0]
        element = match[path[-1]]
        if element.VR == "SQ":
            return f"{len(element.value)} items"
        if isinstance(element.value, bytes):
            return element.value.hex()
        values = element.value if element.VM > 1 else [element.value]
        return visible("\\".join("" if each is None else str(each) for each in values))
    except (BytesLengthException, *PYDICOM_ERRORS):
        return ""


def show_table(query: Dataset, matches: Sequence[Dataset]) -> None:
    """Print matches as a table with the keys of the query as columns."""
    shown = columns(query)
    headings = list(shown.values())
    rows = [[cell(match, path) for path in shown] for match in matches]
    if find_spec("rich") is None or not sys.stdout.isatty():
        print("\n".join(plain(headings, rows)))
    else:
        _rich(headings, rows)


def plain(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table of plain text, nothing cut."""
    cells = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _rich(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), max_width=_WIDEST, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


class Files:
    """Writes identifiers into files rsp0001.dcm and on.

    Parameters
    ----------
    folder : Path
        Where to.
    model : str
        UID of the information model, their Media Storage SOP Class.
    most : int, optional
        After how many it stops.
    """

    def __init__(self, folder: Path, model: str, most: int | None = None) -> None:
        self._folder = folder
        self._model = model
        self._most = most
        self._count = 0

    def write(self, identifier: Dataset) -> Path | None:
        """Write one; return its file, None when there are enough.

        Raises
        ------
        DataSetError
            When it cannot be encoded.
        OSError
            What keeps the file from being written.
        """
        if self._count == self._most:
            return None
        self._count += 1
        path = self._folder / f"rsp{self._count:04}.dcm"
        data = encode(identifier, EXPLICIT_VR_LITTLE_ENDIAN)
        write_part10(path, data, self._model, new_uid(), EXPLICIT_VR_LITTLE_ENDIAN)
        return path
