"""Queries: each kind of matching, the levels, the answers; and against a plain oracle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicomwire.archive import files
from dicomwire.archive.attributes import Level
from dicomwire.archive.query import (
    NOTHING_AGREED,
    PATIENT_ROOT,
    PATIENT_STUDY_ONLY,
    STUDY_ROOT,
    WANTED,
    Agreed,
    Model,
    Refused,
    find,
    retrieve,
)
from dicomwire.archive.scan import keys
from dicomwire.dataset.codec import encode
from tests.archive.samples import EXPLICIT, Store, instance
from tests.examples import examples

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
RELATIONAL = Agreed(relational=True)


def asked(level: str | None = "STUDY", **elements: Any) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    if level is not None:
        ds.QueryRetrieveLevel = level
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def item(**elements: Any) -> Dataset:
    ds = asked(None, **elements)
    del ds.SpecificCharacterSet
    return ds


POPULATION: list[dict[str, Any]] = [
    {"PatientName": "Doe^John", "PatientID": "A1", "StudyDate": "20200101", "StudyTime": "101112",
     "AccessionNumber": "x_1%", "StudyDescription": "Head [C] *"},
    {"PatientName": "DOE^JANE^^^", "PatientID": "a1", "StudyDate": "20200315", "StudyTime": "10",
     "AccessionNumber": "X\\1".replace("\\", "/"), "StudyDescription": "head"},
    {"PatientName": "Müller^Jörg", "PatientID": "B'2", "StudyDate": "20201231",
     "StudyTime": "235959.999999", "StudyDescription": "Kopf"},
    {"PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "PatientID": "C%3", "StudyDate": "",
     "StudyTime": "", "Modality": "MR", "StudyDescription": ""},
    {"PatientName": "", "PatientID": "D_4", "StudyDate": "20210101", "StudyTime": "000000",
     "Modality": "US", "AccessionNumber": "1\";--"},
]  # fmt: skip


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An archive of five studies, 1.2.1.0 to 1.2.1.4; that of study 0 has two series."""
    store = Store(tmp_path_factory.mktemp("five") / "archive")
    for number, elements in enumerate(POPULATION):
        store.add(instance(number, SeriesNumber=str(number), **elements))
    store.add(
        instance(
            9,
            **{**POPULATION[0], "Modality": "SR", "StudyInstanceUID": "1.2.1.0"},
            RequestAttributesSequence=[
                item(RequestedProcedureID="R1", ScheduledProcedureStepID="S1"),
                item(RequestedProcedureID="R2", ScheduledProcedureStepID="S2"),
            ],
        )
    )
    yield store
    store.close()


def studies(store: Store, agreed: Agreed = NOTHING_AGREED, **wanted: Any) -> set[int]:
    """Return the last numbers of the studies that are found."""
    found = store.find(asked(StudyInstanceUID="", **wanted), STUDY_ROOT, agreed)
    uids = [str(each.StudyInstanceUID) for each in found]
    assert len(set(uids)) == len(uids)  # one response for each entity
    return {int(uid.rsplit(".", 1)[1]) for uid in uids}


