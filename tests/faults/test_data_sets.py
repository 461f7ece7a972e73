"""Rows F of the fault list, those that need no archive: data sets that are wrong, odd or too much.

`ROWS` has a fault in each row, what is sent, and the status that is due; the tests send it to a
storescp and to a server of asyncio. Afterwards both still answer, what was stored is still there,
and nothing but what was acknowledged has a name.
"""

from __future__ import annotations

import random
import resource
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
from pydicom.pixels.decoders.base import DecodeRunner

from dicomwire.dataset.errors import DataSetError, UnreadableFile
from dicomwire.dataset.part10 import encode_file_meta, read_header
from tests.dataset.samples import (
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    explicit,
    implicit,
    instance_explicit,
    shipped_files,
)
from tests.faults.folder_stores import (
    CANNOT_UNDERSTAND,
    DOES_NOT_MATCH,
    OUT_OF_RESOURCES,
    SERVERS,
    Standing,
    serving_of,
    store,
    stored,
)

pytestmark = pytest.mark.socket

UID = "1.2.3.4"
STORED, INVALID_INSTANCE = 0x0000, 0x0117
ITEM, ITEM_END, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
UNDEFINED = 0xFFFFFFFF
IDS = instance_explicit(UID)
IMPLICIT_IDS = b"".join(
    implicit(tag, uid.encode() + b"\0" * (len(uid) % 2))
    for tag, uid in ((0x80016, CT), (0x80018, UID), (0x20000D, "1.2.8"), (0x20000E, "1.2.9"))
)
SEQUENCE = 0x00400275


def head(tag: int, vr: bytes, length: int) -> bytes:
    """Return the header of an element with a length of 32 bits."""
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, length)


def nested(depth: int, defined: bool = False) -> bytes:
    """Return sequences in each other, built from the outside: 100,000 take no time."""
    if not defined:
        opening = head(SEQUENCE, b"SQ", UNDEFINED) + ITEM + struct.pack("<L", UNDEFINED)
        return IDS + opening * depth + (ITEM_END + END) * depth
    lengths = (20 * inner for inner in range(depth - 1, -1, -1))
    return IDS + b"".join(
        head(SEQUENCE, b"SQ", 8 + inner) + ITEM + struct.pack("<L", inner) for inner in lengths
    )


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    done = deflater.compress(data) + deflater.flush()
    return done + b"\0" * (len(done) % 2)


def bomb(megabytes: int) -> bytes:
    """Return an instance with so many zeros, deflated: the same block again and again."""
    deflater = zlib.compressobj(9, wbits=-15)
    begin = deflater.compress(IDS + head(0x7FE00010, b"OB", megabytes << 20))
    begin += deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    done = begin + block * megabytes + deflater.flush()
    return done + b"\0" * (len(done) % 2)


def encapsulated(*parts: bytes) -> bytes:
    return IDS + head(0x7FE00010, b"OB", UNDEFINED) + b"".join(parts)


def fragment(content: bytes) -> bytes:
    return ITEM + struct.pack("<L", len(content)) + content


def without(tag: int) -> bytes:
    """Return an instance without one of its UIDs, and one where it is empty."""
    return b"".join(explicit(each, "UI", uid) for each, uid in UIDS.items() if each != tag)


UIDS = {
    0x00080016: CT.encode() + b"\0",
    0x00080018: UID.encode() + b"\0",
    0x0020000D: b"1.2.8\0",
    0x0020000E: b"1.2.9\0",
}
PAYLOADS = [
    "<script>alert(1)</script>",
    "'; DROP TABLE x;--",
    "%s%n",
    "{{7*7}}",
    "=cmd()",
    "\x1b[31m",
]


STUDY = 0x0020000D
IDENTIFIERS = (
    (0x00080050, "SH", "Accession Number"),
    (0x00100020, "LO", "Patient ID"),
    (STUDY, "UI", "Study Instance UID"),
)
PATHS = [
    *("../../x", "/abs", "..", ".", "", "1.2/3", "CON", "1.2.3 ", "\u6771\u4eac", "9" * 65),
    *("a\nI: b", "\x1b[2J"),
]
"""What would leave a folder, name a device or break a line, if it became a name or was logged."""


