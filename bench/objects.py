"""A number and a size into a folder of CT objects to send."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from dicomwire.dataset.part10 import encode_file_meta

CT, EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
_BLOCK = 1 << 20


def make_objects(folder: Path, count: int, size: int) -> Path:
    """Write `count` CT objects with `size` bytes of pixel data each; return the folder."""
    folder.mkdir(parents=True)
    noise = random.Random(1).randbytes(_BLOCK)
    for number in range(count):
        _write(folder / f"{number:06}.dcm", f"2.25.{size}{number:06}", size, noise)
    return folder


def make_studies(folder: Path, count: int) -> Path:
    """Write one tiny CT object for each of `count` studies and patients; return the folder."""
    folder.mkdir(parents=True)
    for number in range(count):
        study = study_uid(number)
        with (folder / f"{number:06}.dcm").open("wb") as file:
            file.write(encode_file_meta(CT, f"{study}.1", EXPLICIT, "2.25.1", "BENCH"))
            file.write(_study(number, study))
    return folder


def study_uid(number: int) -> str:
    """Return the Study Instance UID of a study that `make_studies` writes."""
    return f"2.25.9{number:06}"


def _study(number: int, study: str) -> bytes:
    return b"".join(
        (
            _text(0x0008, 0x0005, "CS", "ISO_IR 100"),
            _text(0x0008, 0x0016, "UI", CT),
            _text(0x0008, 0x0018, "UI", f"{study}.1"),
            _text(0x0008, 0x0020, "DA", "20200101"),
            _text(0x0008, 0x0030, "TM", "101010"),
            _text(0x0008, 0x0050, "SH", f"A{number:07}"),
            _text(0x0008, 0x0060, "CS", "CT"),
            _text(0x0008, 0x1030, "LO", "Thorax"),
            _text(0x0010, 0x0010, "PN", f"Bench^Mark^{number}"),
            _text(0x0010, 0x0020, "LO", f"P{number:07}"),
            _text(0x0010, 0x0030, "DA", "19500101"),
            _text(0x0010, 0x0040, "CS", "F"),
            _text(0x0020, 0x000D, "UI", study),
            _text(0x0020, 0x000E, "UI", f"{study}.2"),
            _text(0x0020, 0x0010, "SH", str(number)),
        )
    )


def _write(path: Path, uid: str, size: int, noise: bytes) -> None:
    size -= size % 2
    with path.open("wb") as file:
        file.write(encode_file_meta(CT, uid, EXPLICIT, "2.25.1", "BENCH"))
        file.write(_header(uid, size))
        for start in range(0, size, _BLOCK):
            file.write(noise[: min(_BLOCK, size - start)])


def _header(uid: str, size: int) -> bytes:
    rows, columns = min(size // 1024, 0xFFFF), 512
    return b"".join(
        (
            _text(0x0008, 0x0016, "UI", CT),
            _text(0x0008, 0x0018, "UI", uid),
            _text(0x0008, 0x0060, "CS", "CT"),
            _text(0x0010, 0x0010, "PN", "Bench^Mark"),
            _text(0x0010, 0x0020, "LO", "BENCH"),
            _text(0x0020, 0x000D, "UI", "2.25.2"),
            _text(0x0020, 0x000E, "UI", "2.25.3"),
            _number(0x0028, 0x0002, 1),
            _text(0x0028, 0x0004, "CS", "MONOCHROME2"),
            _number(0x0028, 0x0010, rows),
            _number(0x0028, 0x0011, columns),
            _number(0x0028, 0x0100, 16),
            _number(0x0028, 0x0101, 16),
            _number(0x0028, 0x0102, 15),
            _number(0x0028, 0x0103, 0),
            struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, size),
        )
    )


def _text(group: int, element: int, vr: str, text: str) -> bytes:
    value = text.encode() + (b"" if len(text) % 2 == 0 else b"\0" if vr == "UI" else b" ")
    return struct.pack("<HH2sH", group, element, vr.encode(), len(value)) + value


def _number(group: int, element: int, number: int) -> bytes:
    return struct.pack("<HH2sHH", group, element, b"US", 2, number)