ALL = {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ALL),  # universal
        ({"PatientName": ""}, ALL),
        ({"PatientName": "*"}, ALL),  # what has no name matches too
        ({"StudyDescription": "**"}, ALL),
        ({"StudyDate": ""}, ALL),
        ({"PatientID": "A1"}, {0}),  # single values; case counts but in names
        ({"PatientID": "a1 "}, {1}),
        ({"PatientName": "doe^john"}, {0}),
        ({"PatientName": "DOE^JANE"}, {1}),
        ({"PatientName": "MÜLLER^jörg"}, {2}),
        ({"PatientName": "Muller^Jorg"}, set()),
        ({"PatientName": "doe"}, set()),
        ({"PatientName": "山田^太郎"}, {3}),
        ({"PatientName": "yamada^tarou"}, {3}),
        ({"PatientName": "Yamada^*=山田*"}, {3}),
        ({"PatientName": "Yamada*=鈴木*"}, set()),
        ({"PatientName": "doe*"}, {0, 1}),  # wild cards
        ({"PatientName": "d?e^j*"}, {0, 1}),
        ({"PatientName": "*^j*"}, {0, 1, 2}),
        ({"PatientName": "山*"}, {3}),
        ({"StudyDescription": "*ead"}, {1}),
        ({"StudyDescription": "?ead*"}, {0, 1}),
        ({"StudyDescription": "Head [C] *"}, {0}),
        ({"StudyDescription": "Head [A-Z]*"}, set()),
        ({"PatientID": "?%3"}, {3}),
        ({"PatientID": "%"}, set()),
        ({"PatientID": "B'2"}, {2}),
        ({"AccessionNumber": "x_1%"}, {0}),
        ({"AccessionNumber": '1";--'}, {4}),
        ({"PatientID": "' OR 1=1 --"}, set()),
        ({"StudyDate": "20200101"}, {0}),  # dates
        ({"StudyDate": "2020.01.01"}, {0}),
        ({"StudyDate": "20200101-20201231"}, {0, 1, 2}),
        ({"StudyDate": "20200102-"}, {1, 2, 4}),
        ({"StudyDate": "-20200315"}, {0, 1}),
        ({"StudyDate": "-"}, {0, 1, 2, 4}),
        ({"StudyDate": "20201231-20200101"}, set()),
        ({"StudyDate": "99999999"}, set()),
        ({"StudyDate": "2020*"}, set()),
        ({"StudyTime": "10"}, {1}),  # times
        ({"StudyTime": "100000"}, {1}),
        ({"StudyTime": "10-10"}, {0, 1}),
        ({"StudyTime": "-1011"}, {0, 1, 4}),
        ({"StudyTime": "101112.000001-"}, {2}),
        ({"StudyTime": "-235959"}, {0, 1, 2, 4}),
        ({"StudyTime": "1200-1000+0100"}, set()),
        ({"ModalitiesInStudy": "SR"}, {0}),  # computed
        ({"ModalitiesInStudy": "?R"}, {0, 3}),
        ({"ModalitiesInStudy": ["MR", "US"]}, {3, 4}),
        ({"SOPClassesInStudy": "1.2.840.10008.5.1.4.1.1.2"}, ALL),
        ({"NumberOfStudyRelatedSeries": "2"}, {0}),
        ({"NumberOfStudyRelatedInstances": "1"}, {1, 2, 3, 4}),
    ],
)
def test_matching(five: Store, wanted: dict[str, Any], found: set[int]) -> None:
    assert studies(five, **wanted) == found


@pytest.mark.parametrize(
    ("uids", "found"),
    [
        (["1.2.1.0", "1.2.1.3", "9"], {0, 3}),
        (["1.2.1.?"], set()),
        (["1.2.1.*"], set()),
        (["1.2.1.1"], {1}),
        ([f"1.2.{n}" for n in range(40000)] + ["1.2.1.2"], {2}),
    ],
)
def test_lists_of_uids(five: Store, uids: list[str], found: set[int]) -> None:
    answers = five.find(asked(StudyInstanceUID=uids))
    assert {int(str(each.StudyInstanceUID)[-1]) for each in answers} == found


@pytest.mark.parametrize(
    ("dates", "times", "together", "apart"),
    [
        ("20200101-20200315", "1011-1000", {0, 1}, set()),
        ("20200101-20200315", "1012-09", set(), set()),
        ("20200102-", "11-", {1, 2, 4}, {2}),
        ("20200101-20201231", "10-11", {0, 1}, {0, 1}),
    ],
)
def test_date_and_time_together_where_that_was_agreed(
    five: Store, dates: str, times: str, together: set[int], apart: set[int]
) -> None:
    wanted = {"StudyDate": dates, "StudyTime": times}
    assert studies(five, Agreed(date_and_time=True), **wanted) == together
    assert studies(five, **wanted) == apart