def _with_identifier(tag: int, vr: str, text: str) -> bytes:
    """Return an instance with such a value in one of its identifiers."""
    value = text.encode()
    elements = {**{each: ("UI", uid) for each, uid in UIDS.items()}, tag: (vr, value)}
    return b"".join(
        explicit(each, kind, value + b" " * (len(value) % 2))
        for each, (kind, value) in sorted(elements.items())
    )


class Row(NamedTuple):
    """A fault.

    Attributes
    ----------
    id : str
        Of the fault list.
    fault : str
        What is wrong.
    data : callable
        Makes the data set.
    status : int
        That is due.
    uid : str
        SOP Instance UID of the command.
    syntax : str
        Transfer syntax of the context.
    answer : str
        What else there is to say, for the documentation.
    """

    id: str
    fault: str
    data: Callable[[], bytes]
    status: int
    uid: str = UID
    syntax: str = EXPLICIT
    answer: str = ""


def _rows() -> Iterator[Row]:
    yield Row("F01", "an empty data set", lambda: b"", CANNOT_UNDERSTAND)
    yield Row("F02", "random bytes", lambda: random.Random(1).randbytes(100_000), CANNOT_UNDERSTAND)
    yield Row("F02", "a text", lambda: b"GET / HTTP/1.1\r\n\r\n" * 9, CANNOT_UNDERSTAND)
    big = IDS + head(0x7FE00010, b"OW", 1 << 30) + b"1234"
    yield Row("F03", "a value of 1 GiB, 4 bytes of it there", lambda: big, CANNOT_UNDERSTAND)
    for vr in (b"OB", b"UT", b"UN", b"OW"):
        almost = IDS + head(0x00420011, vr, UNDEFINED - 1)
        name = vr.decode()
        yield Row("F04", f"{name} of length FFFFFFFEH", lambda d=almost: d, CANNOT_UNDERSTAND)
        none = IDS + head(0x00420011, vr, UNDEFINED)
        yield Row("F04", f"{name} of undefined length", lambda d=none: d, CANNOT_UNDERSTAND)
    for depth, status in ((31, STORED), (32, STORED), (33, CANNOT_UNDERSTAND)):
        for defined in (False, True):
            how = "with lengths" if defined else "without lengths"
            data = nested(depth, defined)
            yield Row("F05", f"{depth} sequences in each other, {how}", lambda d=data: d, status)
    for depth in (500, 50_000, 100_000):
        for defined in (False, True):
            how = "with lengths" if defined else "without lengths"
            yield Row(
                "F06",
                f"{depth:,} sequences in each other, {how}",
                lambda d=depth, w=defined: nested(d, w),
                CANNOT_UNDERSTAND,
            )
    items = IDS + head(SEQUENCE, b"SQ", 8_000_000)
    yield Row("F08", "1,000,000 items", lambda: items + fragment(b"") * 1_000_000, STORED)
    yield Row(
        "F08", "1,000,000 elements", lambda: IDS + explicit(0x400010, "SH", b"") * 10**6, STORED
    )
    yield Row("F08", "100,000 private creators", _private_creators, STORED)
    open_item = head(SEQUENCE, b"SQ", UNDEFINED) + ITEM + struct.pack("<L", UNDEFINED)
    delimiters = {
        "no sequence delimiter": open_item + ITEM_END,
        "no item delimiter": open_item,
        "an item delimiter with a length": open_item + ITEM_END[:4] + b"\2\0\0\0ab" + END,
        "a sequence delimiter with a length": open_item + ITEM_END + END[:4] + b"\2\0\0\0ab",
        "an item delimiter where none is due": ITEM_END,
        "a sequence delimiter where none is due": END,
    }
    for fault, data in delimiters.items():
        yield Row("F09", fault, lambda d=data: IDS + d, CANNOT_UNDERSTAND)
    late = explicit(0x00080005, "CS", b"ISO_IR 100")
    yield Row("F10", "an element out of order", lambda: IDS + late, STORED, answer="as received")
    yield Row(
        "F10",
        "an element twice",
        lambda: IDS + instance_explicit("9.9"),
        STORED,
        answer="the first counts, as received",
    )
    yield Row(
        "F10",
        "groups 0000 and 0002 in a data set",
        lambda: explicit(0, "UL", bytes(4)) + explicit(0x20010, "UI", b"1.2\0") + IDS,
        STORED,
        answer="as received",
    )
    yield Row("F11", "the VR ??", lambda: IDS + b"\x40\0\x10\0??\2\0ab", CANNOT_UNDERSTAND)
    yield Row("F11", "a VR in lower case", lambda: IDS + b"\x40\0\x10\0sh\2\0ab", CANNOT_UNDERSTAND)
    yield Row(
        "F11",
        "another VR than the dictionary's",
        lambda: IDS + explicit(0x00280010, "LO", b"ab"),
        STORED,
        answer="as received",
    )
    yield Row("F11", "Implicit VR in an explicit context", lambda: IMPLICIT_IDS, CANNOT_UNDERSTAND)
    yield Row(
        "F11", "Explicit VR in an implicit context", lambda: IDS, CANNOT_UNDERSTAND, syntax=IMPLICIT
    )
    for vr in ("AE", "AS", "CS", "DA", "LO", "PN", "SH", "US", "FD", "OB", "UN", "UT"):
        odd = explicit(0x00401010, vr, b"odd")
        yield Row("F12", f"an odd length, {vr}", lambda d=odd: IDS + d, STORED, answer="logged")
    other = instance_explicit("9.8.7")
    yield Row("F13", "another SOP Instance UID than the command's", lambda: other, DOES_NOT_MATCH)
    mr = instance_explicit(UID, "1.2.840.10008.5.1.4.1.1.4")
    yield Row("F13", "another SOP Class UID than the command's", lambda: mr, DOES_NOT_MATCH)
    for tag, name in ((0x80016, "SOP Class"), (0x80018, "SOP Instance"), (0x20000D, "Study")):
        missing, empty = (
            without(tag),
            b"".join(
                explicit(each, "UI", b"" if each == tag else uid) for each, uid in UIDS.items()
            ),
        )
        yield Row("F14", f"no {name} UID", lambda d=missing: d, DOES_NOT_MATCH)
        yield Row("F14", f"an empty {name} UID", lambda d=empty: d, DOES_NOT_MATCH)
    yield Row("F14", "no Series UID", lambda: without(0x20000E), DOES_NOT_MATCH)
    no_patient = IDS + explicit(0x00100020, "LO", b"")
    yield Row("F14", "an empty Patient ID", lambda: no_patient, STORED, answer="Type 2")
    for uid in ("../../x", "/abs", "..", ".", "1.2\\3", "1.2/3", "1.2." + "3" * 61, "01.2", "CON"):
        data = instance_explicit(uid)
        yield Row("F15", f"the SOP Instance UID {uid}", lambda d=data: d, INVALID_INSTANCE, uid)
    for tag, vr, name in IDENTIFIERS:
        for path in PATHS:
            data = _with_identifier(tag, vr, path)
            shown = path.replace("\n", "LF").replace("\x1b", "ESC ") or "nothing"
            # nothing is Type 2 for a Patient ID and an Accession Number, and Type 1 for a study
            status = DOES_NOT_MATCH if (tag, path) == (STUDY, "") else STORED
            answer = "no path, and verbatim" if status == STORED else ""
            yield Row("F16", f"{name} {shown}", lambda d=data: d, status, answer=answer)
    for text in PAYLOADS:
        value = text.encode() + b" " * (len(text) % 2)
        paths = explicit(0x100020, "LO", b"../../etc/x ") + explicit(0x80050, "SH", b"/abs")
        data = IDS + explicit(0x00100010, "PN", value) + paths
        shown = text.replace("\x1b", "ESC ").replace("|", "/")
        yield Row(
            "F17", f"{shown} in texts, paths in IDs", lambda d=data: d, STORED, answer="verbatim"
        )
    long_name = IMPLICIT_IDS + struct.pack("<HHL", 0x40, 0xA123, 10_000_000) + b"a" * 10_000_000
    yield Row("F18", "a name of 10 MB", lambda: long_name, STORED, syntax=IMPLICIT)
    yield Row("F18", "a text of 70,000 characters", lambda: IDS + _text(70_000), STORED)
    yield Row("F18", "a name of 200 characters", lambda: IDS + _name(200), STORED)
    for charset in (b"ISO_IR 999", b"\\ISO 2022 IR 87 ", b"GB18030 ", b"ISO_IR 192"):
        data = late[:6] + struct.pack("<H", len(charset)) + charset + IDS
        data += explicit(0x00401010, "LO", b"\x1b$B\xff\xfe\x5c\x81\x5c")
        name = charset.decode().strip()
        yield Row("F19", f"unreadable text in {name}", lambda d=data: d, STORED, answer="verbatim")
    yield Row("F20", "64 MB of zeros, deflated", lambda: bomb(64), STORED, syntax=DEFLATED)
    yield Row(
        "F20", "512 MB of zeros, deflated", lambda: bomb(512), OUT_OF_RESOURCES, syntax=DEFLATED
    )
    whole = deflated(IDS + explicit(0x7FE00010, "OB", random.Random(2).randbytes(5000)))
    broken = {
        "damaged": whole[:1] + b"\xff" * 99 + whole[100:],
        "cut off": whole[:-400],
        "more behind the stream": whole + b"more",
    }
    for fault, data in broken.items():
        row = Row("F21", f"deflated, {fault}", lambda d=data: d, CANNOT_UNDERSTAND, syntax=DEFLATED)
        yield row
    odd_stream = _odd_stream()
    yield Row(
        "F21",
        "deflated, of odd length",
        lambda: odd_stream,
        STORED,
        syntax=DEFLATED,
        answer="common: files of pydicom and of others are so",
    )
    yield Row(
        "F22", "deflated twice", lambda: deflated(deflated(IDS)), CANNOT_UNDERSTAND, syntax=DEFLATED
    )
    yield Row(
        "F22", "zlib's header", lambda: zlib.compress(IDS), CANNOT_UNDERSTAND, syntax=DEFLATED
    )
    pixels = {
        "Rows x Columns beyond 2^31": (0x280010, "US", b"\xff\xff"),
        "High Bit beyond Bits Allocated": (0x280102, "US", b"\xff\0"),
        "-1 frames": (0x280008, "IS", b"-1"),
        "1,000,000,000 frames": (0x280008, "IS", b"1000000000"),
        "UL in Rows": (0x280010, "UL", b"\0\0\0\x80"),
    }
    for fault, (tag, vr, value) in pixels.items():
        data = IDS + explicit(tag, vr, value) + explicit(0x7FE00010, "OW", b"12")
        yield Row("F23", fault, lambda d=data: d, STORED, answer="nothing is decoded")
    framed = {
        "no fragment": ((END,), STORED),
        "a wrong offset table": ((fragment(b"\xff" * 8), fragment(b"12"), END), STORED),
        "no delimiter": ((fragment(b""), fragment(b"12")), CANNOT_UNDERSTAND),
        "a fragment that ends early": ((fragment(b""), fragment(b"12")[:-1]), CANNOT_UNDERSTAND),
    }
    for fault, (parts, status) in framed.items():
        data = encapsulated(*parts)
        yield Row("F24", f"encapsulated, {fault}", lambda d=data: d, status, syntax=JPEG_BASELINE)
    frames = encapsulated(*[fragment(b"12")] * 100_000, END)
    yield Row("F30", "100,000 fragments", lambda: frames, STORED, syntax=JPEG_BASELINE)
    yield Row("F30", "one pixel", lambda: IDS + explicit(0x7FE00010, "OW", b"12"), STORED)


