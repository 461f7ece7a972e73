"""The status door: dictionaries by name and size, categories, and members added to `Status`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import pytest

from dicomwire import status
from dicomwire.status import Status, code_to_category, code_to_status

# Name, size, and the codes that each table has besides the general ones, which are the first table;
# the letter is the category's first.
TABLES = """
    GENERAL_STATUS: 24 0000S 0105F 0106F 0107W 0110F 0111F 0112F 0113F 0114F 0115F 0116W 0117F
        0118F 0119F 0120F 0121F 0122F 0123F 0124F 0210F 0211F 0212F 0213F FE00C
    VERIFICATION_SERVICE_CLASS_STATUS: 24
    STORAGE_SERVICE_CLASS_STATUS: 4635 A700-A7FFF A900-A9FFF B000W B006W B007W C000-CFFFF
    QR_FIND_SERVICE_CLASS_STATUS: 4126 A700F A710F A900F B001W C000-CFFFF FF00P FF01P
    QR_MOVE_SERVICE_CLASS_STATUS: 4131 A701F A702F A801F A900F AA00F AA01F AA02F AA03F AA04F
        B000W C000-CFFFF FF00P
    QR_GET_SERVICE_CLASS_STATUS: 4130 A701F A702F A900F AA00F AA01F AA02F AA03F AA04F B000W
        C000-CFFFF FF00P
    MODALITY_WORKLIST_SERVICE_CLASS_STATUS: 4124 A700F A900F C000-CFFFF FF00P FF01P
    RELEVANT_PATIENT_SERVICE_CLASS_STATUS: 30 A700F A900F C000F C100F C200F FF00P
    SUBSTANCE_ADMINISTRATION_SERVICE_CLASS_STATUS: 4124 A700F A900F C000-CFFFF FF00P FF01P
    NON_PATIENT_SERVICE_CLASS_STATUS: 27 A700F A900F C000F
    PROCEDURE_STEP_STATUS: 25 0001W
    PRINT_JOB_MANAGEMENT_SERVICE_CLASS_STATUS: 39 B600W B601W B602W B603W B604W B605W B609W
        B60AW C600F C601F C602F C603F C605F C613F C616F
    STORAGE_COMMITMENT_SERVICE_CLASS_STATUS: 24
    STORAGE_MANAGEMENT_SERVICE_CLASS_STATUS: 25 B010W
    APPLICATION_EVENT_LOGGING_SERVICE_CLASS_STATUS: 34 B101W B102W B104W C101F C102F C103F C104F
        C10EF C110F C111F
    MEDIA_CREATION_MANAGEMENT_SERVICE_CLASS_STATUS: 29 0001W A510F C201F C202F C203F
    UNIFIED_PROCEDURE_STEP_SERVICE_CLASS_STATUS: 4130 0001W A700F A900F B300W B301W B304W B305W
        B306W C000-C2FFF C300F C301F C302F C303F C304F C305-C306F C307F C308F C309F C30A-C30FF
        C310F C311F C312F C313F C314F C315F C316-CFFFF FF00P FF01P
    RT_MACHINE_VERIFICATION_SERVICE_CLASS_STATUS: 32 C112F C221F C222F C223F C224F C225F C226F
        C227F
"""
MEANINGS = {"S": "Success", "F": "Failure", "W": "Warning", "C": "Cancel", "P": "Pending"}


def transcribed() -> Iterator[tuple[str, int, dict[int, str]]]:
    """Each table's name, its size, and its codes with their categories."""
    general: dict[int, str] = {}
    for table in TABLES.replace("\n        ", " ").splitlines()[1:]:
        name, size, *words = table.split()
        codes = dict(general)
        for word in words:
            first, _, last = word[:-1].partition("-")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                codes[code] = MEANINGS[word[-1]]
        general = general or codes
        yield name.rstrip(":"), int(size), codes