@pytest.mark.parametrize(
    ("name", "found"), [("muller^JORG", {2}), ("Mull*", {2}), ("ＤＯＥ*", {0, 1})]
)
def test_accents_are_folded_where_that_was_agreed(five: Store, name: str, found: set[int]) -> None:
    assert studies(five, Agreed(fuzzy=True), PatientName=name) == found
    assert studies(five, PatientName=name) == set()


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ([item(RequestedProcedureID="R1")], ["1.2.2.9"]),
        ([item(RequestedProcedureID="R*", ScheduledProcedureStepID="S2")], ["1.2.2.9"]),
        ([item(RequestedProcedureID="R1", ScheduledProcedureStepID="S2")], []),  # one item has both
        ([item(RequestedProcedureID="")], ["1.2.2.0", "1.2.2.9"]),
        ([], ["1.2.2.0", "1.2.2.9"]),
    ],
)
def test_sequences(five: Store, key: list[Dataset], found: list[str]) -> None:
    wanted = asked(
        "SERIES", StudyInstanceUID="1.2.1.0", SeriesInstanceUID="", RequestAttributesSequence=key
    )
    answers = five.find(wanted)
    assert sorted(str(each.SeriesInstanceUID) for each in answers) == found
    steps = {
        str(each.SeriesInstanceUID): [dict(step.items()).keys() for step in each[0x00400275]]
        for each in answers
    }
    if "1.2.2.9" in steps:  # what was asked for in an item, or all
        count = len(key[0]) if key else 5
        assert [len(step) for step in steps["1.2.2.9"]] == [count, count]


def test_a_query_in_another_character_set(five: Store) -> None:
    ds = asked(StudyInstanceUID="", PatientName="Müller*")
    ds.SpecificCharacterSet = "ISO_IR 100"
    assert [str(each.StudyInstanceUID) for each in five.find(ds)] == ["1.2.1.2"]


# -- levels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "level", "above", "count"),
    [
        (PATIENT_ROOT, "PATIENT", {}, 5),
        (PATIENT_ROOT, "STUDY", {"PatientID": "A1"}, 1),
        (PATIENT_ROOT, "SERIES", {"PatientID": "A1", "StudyInstanceUID": "1.2.1.0"}, 2),
        (STUDY_ROOT, "STUDY", {}, 5),
        (STUDY_ROOT, "SERIES", {"StudyInstanceUID": "1.2.1.0"}, 2),
        (STUDY_ROOT, "IMAGE", {"StudyInstanceUID": "1.2.1.0", "SeriesInstanceUID": "1.2.2.9"}, 1),
        (PATIENT_STUDY_ONLY, "PATIENT", {}, 5),
        (PATIENT_STUDY_ONLY, "STUDY", {"PatientID": "D_4"}, 1),
    ],
)
def test_one_answer_for_each_entity(
    five: Store, model: Model, level: str, above: dict[str, str], count: int
) -> None:
    found = five.find(asked(level, **above, SOPInstanceUID=""), model)
    assert len(found) == count
    assert {each.QueryRetrieveLevel for each in found} == {level}