def _private_creators() -> bytes:
    """Return as many as there may be in a group, again and again in the odd groups."""
    blocks = b"".join(explicit(element, "LO", b"CREATOR ") for element in range(0x10, 0x100))
    return IDS + b"".join(
        b"".join(
            struct.pack("<H", group) + blocks[at + 2 : at + 16] for at in range(0, len(blocks), 16)
        )
        for group in range(0x1001, 0x1001 + 2 * 417, 2)
    )


def _text(length: int) -> bytes:
    return explicit(0x0040A160, "UT", b"a" * length)


def _name(length: int) -> bytes:
    return explicit(0x00100010, "PN", b"N" * length)


def _odd_stream() -> bytes:
    """Return a deflated instance of odd length without padding."""
    for length in range(64):
        deflater = zlib.compressobj(wbits=-15)
        done = deflater.compress(IDS + _text(2 * length)) + deflater.flush()
        if len(done) % 2:
            return done
    raise AssertionError("no such stream")


ROWS = list(_rows())
OTHERS = [
    ("F07", "the deepest object that is taken", "pydicom reads it"),
    (
        "F25",
        "JPEG, JPEG-LS, JPEG 2000 and RLE, their pixels changed or cut",
        "stored as it came where its lengths fit, 0xC000 where not; nothing is decoded",
    ),
    ("F26", "a file whose preamble is a program's", "sent without its preamble"),
    ("F27", "no file meta information, no preamble, a wrong group length", "recognised, and sent"),
    ("F27", "a private transfer syntax", "sent where a peer takes it"),
    ("F27", "an unreadable transfer syntax, no data set, another format", "an error that says so"),
    ("F28", "a DICOMDIR", "not sent, and what it refers to is not looked at"),
    ("F29", "an object of 8 GiB", "its headers are read, and nothing else"),
    (
        "F31",
        "a file that is replaced while it is sent",
        "the first is sent whole, or it is an error",
    ),
    ("F32", "pydicom's own files", "bytes out are bytes in; what has no Study UID is refused"),
]