@pytest.mark.parametrize(("name", "size", "categories"), list(transcribed()))
@pytest.mark.box("C.t", "12.7")
def test_each_table_has_its_codes(name: str, size: int, categories: dict[int, str]) -> None:
    table = getattr(status, name)
    assert len(table) == size
    assert {code: category for code, (category, _) in table.items()} == categories


def test_a_table_is_made_once_and_when_asked_for() -> None:
    assert status.QR_GET_SERVICE_CLASS_STATUS is status.QR_GET_SERVICE_CLASS_STATUS
    assert "QR_GET_SERVICE_CLASS_STATUS" in dir(status)
    assert "QR_GET_SERVICE_CLASS_STATUS" not in vars(status)


def test_what_is_special_wins_over_what_is_general() -> None:
    table = status.UNIFIED_PROCEDURE_STEP_SERVICE_CLASS_STATUS
    assert table[0xC302] == ("Failure", "The UPS is already IN PROGRESS")
    assert table[0xC305] == ("Failure", "Unable to Process")


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="NO_STATUS"):
        _ = status.NO_STATUS
    with pytest.raises(AttributeError):
        _ = status.Category


# First and last code of each run of codes with one category, over all 65,536.
RUNS = """
    0000-0000S 0001-0001W 0105-0106F 0107-0107W 0110-0115F 0116-0116W 0117-0119F 0120-0124F
    0210-0213F A000-AFFFF B000-BFFFW C000-CFFFF FE00-FE00C FF00-FF01P
"""


def test_category_of_every_code() -> None:
    expected = dict.fromkeys(range(0x10001), "Unknown")
    for run in RUNS.split():
        codes = range(int(run[:4], 16), int(run[5:9], 16) + 1)
        expected.update(dict.fromkeys(codes, MEANINGS[run[-1]]))
    assert {code: code_to_category(code) for code in expected} == expected


@pytest.mark.parametrize("code", [-1, "0", 1.0, None])
def test_what_is_no_status_code_is_refused(code: object) -> None:
    with pytest.raises(ValueError, match="integer"):
        code_to_category(code)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="integer"):
        code_to_status(code)  # type: ignore[arg-type]


def test_a_status_data_set_has_the_status_alone() -> None:
    ds = code_to_status(Status.MOVE_DESTINATION_UNKNOWN)
    assert len(ds) == 1
    assert ds.Status == 0xA801


@pytest.fixture
def own_status(monkeypatch: pytest.MonkeyPatch) -> type[Status]:
    """A copy of `Status`, so that what a test adds is not there for the next."""
    members = {member.name: member.value for member in Status}
    copy = IntEnum("Status", members)
    copy.add = classmethod(Status.add.__func__)  # type: ignore[attr-defined]
    return copy  # type: ignore[return-value]


def test_an_added_status_is_a_member(own_status: type[Status]) -> None:
    own_status.add("UNABLE_TO_PROCESS", 0xC000)
    member = own_status["UNABLE_TO_PROCESS"]
    assert own_status(0xC000) is member is own_status.UNABLE_TO_PROCESS  # type: ignore[attr-defined]
    assert (member.name, member.value, member) == ("UNABLE_TO_PROCESS", 0xC000, 0xC000)
    assert isinstance(member, own_status)
    assert member in list(own_status)
    assert member in own_status


def test_a_second_name_is_the_same_member(own_status: type[Status]) -> None:
    own_status.add("MATCH", 0xFF00)
    assert own_status["MATCH"] is own_status.PENDING
    own_status.add("MATCH", 0xFF00)
    assert len(own_status) == 4


@pytest.mark.parametrize(
    ("name", "code"),
    [("PENDING", 1), ("mro", 1), ("add", 1), ("two words", 1), ("NEGATIVE", -1), ("TEXT", "1")],
)
def test_a_bad_addition_adds_nothing(own_status: type[Status], name: str, code: int) -> None:
    with pytest.raises(ValueError):
        own_status.add(name, code)
    assert len(own_status.__members__) == 4
    assert own_status.PENDING == 0xFF00