@pytest.mark.parametrize(
    ("model", "level", "above"),
    [
        (STUDY_ROOT, None, {}),
        (STUDY_ROOT, "", {}),
        (STUDY_ROOT, "PATIENT", {}),
        (STUDY_ROOT, "study", {}),
        (STUDY_ROOT, "'; DROP TABLE studies", {}),
        (PATIENT_STUDY_ONLY, "SERIES", {"PatientID": "A1", "StudyInstanceUID": "1.2.1.0"}),
        (PATIENT_ROOT, "STUDY", {}),
        (PATIENT_ROOT, "STUDY", {"PatientID": "A*"}),
        (STUDY_ROOT, "SERIES", {}),
        (STUDY_ROOT, "SERIES", {"StudyInstanceUID": ["1.2", "1.3"]}),
        (STUDY_ROOT, "IMAGE", {"StudyInstanceUID": "1.2.1.0"}),
    ],
)
def test_what_does_not_match_the_model(
    five: Store, model: Model, level: str | None, above: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        five.find(asked(level, **above), model)
    assert refused.value.status == 0xA900
    assert 0 < len(str(refused.value)) <= 64


@pytest.mark.parametrize(
    ("level", "wanted", "count"),
    [
        ("SERIES", {}, 6),
        ("SERIES", {"Modality": "CT"}, 3),
        ("IMAGE", {"PatientName": "doe*", "Modality": "SR"}, 1),
        ("STUDY", {"Modality": "SR"}, 1),  # below the level: one that matches has to be there
        ("STUDY", {"Modality": "SR", "SeriesNumber": "0"}, 0),
        ("STUDY", {"SOPInstanceUID": "1.2.3.9"}, 1),
    ],
)
def test_relational_queries(five: Store, level: str, wanted: dict[str, str], count: int) -> None:
    found = five.find(asked(level, StudyInstanceUID="", **wanted), STUDY_ROOT, RELATIONAL)
    assert len(found) == count


# -- answers -----------------------------------------------------------------------------------


def test_an_answer_has_what_was_asked_for(five: Store) -> None:
    [found] = five.find(
        asked(
            StudyInstanceUID="1.2.1.0",
            PatientName="",
            ModalitiesInStudy="",
            NumberOfStudyRelatedSeries="",
            StudyID="",
            InstanceNumber="",  # below the level
            ImageComments="",  # not supported
        )
    )
    assert list(found.keys()) == sorted(found.keys())
    got = {each.keyword: each.value for each in found}
    modalities = sorted(got.pop("ModalitiesInStudy"))
    assert modalities == ["CT", "SR"]
    assert got == {
        "QueryRetrieveLevel": "STUDY",
        "RetrieveAETitle": "US",
        "InstanceAvailability": "ONLINE",
        "StudyInstanceUID": "1.2.1.0",
        "PatientName": "Doe^John",
        "NumberOfStudyRelatedSeries": 2,
        "StudyID": "",
    }


@pytest.mark.parametrize(
    ("elements", "complete"),
    [({}, True), ({"ImageComments": ""}, False), ({"InstanceNumber": ""}, False)],
)
def test_it_is_said_when_keys_are_not_supported(elements: dict[str, str], complete: bool) -> None:
    identifier = asked(StudyInstanceUID="", **elements)
    query = find(keys(encode(identifier, EXPLICIT), EXPLICIT, WANTED), STUDY_ROOT)
    assert query.complete is complete


def test_utf_8_only_when_it_is_needed(five: Store) -> None:
    found = five.find(asked(StudyInstanceUID="", PatientName=""))
    for each in found:
        assert ("SpecificCharacterSet" in each) is not str(each.PatientName).isascii()
        assert each.get("SpecificCharacterSet", "ISO_IR 192") == "ISO_IR 192"
    assert "Yamada^Tarou=山田^太郎=やまだ^たろう" in [str(each.PatientName) for each in found]


# -- retrievals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "wanted", "agreed", "count"),
    [
        (STUDY_ROOT, asked("STUDY", StudyInstanceUID=["1.2.1.0", "1.2.1.1"]), NOTHING_AGREED, 3),
        (PATIENT_ROOT, asked("PATIENT", PatientID="A1"), NOTHING_AGREED, 2),
        (STUDY_ROOT, asked("IMAGE", SOPInstanceUID="1.2.3.9"), RELATIONAL, 1),
        (STUDY_ROOT, asked("IMAGE", SOPInstanceUID="1.2.3.9"), NOTHING_AGREED, None),
        (STUDY_ROOT, asked("STUDY"), NOTHING_AGREED, None),
        (STUDY_ROOT, asked("STUDY", StudyInstanceUID=""), RELATIONAL, None),
        (STUDY_ROOT, asked("STUDY", StudyInstanceUID="*"), NOTHING_AGREED, None),
        (STUDY_ROOT, asked("STUDY", PatientID="A1"), NOTHING_AGREED, None),
        (PATIENT_ROOT, asked("PATIENT", PatientID="A*"), NOTHING_AGREED, None),
        (STUDY_ROOT, asked("SERIES", StudyInstanceUID="1.2.1.0"), NOTHING_AGREED, None),
        (STUDY_ROOT, asked("PATIENT", PatientID="A1"), NOTHING_AGREED, None),
    ],
)
def test_retrieval(
    five: Store, model: Model, wanted: Dataset, agreed: Agreed, count: int | None
) -> None:
    elements = keys(encode(wanted, EXPLICIT), EXPLICIT, WANTED)
    if count is None:
        with pytest.raises(Refused):
            retrieve(elements, model, agreed)
        return
    query = retrieve(elements, model, agreed)
    with five.index.reading() as connection:
        assert len(connection.execute(query.sql, query.parameters).fetchall()) == count