def answers() -> list[tuple[str, str, str]]:
    """Return our answers to rows F, for the documentation: ID, fault, answer."""
    names = {
        STORED: "stored as it came",
        INVALID_INSTANCE: "0x0117",
        OUT_OF_RESOURCES: "0xA700",
        DOES_NOT_MATCH: "0xA900",
        CANNOT_UNDERSTAND: "0xC000",
    }
    rows = [
        (row.id, row.fault, ", ".join(filter(None, (names[row.status], row.answer))))
        for row in ROWS
    ]
    return sorted([*rows, *OTHERS], key=lambda row: row[0])


def test_every_row_has_an_answer() -> None:
    assert {row[0] for row in answers()} == {f"F{number:02}" for number in range(1, 33)}


@pytest.fixture(scope="module", params=SERVERS)
def standing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standing]:
    with serving_of(request.param, tmp_path_factory.mktemp("data-sets") / "received") as server:
        yield server


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.id} {row.fault}" for row in ROWS])
def test_row(standing: Standing, row: Row, caplog: pytest.LogCaptureFixture) -> None:
    empty(standing)
    good = instance_explicit("1.9.9")
    assert standing.store("1.9.9", good) == 0
    data, before = row.data(), resident()
    assert standing.store(row.uid, data, syntax=row.syntax) == row.status
    assert resident() - before < 64 << 20
    expected = ["CT.1.9.9", *([f"CT.{UID}"] if row.status == STORED else [])]
    assert standing.names == sorted(expected)
    if row.status == STORED:
        assert stored_whole(standing.folder / f"CT.{UID}", row.syntax) == data
    assert stored(standing.folder / "CT.1.9.9") == good
    assert [each.name for each in standing.folder.parent.iterdir()] == [standing.folder.name]
    assert standing.echo() == 0
    assert "Traceback" not in caplog.text
    assert not any(set("\n\x1b") & set(each.getMessage()) for each in caplog.records)
    logged = [each for each in caplog.records if each.levelname in ("ERROR", "WARNING")]
    assert len(logged) == (row.status != STORED or row.answer == "logged")


