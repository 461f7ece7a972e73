"""A look through a data set: what is kept, and what is no data set."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicomwire.archive import scan as module
from dicomwire.archive.attributes import BY_TAG
from dicomwire.archive.scan import keys, scan
from dicomwire.dataset.codec import encode
from dicomwire.dataset.errors import DataSetError
from tests.archive.samples import EXPLICIT, IMPLICIT, instance
from tests.dataset.samples import BIG_ENDIAN, DEFLATED, UNCOMPRESSED, explicit


def item(**elements: str) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize("block", [1, 9, 100, 1 << 12])
def test_the_same_is_kept_however_it_is_read(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Elements begin and end in any block; of one that comes twice the first value counts."""
    monkeypatch.setattr(module, "_BLOCK", block)
    ds = instance(
        PatientComments="x" * 5000,
        RequestAttributesSequence=[item(RequestedProcedureID="R1"), item()],
        PixelData=bytes(6000),
    )
    ds["PixelData"].VR = "OW"
    data = encode(ds, EXPLICIT) + encode(item(PatientID="second", StudyID="7"), EXPLICIT)
    found = scan(io.BytesIO(data), EXPLICIT)
    assert found.digest == hashlib.sha256(data).hexdigest()
    assert found.length == len(data)
    assert found.values["PatientID"] == "ID1"
    assert found.values["PatientComments"] == "x" * 5000
    assert json.loads(found.values["RequestAttributesSequence"])[0] == {
        "RequestedProcedureID": "R1"
    }
    assert found.values["StudyID"] == "7"


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_the_same_is_kept_of_every_encoding(syntax: str) -> None:
    ds = instance(
        PatientName="Müller^Jörg=山田^太郎",
        StudyDate="1997.04.24",
        StudyTime="10:11:12",
        SeriesNumber="007",
        Rows=512,
        OperatorsName=["A^B", "C^D"],
        RequestAttributesSequence=[
            item(RequestedProcedureID="R1"),
            item(ScheduledProcedureStepID="Ä"),
        ],
    )
    data = encode(ds, syntax)
    found = scan(io.BytesIO(data), syntax)
    assert found.digest == hashlib.sha256(data).hexdigest()
    assert found.length == len(data)
    values = found.values
    assert values["PatientName"] == "Müller^Jörg=山田^太郎"
    assert (values["StudyDate"], values["StudyTime"]) == ("19970424", "101112")
    assert (values["SeriesNumber"], values["Rows"]) == ("7", "512")
    assert values["OperatorsName"] == "A^B\\C^D"
    assert json.loads(values["RequestAttributesSequence"]) == [
        {"RequestedProcedureID": "R1"},
        {"ScheduledProcedureStepID": "Ä"},
    ]


def test_every_cut_is_noticed() -> None:
    ds = instance(RequestAttributesSequence=[item(RequestedProcedureID="R1")])
    data = encode(ds, EXPLICIT)
    whole = set()
    for end in range(1, len(data)):
        try:
            scan(io.BytesIO(data[:end]), EXPLICIT)
        except DataSetError:
            continue
        whole.add(end)
    at, ends = 0, set()
    while at < len(data):  # a cut between two elements leaves a data set
        vr, short = data[at + 4 : at + 6], struct.unpack_from("<H", data, at + 6)[0]
        at += 12 + struct.unpack_from("<L", data, at + 8)[0] if vr == b"SQ" else 8 + short
        ends.add(at)
    assert whole == ends - {len(data)}


@given(st.binary(max_size=300), st.sampled_from([*UNCOMPRESSED]))
def test_garbage_is_a_data_set_error_or_nothing(data: bytes, syntax: str) -> None:
    for look in (
        lambda: scan(io.BytesIO(data), syntax),
        lambda: keys(data, syntax, BY_TAG),
    ):
        with suppress(DataSetError):
            look()


@pytest.mark.parametrize(
    ("charset", "value", "text"),
    [
        (b"", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        (b"ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        (b"ISO_IR 192", "Wang^小东".encode(), "Wang^小东"),
        (b"GB18030 ", "王^倩=珲".encode("gb18030"), "王^倩=珲"),
        (
            b"\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
            "Yamada^Tarou=山田^太郎",
        ),
        (b"ISO_IR 192", b"A\xff\xfe", None),
        (b"NO SUCH SET ", b"Plain^Name", "Plain^Name"),
        (b"\\ISO 2022 IR 87", b"A\x1b$", None),
    ],
)
def test_character_sets(charset: bytes, value: bytes, text: str | None) -> None:
    data = explicit(0x00080005, "CS", charset) + explicit(0x00100010, "PN", value)
    found = scan(io.BytesIO(data), EXPLICIT).values["PatientName"]
    found.encode()  # what cannot be decoded is replaced, never an error
    assert text is None or found == text


def test_long_values_are_cut_for_the_index() -> None:
    ds = instance(StudyDescription="x" * 20000, PatientName="y" * 20000)
    values = scan(io.BytesIO(encode(ds, IMPLICIT)), IMPLICIT).values
    assert len(values["StudyDescription"]) == 64
    assert len(values["PatientName"]) == 64 * 3 + 2


def test_nul_is_not_kept() -> None:
    data = explicit(0x00100020, "LO", b"A\0B\0")
    assert scan(io.BytesIO(data), EXPLICIT).values["PatientID"] == "AB"


def test_a_deflated_object_inflates_to_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = instance()
    ds.add_new(0x7FE00010, "OW", bytes(1 << 20))
    data = encode(ds, DEFLATED)
    assert scan(io.BytesIO(data), DEFLATED).length == len(data)
    monkeypatch.setattr(module, "MOST_INFLATED", 1 << 18)
    with pytest.raises(DataSetError, match="longer than allowed"):
        scan(io.BytesIO(data), DEFLATED)


def test_the_first_of_two_counts_and_group_2_is_nothing() -> None:
    data = explicit(0x00020010, "UI", b"1.2") + explicit(0x00100020, "LO", b"A ")
    data += explicit(0x00100020, "LO", b"B ")
    assert scan(io.BytesIO(data), EXPLICIT).values == {"PatientID": "A"}


def test_big_endian_numbers() -> None:
    data = explicit(0x00280010, "US", struct.pack(">H", 258), ">")
    assert scan(io.BytesIO(data), BIG_ENDIAN).values["Rows"] == "258"


def test_keys_of_an_identifier() -> None:
    ds = item(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2\\1.3", PatientName="Ö*")
    ds.SpecificCharacterSet, ds.ImageComments = "ISO_IR 100", "x"
    ds.RequestAttributesSequence = [item(RequestedProcedureID="R*")]
    assert keys(encode(ds, EXPLICIT), EXPLICIT, BY_TAG) == {
        0x00080005: [],
        0x00080052: [],
        0x00100010: ["Ö*"],
        0x0020000D: ["1.2", "1.3"],
        0x00204000: [],
        0x00400275: [{0x00401001: ["R*"]}],
    }