# -- hostile keys ------------------------------------------------------------------------------


def test_wild_cards_take_no_time(tmp_path: Path) -> None:
    """A matcher that tries all ways would not come back before the test's time-out."""
    store = Store(tmp_path / "archive")
    store.add(instance(StudyDescription="a" * 64, PatientName="a" * 64))
    for pattern in ("*a" * 30 + "*b", "*" * 10000, "*a" * 10000, "?" * 10000, "[a]*" * 3000):
        for keyword in ("StudyDescription", "PatientName"):
            identifier = asked(StudyInstanceUID="", **{keyword: pattern})
            found = store.find(identifier)
            assert len(found) == (pattern.strip("*") == "")
    store.close()


KEYWORDS = ("PatientID", "StudyDescription", "AccessionNumber", "PatientName")


@examples(60)
@given(st.sampled_from(KEYWORDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_a_query(five: Store, keyword: str, text: str) -> None:
    before = five.rows("SELECT count(*) FROM studies")
    studies(five, **{keyword: text.replace("\\", "")})
    assert five.rows("SELECT count(*) FROM studies") == before


# -- the oracle --------------------------------------------------------------------------------


def wild(value: str, key: str, fold: bool = False) -> bool:
    """Match the plain way, from PS3.4 C.2.2.2.4."""
    if fold:
        value, key = value.casefold(), key.casefold()
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in key)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def expected(key: str, keyword: str, value: str) -> bool:
    if not key.strip("*"):
        return True
    if keyword == "StudyDate":
        if "-" not in key:
            return value == key
        low, high = key.split("-")
        return value != "" and (not low or low <= value) and (not high or value <= high)
    if keyword == "PatientName":
        groups = [group.rstrip("^") for group in value.split("=")] if value else []
        return any(wild(group, key.rstrip("^"), fold=True) for group in groups)
    return wild(value, key)


LETTERS = st.text("aAbB*?[]^%_'", min_size=1, max_size=5).filter(lambda t: t.strip("^ ") != "")
NAMES = LETTERS.filter(lambda text: "^" not in text)
DAYS = st.sampled_from(["20200101", "20200102", "20210101"])
VALUES = st.text("aAbB[]%_'", max_size=4)
ONE = st.fixed_dictionaries(
    {
        "PatientName": VALUES,
        "StudyDescription": VALUES,
        "AccessionNumber": VALUES,
        "StudyDate": st.one_of(st.just(""), DAYS),
    }
)
QUERY = st.fixed_dictionaries(
    {},
    optional={
        "PatientName": NAMES,
        "StudyDescription": LETTERS,
        "AccessionNumber": LETTERS,
        "StudyDate": st.one_of(DAYS, st.builds("{}-{}".format, DAYS, st.one_of(st.just(""), DAYS))),
    },
)


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An archive that is filled anew again and again."""
    store = Store(tmp_path_factory.mktemp("changing") / "archive")
    store.index._writer.execute("PRAGMA synchronous = OFF")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "fsync", lambda _: None)  # a disk would take minutes
        yield store
    store.close()


@examples(60)
@given(st.lists(ONE, min_size=1, max_size=4), st.lists(QUERY, min_size=1, max_size=6))
def test_the_answers_are_the_oracles(
    changing: Store, population: list[dict[str, str]], queries: list[dict[str, str]]
) -> None:
    for number in range(4):
        changing.index.remove(Level.IMAGE, f"1.2.3.{number}")
    for number, elements in enumerate(population):
        changing.add(instance(number, **elements))
    for query in queries:
        wanted = {
            number
            for number, elements in enumerate(population)
            if all(expected(key, keyword, elements[keyword]) for keyword, key in query.items())
        }
        assert studies(changing, **query) == wanted, (query, population)