def empty(standing: Standing) -> None:
    """Remove what the tests before have left."""
    for path in standing.folder.iterdir():
        path.unlink()


def resident() -> int:
    """Return the greatest resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def stored_whole(path: Path, syntax: str) -> bytes:
    """Return the data set in a file that is ours, of which readers may know nothing."""
    content = path.read_bytes()
    at = content.index(syntax.encode()) + len(syntax)
    # behind the transfer syntax come the two elements that say who wrote the file
    while content[at : at + 2] != b"\2\0":
        at += 1
    while content[at : at + 2] == b"\2\0":
        at += 8 + int.from_bytes(content[at + 6 : at + 8], "little")
    return content[at:]


# -- files: rows F07, F27, F31, F32 -----------------------------------------------------------


def test_the_deepest_that_is_taken_can_be_read(standing: Standing) -> None:  # F07
    empty(standing)
    assert standing.store(UID, nested(32)) == 0
    ds = pydicom.dcmread(standing.folder / f"CT.{UID}")
    depth = 0
    while SEQUENCE in ds:
        (ds,) = ds[SEQUENCE].value
        depth += 1
    assert depth == 32


WITHOUT_STUDY = {"JPEGLSNearLossless_08", "JPEGLSNearLossless_16", "SC_rgb_jls_lossy_line"}
WITHOUT_STUDY |= {"SC_rgb_jls_lossy_sample", "UN_sequence", "priv_SQ", "no_meta_group_length"}
IMPLICIT_THAT_SAYS_EXPLICIT = {"SC_rgb_jpeg"}


def whole_instances() -> list[Path]:
    """Return pydicom's images and documents, but DICOMDIRs and those that are not sound."""
    left_out = WITHOUT_STUDY | IMPLICIT_THAT_SAYS_EXPLICIT
    return [
        path
        for path in shipped_files()
        if path.stem not in left_out and not path.name.startswith("DICOMDIR")
    ]


