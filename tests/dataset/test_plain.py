"""Plain data sets to bytes: the bytes are those that pydicom's own writer gives, always."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, FileMetaDataset
from pydicom.datadict import dictionary_has_tag
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.valuerep import PersonName

from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.elements import EXPLICIT, IMPLICIT, Encoding
from dicomwire.dataset.plain import _WAYS, CODECS, encode_plain
from tests.dataset import samples
from tests.examples import examples
from tests.protocol.test_speed import calls

pytestmark = pytest.mark.filterwarnings("ignore")  # values are made up
ENCODINGS = {samples.IMPLICIT: IMPLICIT, samples.EXPLICIT: EXPLICIT}


def by_pydicom(ds: Dataset, encoding: Encoding) -> bytes:
    """What pydicom's writer makes of a copy."""
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = encoding.implicit, encoding.little
    write_dataset(out, copy.deepcopy(ds))
    return bytes(out.getvalue())


def same(ds: Dataset) -> None:
    """Check that a data set is taken on, and written as pydicom writes it, in both encodings."""
    for encoding in ENCODINGS.values():
        assert encode_plain(copy.deepcopy(ds), encoding) == by_pydicom(ds, encoding)


# -- values of every VR that is taken on -----------------------------------------------------------

LATIN = st.text(st.characters(codec="iso8859-1", exclude_characters="\\=^\0"), max_size=20)
ASCII = st.text(st.characters(codec="ascii", exclude_characters="\\=^\0"), max_size=20)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\\=^\0"), max_size=12)
NAME = st.lists(st.lists(ANY, min_size=1, max_size=3).map("^".join), max_size=4).map("=".join)
DIGITS = st.integers(-(2**31), 2**31 - 1)
DECIMAL = st.one_of(
    DIGITS,
    st.decimals(-9999, 9999, places=3).map(str),
    st.floats(-999, 999).map(lambda x: f"{x:g}"),
)
UID = st.lists(st.integers(1, 10**6), min_size=1, max_size=6).map(lambda n: ".".join(map(str, n)))


def whole(bits: int, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - signed) - 1)


SINGLE: dict[str, st.SearchStrategy[Any]] = {
    "AE": ASCII, "AS": st.sampled_from(["030Y", "007D"]), "CS": ASCII, "UR": ASCII, "UI": UID,
    "DA": st.sampled_from(["20200101", "2020", "20200101-"]),
    "DT": st.sampled_from(["20200101101112.123456+0100", "2020"]),
    "TM": st.sampled_from(["101112.5", "10"]),
    "LO": ANY, "LT": ANY, "SH": ANY, "ST": ANY, "UC": ANY, "UT": ANY, "PN": NAME,
    "DS": DECIMAL, "IS": DIGITS | st.sampled_from(["007", "+5 "]),
    "FL": st.floats(width=32), "FD": st.floats(),
    "UL": whole(32, False), "US": whole(16, False), "UV": whole(64, False),
    "SL": whole(32, True), "SV": whole(64, True),
}  # fmt: skip
ONE_ONLY = {"LT", "ST", "UT", "UR"}  # PS3.5 6.2
SETS = st.sampled_from([None, "", *CODECS, "ISO_IR 13", "GBK", ["", "ISO 2022 IR 87"]])


def values(vr: str) -> st.SearchStrategy[Any]:
    """None, a value, or a few."""
    single = SINGLE[vr]
    several = st.nothing() if vr in ONE_ONLY else st.lists(single, max_size=3)
    return st.none() | st.just("") | single | several


VRS = [*SINGLE, "SQ", "SS", "OB", "UN", "AT", "US or SS"]
ELEMENTS = st.dictionaries(
    st.tuples(st.integers(0x0008, 0x7FDF), st.integers(0, 0xFFFF)), st.sampled_from(VRS), max_size=8
)
OTHER: dict[str, Any] = {"SS": -3, "OB": b"\1\2", "UN": b"\3\4", "AT": 0x00100010, "US or SS": 7}


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 2) -> Dataset:
    """A data set with whatever elements, nested ones too."""
    ds = Dataset()
    for (group, number), vr in draw(ELEMENTS).items():
        tag = group << 16 | number
        if tag == 0x00080005:
            continue
        if vr == "UN" and dictionary_has_tag(tag):
            continue  # pydicom gives it the VR that it has, and some have items
        if vr == "SQ":
            value = draw(st.lists(data_sets(depth - 1), max_size=2)) if depth else []
        else:
            value = OTHER[vr] if vr in OTHER else draw(values(vr))
        ds.add(DataElement(tag, vr, value))
    if draw(st.booleans()):
        ds.SpecificCharacterSet = draw(SETS)
    return ds


@given(data_sets())
@examples(400)
def test_what_is_taken_on_is_written_as_pydicom_writes_it(ds: Dataset) -> None:
    for syntax, encoding in ENCODINGS.items():
        plain = encode_plain(copy.deepcopy(ds), encoding)
        if plain is not None:
            assert plain == by_pydicom(ds, encoding)
            assert encode_plain(decode(plain, syntax), encoding) in (None, plain)


