"""Data sets in memory, in files and nowhere into the status that refuses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dicomwire.dataset.sinks import FileSink, HeldSink
from dicomwire.protocol.messages import Dropped, Memory, Message, Sink
from dicomwire.services.inspecting import Inspection
from tests.dataset.samples import CT, EXPLICIT, explicit, instance_explicit

COLOUR_PALETTE = "1.2.840.10008.5.1.4.39.1"
UID = "1.2.3"
WHOLE = instance_explicit(UID) + explicit(0x7FE00010, "OW", bytes(5000))


def in_memory(data: bytes, folder: Path) -> Sink:
    sink = Memory()
    sink.write([memoryview(data)])
    return sink


def held(data: bytes, folder: Path) -> Sink:
    sink = HeldSink(100)
    sink.write([memoryview(data)])
    assert sink.is_in_memory == (len(data) <= 100)
    return sink


def in_file(data: bytes, folder: Path) -> FileSink:
    sink = FileSink(folder, b"HEAD")
    sink.write([memoryview(data)])
    sink.finish()
    return sink


def inspected(sink: Sink, uid: str = UID, sop_class: str = CT) -> Inspection:
    command = {"AffectedSOPClassUID": sop_class, "AffectedSOPInstanceUID": uid}
    inspection = Inspection(Message(1, command, sink), EXPLICIT)
    while not inspection.go_on(1):
        pass
    sink.discard()
    return inspection


def status(inspection: Inspection) -> int:
    return inspection.refusal.status if inspection.refusal else 0


@pytest.mark.parametrize("where", [in_memory, held, in_file])
@pytest.mark.parametrize(
    ("data", "due"),
    [
        (WHOLE, 0),
        (WHOLE[:-1], 0xC000),
        (b"", 0xC000),
        (instance_explicit("1.2.4"), 0xA900),
        (instance_explicit(UID)[:-14], 0xA900),
    ],
)
def test_wherever_it_is(
    where: Callable[[bytes, Path], Sink], data: bytes, due: int, tmp_path: Path
) -> None:
    assert status(inspected(where(data, tmp_path))) == due
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_patients_needs_no_study(tmp_path: Path) -> None:
    data = b"".join(
        explicit(tag, "UI", text.encode() + b"\0" * (len(text) % 2))
        for tag, text in ((0x80016, COLOUR_PALETTE), (0x80018, UID))
    )
    assert status(inspected(in_memory(data, tmp_path), sop_class=COLOUR_PALETTE)) == 0


def test_a_uid_that_is_none_comes_first() -> None:
    assert status(inspected(in_memory(b"", Path()), "../x")) == 0x0117


def test_what_was_dropped_cannot_be_looked_at() -> None:
    assert inspected(Dropped()).refusal is None


def test_what_cannot_be_read_back(tmp_path: Path) -> None:
    sink = in_file(bytes(40) + WHOLE, tmp_path)
    sink.discard()
    sink._head = b""
    assert status(inspected(sink)) == 0xA700


def test_an_odd_length_is_told(tmp_path: Path) -> None:
    assert inspected(in_memory(WHOLE, tmp_path)).odd == ""
    odd = WHOLE + explicit(0x7FE10010, "LO", b"odd")
    assert inspected(in_memory(odd, tmp_path)).odd == "(7FE1,0010)"


def test_another_sop_class_than_the_requests(tmp_path: Path) -> None:
    assert status(inspected(in_memory(WHOLE, tmp_path), sop_class=f"{CT}.1")) == 0xA900