@pytest.mark.parametrize("path", whole_instances(), ids=lambda path: path.stem)
def test_bytes_out_are_bytes_in(standing: Standing, path: Path) -> None:  # F32
    header = read_header(path)
    data = path.read_bytes()[header.offset :]
    uid, sop_class = header.sop_instance_uid, header.sop_class_uid
    empty(standing)
    meta_only = path.stem in ("rtplan", "rtdose")  # another UID than in the data set
    status = standing.store(uid, data, sop_class, header.transfer_syntax_uid)
    if meta_only and status:
        assert status == DOES_NOT_MATCH
        return
    assert status == 0
    (name,) = standing.names
    assert stored_whole(standing.folder / name, header.transfer_syntax_uid) == data


META = encode_file_meta(CT, UID, EXPLICIT, "1.2.3", "TEST")
FILES: dict[str, tuple[bytes, str]] = {
    "no file meta information": (IDS, EXPLICIT),
    "no preamble": (META[132:] + IDS, EXPLICIT),
    "a wrong group length": (META[:140] + b"\xff\xff\0\0" + META[144:] + IDS, EXPLICIT),
    "a private transfer syntax": (
        encode_file_meta(CT, UID, "1.2.9.9", "1.2.3", "") + IDS,
        "1.2.9.9",
    ),
    "an unreadable transfer syntax": (META.replace(EXPLICIT.encode(), b"\xff" * 19) + IDS, ""),
    "a program's preamble": (b"MZ" + META[2:] + IDS, EXPLICIT),
    "nothing behind the file meta information": (META, ""),
    "a text": (b"hello, world\n" * 40, ""),
}


