"""Turns identifiers and instances that a peer sends into those that were asked for, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.dataset.codec import encode
from dicomwire.dataset.sinks import FileSink
from dicomwire.protocol.messages import Dropped, Memory, Message
from dicomwire.services import asked, scp
from dicomwire.services.asked import NOT_AUTHORISED, wanted_by
from tests.protocol.pairs import CT, ECHO, EXPLICIT, STORE
from tests.services.stage import Side, associated_for, responses

IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"


def keys(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("identifier", "wanted"),
    [
        (keys(PatientID="7"), {}),
        (keys(StudyInstanceUID="", SeriesInstanceUID=None), {}),
        (keys(StudyInstanceUID="1.2*"), {}),
        (keys(StudyInstanceUID="1.2"), {"StudyInstanceUID": {"1.2"}}),
        (keys(SeriesInstanceUID=["1.2", "1.3"]), {"SeriesInstanceUID": {"1.2", "1.3"}}),
        (
            keys(StudyInstanceUID="1", SOPInstanceUID=["3"]),
            {"StudyInstanceUID": {"1"}, "SOPInstanceUID": {"3"}},
        ),
    ],
    ids=["no UID", "universal", "wildcard", "one", "list", "two levels"],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_what_an_identifier_wants(identifier: Dataset, wanted: dict[str, set[str]]) -> None:
    assert wanted_by(identifier) == wanted


def test_an_identifier_that_leaves_all_open_costs_nothing() -> None:
    assert asked.only(keys(PatientID="7"), scp.answer) is scp.answer


def sink_of(data: bytes, folder: Path | None) -> Memory | FileSink:
    sink = Memory() if folder is None else FileSink(folder, b"DICM and more")
    sink.write([memoryview(data)])
    sink.finish()
    return sink


def status_for(identifier: Dataset, sink: Any, syntax: str = EXPLICIT) -> tuple[int, Side]:
    """The status of an instance that comes while the identifier is being retrieved."""
    requestor, _ = associated_for(CT, syntax=syntax)
    message = Message(1, {**STORE, "CommandDataSetType": 1}, sink)
    conversation = asked.only(identifier, scp.answer)(requestor, message)
    side = Side(requestor, conversation, {"EVT_C_STORE": lambda message: 0})
    side.advance()
    assert side.done
    assert side.error is None
    (response,) = responses(side)
    return response["Status"], side


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
@pytest.mark.parametrize("in_file", [True, False], ids=["file", "memory"])
@pytest.mark.parametrize(
    ("identifier", "stray"),
    [
        (keys(StudyInstanceUID="1.5"), ""),
        (keys(StudyInstanceUID=["1.4", "1.5"], SeriesInstanceUID="1.6"), ""),
        (keys(StudyInstanceUID="1.4"), "study 1.5"),
        (keys(StudyInstanceUID="1.5", SeriesInstanceUID="1.7"), "series 1.6"),
        (keys(StudyInstanceUID="1.5", SOPInstanceUID="1.2.3"), ""),
        (keys(StudyInstanceUID="1.5", SOPInstanceUID=["1.2.4", "1.2.5"]), "instance 1.2.3"),
    ],
)
def test_only_what_was_asked_for_reaches_the_handler(
    identifier: Dataset, stray: str, syntax: str, in_file: bool, tmp_path: Path
) -> None:
    instance = keys(PatientID="7", StudyInstanceUID="1.5", SeriesInstanceUID="1.6")
    sink = sink_of(encode(instance, syntax), tmp_path if in_file else None)
    status, side = status_for(identifier, sink, syntax)
    assert status == (NOT_AUTHORISED if stray else 0)
    refused = [f"instance refused: nobody asked for {stray}"] if stray else ["EVT_C_STORE"]
    assert side.heard == refused
    assert list(tmp_path.iterdir()) == []  # neither leaves a file behind


def test_of_an_instance_that_is_named_the_data_set_is_not_looked_at() -> None:
    status, side = status_for(keys(SOPInstanceUID="1.2.3"), sink_of(b"no data set", None))
    assert (status, side.heard) == (0, ["EVT_C_STORE"])


@pytest.mark.parametrize(
    "sink",
    [sink_of(b"\x08\x00\x05\x00??no data set", None), sink_of(b"", None), Dropped()],
    ids=["garbage", "nothing", "dropped"],
)
def test_what_cannot_be_read_is_left_to_the_handler(sink: Any) -> None:
    assert status_for(keys(StudyInstanceUID="1.5"), sink)[0] == 0


def test_a_file_that_is_gone_is_left_to_the_handler(tmp_path: Path) -> None:
    sink = sink_of(b"", tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    assert status_for(keys(StudyInstanceUID="1.5"), sink)[0] == 0


def test_other_requests_are_answered_as_ever() -> None:
    requestor, _ = associated_for("1.2.840.10008.1.1")
    message = Message(1, {**ECHO, "CommandDataSetType": 0x101}, None)
    conversation = asked.only(keys(StudyInstanceUID="1.5"), scp.answer)(requestor, message)
    side = Side(requestor, conversation)
    side.advance()
    assert responses(side)[0]["Status"] == 0


def test_only_the_head_of_a_data_set_is_looked_at() -> None:
    instance = keys(StudyInstanceUID="1.5", SeriesInstanceUID="1.6")
    instance.add_new(0x7FE00010, "OW", bytes(1 << 20))
    sink = sink_of(encode(instance, EXPLICIT), None)
    requestor, _ = associated_for(CT)
    message = Message(1, {**STORE, "CommandDataSetType": 1}, sink)
    with asked._open(message) as read:
        taken = 0

        def counting(count: int) -> bytes:
            nonlocal taken
            data = read(count)
            taken += len(data)
            return data

        reader = asked.Reader(counting, asked.encoding_of(EXPLICIT))
        assert asked.uids_at(reader, asked.STUDY, asked.SERIES).keys() == {0x20000D, 0x20000E}
    assert taken < 100
    assert requestor.established