@pytest.mark.parametrize("vr", SINGLE)
@given(data=st.data())
@examples(30)
def test_each_vr_is_taken_on(vr: str, data: st.DataObject) -> None:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    value = data.draw(values(vr))
    ds.add(DataElement(0x00111010, vr, value if value != [] else None))
    if vr == "PN" and isinstance(value, list) and len(value) == 1:
        return  # pydicom cannot write it either
    same(ds)


def test_the_table_and_the_test_name_the_same_vrs() -> None:
    assert set(_WAYS) == {*SINGLE, "SQ"}


@pytest.mark.parametrize("text", ["Mueller", "Müller^Zoë", ""])
@pytest.mark.parametrize("character_set", [None, *CODECS])
def test_each_character_set(character_set: str | None, text: str) -> None:
    ds = Dataset()
    if character_set is not None:
        ds.SpecificCharacterSet = character_set
    ds.PatientName = text
    ds.PatientComments = text
    for encoding in ENCODINGS.values():
        plain = encode_plain(copy.deepcopy(ds), encoding)
        if text.isascii() or character_set in (None, "", "ISO_IR 6", "ISO_IR 100", "ISO_IR 192"):
            assert plain is not None
        assert plain in (None, by_pydicom(ds, encoding))


# -- data sets that were read ----------------------------------------------------------------------


def study() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.StudyDate = "20200102"
    ds.ModalitiesInStudy = ["CT", "SR"]
    ds.PatientName = "Müller^Zoë"
    ds.PatientWeight = "70.50"
    ds.NumberOfStudyRelatedInstances = 3
    item = Dataset()
    item.ScheduledProcedureStepDescription = "Schädel"
    ds.ScheduledProcedureStepSequence = [item]
    return ds


@pytest.mark.parametrize("syntax", ENCODINGS)
def test_what_was_read_and_not_looked_at_is_written_as_it_was(syntax: str) -> None:
    data = encode(study(), syntax)
    read = decode(data, syntax)
    assert encode_plain(read, ENCODINGS[syntax]) == data
    assert all(read.get_item(tag).is_raw for tag in read.keys())  # noqa: SIM118  # not elements


@pytest.mark.parametrize("syntax", ENCODINGS)
def test_what_was_read_and_changed_in_part(syntax: str) -> None:
    read = decode(encode(study(), syntax), syntax)
    assert (read.PatientName, read.PatientWeight, read.SpecificCharacterSet) == (
        "Müller^Zoë", 70.5, "ISO_IR 192"
    )  # fmt: skip
    read.StudyDescription = "Füße"
    read.PatientID = "7"
    assert encode_plain(read, ENCODINGS[syntax]) == by_pydicom(read, ENCODINGS[syntax])


def left_to_pydicom() -> dict[str, tuple[Dataset, Encoding]]:
    found = {"big endian": (study(), Encoding(False, False))}
    other = decode(encode(study(), samples.IMPLICIT), samples.IMPLICIT)
    found["read in another syntax"] = other, EXPLICIT
    other = decode(encode(study(), samples.EXPLICIT), samples.EXPLICIT)
    other.SpecificCharacterSet = "ISO_IR 100"
    found["another character set"] = other, EXPLICIT
    other = decode(encode(study(), samples.EXPLICIT), samples.EXPLICIT)
    del other.SpecificCharacterSet
    found["no character set any more"] = other, EXPLICIT
    changes: dict[str, tuple[str, Any]] = {
        "cannot be encoded": ("PatientComments", "\ud800"),
        "a date": ("StudyDate", datetime.date(2020, 1, 2)),
        "too long": ("StudyDescription", "x" * 0x10000),
        "pixel data": ("PixelData", b"\0\0"),
        "ambiguous": ("SmallestImagePixelValue", 7),
        "group 0000": ("AffectedSOPClassUID", "1.2"),
        "file meta": ("file_meta", FileMetaDataset()),
        "escape sequences": ("SpecificCharacterSet", ["", "ISO 2022 IR 87"]),
    }
    for name, (keyword, value) in changes.items():
        ds = study()
        setattr(ds, keyword, value)
        found[name] = ds, EXPLICIT
    nested = study()
    nested.ScheduledProcedureStepSequence[0].is_undefined_length_sequence_item = True
    found["an item of undefined length"] = nested, EXPLICIT
    return found


@pytest.mark.parametrize("which", left_to_pydicom())
def test_what_is_left_to_pydicom(which: str) -> None:
    ds, encoding = left_to_pydicom()[which]
    assert encode_plain(ds, encoding) is None


class Own(Dataset):
    """A subclass may have ways of its own."""


def test_subclasses_are_left_to_pydicom() -> None:
    assert encode_plain(Own(study()), EXPLICIT) is None


def test_a_name_that_was_written_before() -> None:
    ds = study()
    assert encode_plain(ds, EXPLICIT) == encode_plain(ds, EXPLICIT)
    name = PersonName("Müller^Zoë")
    name.encode(["UTF8"])
    ds.PatientName = name
    same(ds)


def test_an_element_costs_few_calls() -> None:
    """A number, not a time: pydicom's writer takes some 60 calls for an element."""
    few, many = Dataset(), Dataset()
    for number in range(100):
        many.add(DataElement(0x00111001 + number, "LO", f"text {number}"))
    cost = calls(lambda: encode(many, samples.EXPLICIT)) - calls(
        lambda: encode(few, samples.EXPLICIT)
    )
    assert cost <= 12 * 100