@pytest.mark.parametrize("fault", FILES)
def test_files(fault: str, tmp_path: Path) -> None:  # F26, F27
    content, syntax = FILES[fault]
    path = tmp_path / "file"
    path.write_bytes(content)
    if not syntax:
        with pytest.raises((UnreadableFile, DataSetError)):
            read_header(path)
        return
    header = read_header(path)
    assert (header.transfer_syntax_uid, header.sop_instance_uid) == (syntax, UID)
    assert content[header.offset :] == IDS


def test_a_file_that_is_replaced_while_it_is_sent(
    standing: Standing, tmp_path: Path
) -> None:  # F31
    """What was opened is sent: another file of that name does not get into the middle of it."""
    empty(standing)
    path = tmp_path / "file"
    data = IDS + explicit(0x7FE00010, "OW", b"first" * 2_000_000)
    path.write_bytes(META + data)
    with standing.associated(CT, EXPLICIT) as association:
        header = read_header(path)
        other = tmp_path / "other"
        other.write_bytes(META + IDS + explicit(0x7FE00010, "OW", b"other" * 2_000_000))
        other.replace(path)
        try:
            status = association.c_store(header).status
        except UnreadableFile:
            return  # it is noticed, and not sent
    assert status == 0
    assert stored(standing.folder / f"CT.{UID}") in (data, path.read_bytes()[len(META) :])


# -- row F25 ------------------------------------------------------------------------------------

COMPRESSED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
PIXELS = b"\xe0\x7f\x10\0%s\0\0\xff\xff\xff\xff"
ROUNDS = 20


def compressed_files() -> list[Path]:
    """Return one of pydicom's files of each compressed transfer syntax."""
    found: dict[str, Path] = {}
    for path in whole_instances():
        syntax = read_header(path).transfer_syntax_uid
        if syntax.startswith(COMPRESSED) and path.stat().st_size < 1_000_000:
            found.setdefault(syntax, path)
    return list(found.values())


def changed(data: bytes, pixels: int, chance: random.Random) -> bytes:
    """Return a data set whose compressed pixels are changed: bytes, a length, or the end."""
    at = chance.randrange(pixels, len(data))
    kind = chance.randrange(4)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + chance.randbytes(chance.randrange(1, 64)) + data[at:]
    many = bytearray(data)
    if kind == 2:  # the length of its first fragment but one, which is the first of pixels
        first = pixels + 12
        table = int.from_bytes(data[first + 4 : first + 8], "little")
        struct.pack_into("<L", many, first + 8 + table + 4, chance.randrange(1 << 32))
        return bytes(many)
    for _ in range(chance.randrange(1, 200)):
        many[chance.randrange(pixels + 20, len(many) - 8)] = chance.randrange(256)
    return bytes(many)


def _decoded(*arguments: object, **options: object) -> None:
    raise AssertionError("pixels were decoded")


@pytest.mark.parametrize("path", compressed_files(), ids=lambda path: path.stem)
def test_compressed_pixels(  # F25
    standing: Standing,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(DecodeRunner, "__init__", _decoded)
    empty(standing)
    header = read_header(path)
    data = path.read_bytes()[header.offset :]
    uid, sop_class = header.sop_instance_uid, header.sop_class_uid
    pixels = max(data.rfind(PIXELS % vr) for vr in (b"OB", b"OW"))
    chance, seen = random.Random(path.name), set[int]()
    with standing.associated(sop_class, header.transfer_syntax_uid) as association:
        for _ in range(ROUNDS):
            sent = changed(data, pixels, chance)
            status = store(association, uid, sent, sop_class)
            seen.add(status)
            assert len(standing.names) == (status == STORED)
            for name in standing.names:
                assert stored_whole(standing.folder / name, header.transfer_syntax_uid) == sent
            empty(standing)
    assert seen == {STORED, CANNOT_UNDERSTAND}
    assert standing.store("1.9.9") == 0
    assert "Traceback" not in caplog.text
