"""PS3.6's UIDs, from pydicom's dictionary and sop_classes.txt, into dicomwire/standard/uids.py.

`python -m tools.generate_standard` writes the file; with `--check` it exits 1 when the file is not
what it would write. To name a UID that pydicom does not have yet, or to add a SOP class to a
service class, edit `sop_classes.txt`, whose first lines explain its rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

FACTS = Path(__file__).with_name("sop_classes.txt")
TARGET = Path(__file__).parents[1] / "src" / "dicomwire" / "standard" / "uids.py"
NOT_ROWS_OF_A_SERVICE = (
    "not in pydicom",
    "transfer syntaxes",
    "well-known instances",
    "also named",
)
# What a peer may put in a context, a message or its negotiation, by PS3.6 Table A-1's UID types.
NAMED_TYPES = {
    "Application Context Name",
    "Meta SOP Class",
    "Service Class",
    "SOP Class",
    "Transfer Syntax",
    "Well-known SOP Instance",
}

HEAD = '''\
"""PS3.6 Table A-1: the UIDs that DICOM networking meets, as rows, and the name of each."""

# Written by tools/generate_standard.py: edit tools/sop_classes.txt and run it again.

from __future__ import annotations

from typing import NamedTuple

APPLICATION_CONTEXT_NAME = "1.2.840.10008.3.1.1.1"  # PS3.7 A.2.1


class SOPClassRow(NamedTuple):
    """A SOP class or a Meta SOP class.

    Parameters
    ----------
    uid, keyword, name : str
        As PS3.6 gives them; the name without "(Retired)".
    service_class : str
        The name of its class in `dicomwire.standard.service_classes`.
    default : bool
        Whether a storage SCU proposes it unless told otherwise: 120 of the 128 that there are room
        for.
    retired : bool
        Whether the standard no longer has it.
    file_prefix : str
        What DCMTK's storescp begins the name of such a file with; "" is its UN.
    """

    uid: str
    keyword: str
    name: str
    service_class: str
    default: bool = False
    retired: bool = False
    file_prefix: str = ""


class UIDRow(NamedTuple):
    """Any other UID: what it is called in programs and in words (PS3.6 Table A-1)."""

    uid: str
    keyword: str
    name: str


# fmt: off
'''

ALSO = """\
# Other spellings that programs import, and the keyword.
ALSO_NAMED: dict[str, str] = {"""

TAIL = '''\
# fmt: on

NAMES: dict[str, str] = {
    **{row.uid: row.name for row in SOP_CLASSES},
    **{row.uid: row.name for row in (*TRANSFER_SYNTAXES, *INSTANCES, *OTHERS)},
}


def name_of(uid: str) -> str:
    """Return what PS3.6 calls a UID, e.g. ``CT Image Storage``; an unknown one as it is."""
    return NAMES.get(uid, uid)
'''


def facts(text: str) -> dict[str, list[list[str]]]:
    """Return the sections of `sop_classes.txt`: each row as its words."""
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            rows = sections.setdefault(line.strip("[]"), [])
        elif line:
            rows.append(line.split())
    return sections


def dictionary(extra: list[list[str]]) -> dict[str, tuple[str, str]]:
    """Return keyword and name by UID: pydicom's, and those that we write down ourselves."""
    known = {uid: (fields[4], UID(uid).name) for uid, fields in UID_dictionary.items()}
    return known | {uid: (keyword, " ".join(name)) for uid, keyword, *name in extra}


def row(kind: str, *fields: str) -> str:
    """Return the source of one row, wrapped at 100 columns."""
    lines = [f"    {kind}({fields[0]},"]
    for field in (*fields[1:-1], fields[-1] + ")"):
        if len(lines[-1]) + len(field) + 2 <= 100:
            lines[-1] += f" {field},"
        else:
            lines.append(f"        {field},")
    return "\n".join(lines)


def entry(key: str, value: str) -> str:
    """Return the source of one entry of a dict, wrapped at 100 columns."""
    line = f'    "{key}": "{value}",'
    return line if len(line) <= 100 else f'    "{key}":\n        "{value}",'


def quoted(*words: str) -> list[str]:
    """Return string literals."""
    return [f'"{word}"' for word in words]


def flags(words: list[str]) -> list[str]:
    """Return what the words after the keyword of a SOP class become in its row."""
    unknown = [w for w in words if w not in ("default", "retired") and not w.startswith("file=")]
    if unknown:
        raise ValueError(f"{FACTS.name}: unknown word {unknown[0]}")
    fields = [f"{word}=True" for word in ("default", "retired") if word in words]
    return fields + [f'file_prefix="{w[5:]}"' for w in words if w.startswith("file=")]


def rows_of(sections: dict[str, list[list[str]]]) -> dict[str, list[str]]:
    """Return the source of the rows of each table."""
    known = dictionary(sections["not in pydicom"])
    written: set[str] = set()

    def named(uid: str, keyword: str) -> list[str]:
        if known[uid][0] != keyword:
            raise ValueError(f"{FACTS.name}: {uid} is {known[uid][0]}, not {keyword}")
        written.add(uid)
        return quoted(uid, *known[uid])

    def plain(rows: list[list[str]]) -> list[str]:
        return [row("UIDRow", *named(uid, keyword)) for uid, keyword in rows]

    tables = {
        "SOP_CLASSES": [
            row("SOPClassRow", *named(uid, keyword), *quoted(service), *flags(words))
            for service, rows in sections.items()
            if service not in NOT_ROWS_OF_A_SERVICE
            for uid, keyword, *words in rows
        ],
        "TRANSFER_SYNTAXES": plain(sections["transfer syntaxes"]),
        "INSTANCES": plain(sections["well-known instances"]),
    }
    tables["OTHERS"] = plain(
        [
            [uid, keyword]
            for uid, (name, uid_type, _, _, keyword) in UID_dictionary.items()
            if uid_type in NAMED_TYPES and name and uid not in written
        ]
    )
    return tables


def source(text: str) -> str:
    """Return what `uids.py` has to be.

    Parameters
    ----------
    text : str
        What `sop_classes.txt` says.

    Raises
    ------
    ValueError
        If a row's keyword is not the one that PS3.6 gives its UID, or a word is unknown.
    """
    sections = facts(text)
    parts = [HEAD]
    for name, rows in rows_of(sections).items():
        kind = rows[0].strip().partition("(")[0]
        parts.append("\n".join([f"{name}: tuple[{kind}, ...] = (", *rows, ")\n\n"]))
    also = [entry(other, keyword) for other, keyword in sections["also named"]]
    return "".join(parts) + "\n".join([ALSO, *also, "}", TAIL])


def main(arguments: list[str], target: Path = TARGET) -> int:
    """Write the file, or with ``--check`` compare it; return the exit code."""
    wanted = source(FACTS.read_text(encoding="utf-8"))
    if "--check" in arguments:
        if target.exists() and target.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{target.name} is stale: run python -m tools.generate_standard", file=sys.stderr)
        return 1
    target.write_text(wanted, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
