"""Turns C-GET and C-MOVE requests into sub-operations, counts and last responses, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.part10 import read_header
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, LocalError, Lost
from dicomwire.protocol.pdus import Abort
from dicomwire.services import retrieve, scp, scu
from dicomwire.services.association import abort
from dicomwire.services.responding import response_for
from dicomwire.services.retrieve import MOST, SubOperations
from dicomwire.services.sending import Outgoing
from dicomwire.services.wants import RECEIVE_IDLE, Conversation, Flush, Open, Settle, Store
from dicomwire.standard.statuses import Category
from tests.protocol import pairs
from tests.protocol.pairs import CT, EXPLICIT, data_of, feed
from tests.services.stage import Side, associated_for, message, play, said

ROOT = "1.2.840.10008.5.1.4.1.2.1.3"
WITHOUT_BULK = "1.2.840.10008.5.1.4.1.2.5.3"
PRIVATE = "1.2.826.0.1.3680043.9.9999.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
COUNTS = ("Remaining", "Completed", "Failed", "Warning")


def image(uid: str = "1.2.1", sop_class: str = CT, syntax: str = EXPLICIT) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.PatientID = sop_class, uid, "7"
    dataset.add_new(0x7FE00010, "OW", bytes(8))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def counts(command: Command) -> tuple[int | None, ...]:
    return tuple(command.get(f"NumberOf{name}Suboperations") for name in COUNTS)


def handler_of(*values: Any) -> Callable[..., Iterator[Any]]:
    def handler(message: Any) -> Iterator[Any]:
        for value in values:
            if isinstance(value, Exception):
                raise value
            yield value

    return handler


class Retrieval:
    """A C-GET or C-MOVE as its two sides saw it."""

    def __init__(
        self,
        name: str,
        handler: Callable[..., Any] | None,
        sop_class: str = ROOT,
        store: Callable[..., Any] = lambda message: 0,
        message_id: int = 5,
        counts_bind: bool = True,
        **handlers: Callable[..., Any],
    ) -> None:
        self.requestor, self.acceptor = associated_for(sop_class, CT)
        self.acceptor.counts_bind = counts_bind
        field = {"C-GET": 0x0010, "C-MOVE": 0x0021}[name]
        self.request: Command = {
            "AffectedSOPClassUID": sop_class,
            "CommandField": field,
            "MessageID": message_id,
            "Priority": 1,
            **({"MoveDestination": "DEST"} if name == "C-MOVE" else {}),
        }
        self.stored: list[tuple[Command, bytes | None]] = []

        def on_store(message: Any) -> Any:
            self.stored.append((message.command, data_of(message)))
            return store(message)

        asking = self.ask(self.requestor, dict(self.request))
        self.user = Side(self.requestor, asking, {"EVT_C_STORE": on_store})
        event = "EVT_" + name.replace("-", "_")
        bound = {event: handler} if handler else {}
        self.provider = Side(self.acceptor, scp.serve(self.acceptor), {**bound, **handlers})
        play(self.user, self.provider)
        self.answers = [
            (command, decode(data, EXPLICIT) if data else None)
            for command, data in said(self.provider)
            if command["CommandField"] == field | 0x8000
        ]

    @staticmethod
    def ask(connection: Connection, command: Command) -> Conversation[None]:
        identifier = Dataset()
        identifier.PatientID = "7"
        yield from scu.send(connection, 1, command, encode(identifier, EXPLICIT))
        while True:
            response = yield from scu.response_to(connection, command, scp.answer)
            if response.command["Status"] != 0xFF00:
                return

    @property
    def statuses(self) -> list[int]:
        return [command["Status"] for command, _ in self.answers]

    @property
    def last(self) -> Command:
        return self.answers[-1][0]

    @property
    def failed_uids(self) -> list[str] | None:
        dataset = self.answers[-1][1]
        if dataset is None:
            return None
        value = dataset.FailedSOPInstanceUIDList
        uids = [value] if isinstance(value, str) else value or []
        return [str(uid) for uid in uids if uid]


def get(*values: Any, **more: Any) -> Retrieval:
    return Retrieval("C-GET", handler_of(*values), **more)


class Destination:
    """Where a C-MOVE goes: notes what it is asked, and answers with statuses."""

    def __init__(
        self,
        *answers: Any,
        refuses: Exception | None = None,
        most: int = 1,
        fails_late: bool = False,
    ) -> None:
        self.answers, self.refuses = list(answers), refuses
        self.most, self.fails_late = most, fails_late
        self.under_way: list[tuple[Any, Any]] = []
        self.deepest = 0
        self.opened: list[Open] = []
        self.stores: list[Store] = []
        self.hung = 0

    def handlers(self) -> dict[str, Callable[..., Any]]:
        return {"Open": self.open, "Store": self.store, "Settle": self.settle, "Hang": self.hang}

    def open(self, want: Open) -> Any:
        self.opened.append(want)
        if self.refuses is not None:
            raise self.refuses
        return self, self.most

    def store(self, want: Store) -> None:
        assert want.destination is self
        self.stores.append(want)
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception) and not self.fails_late:
            raise answer
        self.under_way.append((want.tag, answer))
        assert len(self.under_way) <= self.most
        self.deepest = max(self.deepest, len(self.under_way))

    def settle(self, want: Settle) -> Any:
        assert want.destination is self
        tag, answer = self.under_way.pop()  # the last first: out of order
        if isinstance(answer, Exception):
            self.under_way.append((tag, answer))  # it is over for good
            raise answer
        return tag, answer

    def hang(self, want: Any) -> None:
        assert want.destination is self
        self.hung += 1


def move(*values: Any, to: Destination | None = None, **more: Any) -> Retrieval:
    to = to or Destination()
    return Retrieval("C-MOVE", handler_of(*values), **to.handlers(), **more)


ADDRESS = ("127.0.0.1", 104)


def both(*values: Any, **more: Any) -> Iterator[Retrieval]:
    yield get(*values, **more)
    yield move(ADDRESS, *values, **more)


# -- what goes well ----------------------------------------------------------------------------


@pytest.mark.parametrize("sop_class", [ROOT, PRIVATE])
def test_each_instance_is_counted(sop_class: str) -> None:
    images = [(0xFF00, image(f"1.2.{n}")) for n in range(3)]
    for found in both(3, *images, sop_class=sop_class):
        assert found.statuses == [0xFF00] * 3 + [0x0000]
        assert [counts(command) for command, _ in found.answers] == [
            (2, 1, 0, 0), (1, 2, 0, 0), (0, 3, 0, 0), (None, 3, 0, 0)
        ]  # fmt: skip
        assert found.failed_uids is None
        assert (found.user.done, found.user.error) == (True, None)
        assert not found.provider.done


def test_sub_operations_of_a_get_are_stores_over_the_same_association() -> None:
    found = get(2, (0xFF00, image("1.2.1")), (0xFF00, image("1.2.2")))
    assert [c["AffectedSOPInstanceUID"] for c, _ in found.stored] == ["1.2.1", "1.2.2"]
    assert [c["MessageID"] for c, _ in found.stored] == [6, 7]
    assert {c["Priority"] for c, _ in found.stored} == {1}
    assert "MoveOriginatorMessageID" not in found.stored[0][0]
    data = found.stored[0][1]
    assert data is not None
    assert decode(data, EXPLICIT).PatientID == "7"


@pytest.mark.parametrize("message_id", [0, 5, 65533, 65535])
def test_message_ids_of_sub_operations_stay_in_range(message_id: int) -> None:
    images = [(0xFF00, image(f"1.2.{n}")) for n in range(4)]
    found = get(4, *images, message_id=message_id)
    ids = [command["MessageID"] for command, _ in found.stored]
    assert len({*ids, message_id}) == 5
    assert all(1 <= each <= 65535 for each in ids)
    assert found.statuses[-1] == 0


def test_a_move_names_its_originator() -> None:
    to = Destination()
    found = move(ADDRESS, 1, (0xFF00, image()), to=to)
    [want] = to.stores
    assert want.fields == {
        "msg_id": 6,
        "originator_aet": "SCU",
        "originator_id": 5,
        "decompress": True,
    }
    assert (to.opened[0].host, to.opened[0].port) == ADDRESS
    assert to.opened[0].settings == {"ae_title": "DEST"}
    assert to.hung == 1
    assert found.stored == []


def test_settings_of_a_destination_are_kept() -> None:
    to, settings = Destination(), {"tls_args": ("context", "host"), "ae_title": "OTHER"}
    move((*ADDRESS, settings), 1, (0xFF00, image()), to=to)
    assert to.opened[0].settings == {"tls_args": ("context", "host"), "ae_title": "OTHER"}
    assert settings == {"tls_args": ("context", "host"), "ae_title": "OTHER"}


@pytest.mark.parametrize("form", ["path", "str", "header"])
def test_files_are_sent_too(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file"
    given = image("1.2.77")
    given.save_as(path, enforce_file_format=True)
    file = {"path": path, "str": str(path), "header": read_header(path)}[form]
    for found in both(1, (0xFF00, file)):
        assert counts(found.last) == (None, 1, 0, 0)
    found = get(1, (0xFF00, file), store=lambda message: 0xA700)
    assert found.failed_uids == ["1.2.77"]


def test_a_file_that_is_none_costs_one_sub_operation(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no DICOM file" * 20)
    values = [(0xFF00, each) for each in (tmp_path / "text", tmp_path / "gone", tmp_path, image())]
    for found in both(4, *values):
        assert counts(found.last) == (None, 1, 3, 0)
        assert found.last["Status"] == 0xB000


@pytest.mark.parametrize("as_file", [True, False])
def test_without_bulk_data(tmp_path: Path, as_file: bool) -> None:
    given: Any = image()
    if as_file:
        given.save_as(tmp_path / "file", enforce_file_format=True)
        given = tmp_path / "file"
    found = get(1, (0xFF00, given), sop_class=WITHOUT_BULK)
    data = found.stored[0][1]
    assert data is not None
    assert "PixelData" not in decode(data, EXPLICIT)
    assert found.statuses == [0xFF00, 0]
    if not as_file:
        assert "PixelData" in given


# -- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1])
def test_nothing_matches(number: int) -> None:
    to = Destination()
    for found in (get(number), move(ADDRESS, number, to=to)):
        assert found.statuses == [0]
        assert counts(found.last) == (None, 0, 0, 0)
    assert to.opened == []


@pytest.mark.parametrize("name", ["C-GET", "C-MOVE"])
def test_a_handler_that_returns_none_has_nothing(name: str) -> None:
    found = Retrieval(name, lambda message: None)
    assert found.statuses == [0]
    assert counts(found.last) == (None, 0, 0, 0)


def test_a_handler_may_refuse_before_anything_is_opened() -> None:
    status, to = Dataset(), Destination()
    status.Status, status.ErrorComment = 0xA900, "StudyInstanceUID needs a value"
    for found in (get(status), move(status, to=to), move(ADDRESS, status, to=to)):
        assert found.statuses == [0xA900]
        assert found.last["ErrorComment"] == "StudyInstanceUID needs a value"
        assert counts(found.last) == (None, None, None, None)
    assert to.opened == []


def test_a_list_will_do() -> None:
    assert Retrieval("C-GET", lambda message: [1, (0xFF00, image())]).statuses == [0xFF00, 0]


def test_more_than_was_announced_is_left_out() -> None:
    for found in both(1, *[(0xFF00, image(f"1.2.{n}")) for n in range(3)]):
        assert found.statuses == [0xFF00, 0]
        assert counts(found.last) == (None, 1, 0, 0)


def test_fewer_than_were_announced_have_failed() -> None:
    for found in both(3, (0xFF00, image())):
        assert found.statuses == [0xFF00, 0xB000]
        assert counts(found.last) == (None, 1, 2, 0)
        assert found.failed_uids == []
    assert get(3).statuses == [0xA702]


def test_a_number_beyond_its_element_does_not_overflow() -> None:
    for found in both(70_000, (0xFF00, image()), (0xA700, None)):
        assert counts(found.answers[0][0]) == (65535, 1, 0, 0)
        assert counts(found.last) == (None, 1, 65535, 0)
    many = SubOperations(remaining=0, completed=100_000, failed=65536, warning=65535)
    assert [*many.elements(True).values()] == [0, MOST, MOST, MOST]


def test_how_it_stands_is_said_before_the_next_file_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The requestor reads a Pending response meanwhile: nothing keeps it for company."""
    kept: list[bool] = []
    perform = Side._perform

    def watched(side: Side, want: Any) -> Any:
        if isinstance(want, Flush):
            kept.append(want.more_follows)
        return perform(side, want)

    monkeypatch.setattr(Side, "_perform", watched)
    get(3, *[(0xFF00, image(f"1.2.{n}")) for n in range(3)])
    assert len(kept) > 6
    assert not any(kept)


@pytest.mark.parametrize("end", [[], [(0x0000, None)]])
def test_where_the_announced_number_binds_nobody(end: list[Any]) -> None:
    for found in both(3, (0xFF00, image()), *end, counts_bind=False):
        assert found.statuses == [0xFF00, 0x0000]
        assert counts(found.last) == (None, 1, 0, 0)
    tried = [found.statuses for found in both(65536, (0xFF00, image()), counts_bind=False)]
    assert tried == [[0xC416], [0xC516]]


def test_counting() -> None:
    count = SubOperations(remaining=1)
    for category in Category.SUCCESS, Category.WARNING, Category.FAILURE, Category.UNKNOWN:
        count.count(category, category.value)
    assert [*count.elements(True).values()] == [0, 1, 2, 1]
    assert count.failed_uids == ["Warning", "Failure", "Unknown"]


# -- sub-operations that fail ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "status", "expected", "uids"),
    [
        ([0, 0], 0x0000, (None, 2, 0, 0), None),
        ([0, 0xB000], 0xB000, (None, 1, 0, 1), ["1.2.1"]),
        ([0xB000, 0xB006], 0xB000, (None, 0, 0, 2), ["1.2.0", "1.2.1"]),
        ([0xA700, 0], 0xB000, (None, 1, 1, 0), ["1.2.0"]),
        ([0xC000, 0xB007], 0xB000, (None, 0, 1, 1), ["1.2.0", "1.2.1"]),
        ([0xA700, 0x0122], 0xA702, (None, 0, 2, 0), ["1.2.0", "1.2.1"]),
        ([0x1234, 0x5678], 0xA702, (None, 0, 2, 0), ["1.2.0", "1.2.1"]),
    ],
)
def test_the_last_status_sums_up(
    answers: list[int], status: int, expected: tuple[Any, ...], uids: list[str] | None
) -> None:
    values = [2, *((0xFF00, image(f"1.2.{n}")) for n in range(2))]
    left = list(answers)
    for found in (
        get(*values, store=lambda message: left.pop(0)),
        move(ADDRESS, *values, to=Destination(*answers)),
    ):
        assert found.statuses == [0xFF00, 0xFF00, status]
        assert counts(found.last) == expected
        assert found.failed_uids == uids


def unencodable() -> Dataset:
    dataset = image("1.2.9")
    dataset.add_new(0x00280010, "US", "many")
    return dataset


def bare() -> Dataset:
    dataset = image("1.2.9")
    del dataset.file_meta
    return dataset


@pytest.mark.filterwarnings("ignore:A value of type")
@pytest.mark.parametrize(
    ("instance", "uids"),
    [(None, []), ("no such file", []), (7, []), (Dataset(), []), (image("1.2.9", MR), ["1.2.9"]),
     (image("1.2.9", syntax="1.2.840.10008.1.2.4.50"), ["1.2.9"]), (bare(), ["1.2.9"]),
     (unencodable(), ["1.2.9"])],
    ids=["None", "text", "number", "empty", "no context", "compressed", "no file meta",
         "unencodable"],
)  # fmt: skip
def test_what_cannot_be_sent_has_failed_and_the_rest_goes_on(
    instance: Any, uids: list[str]
) -> None:
    found = get(2, (0xFF00, instance), (0xFF00, image()))
    assert found.statuses == [0xFF00, 0xFF00, 0xB000]
    assert [counts(command) for command, _ in found.answers] == [
        (1, 0, 1, 0), (0, 1, 1, 0), (None, 1, 1, 0)
    ]  # fmt: skip
    assert found.failed_uids == uids
    assert len(found.stored) == 1


class Breaking:
    """A data set that cannot be read to its end."""

    length = 10

    def fetch(self, size: int) -> None:
        """Its beginning can be read."""

    def chunks(self, size: int) -> Iterator[memoryview]:
        yield memoryview(b"1234")
        raise LocalError("the disk is gone")


def test_an_instance_that_breaks_off_ends_the_association(monkeypatch: pytest.MonkeyPatch) -> None:
    def outgoing(*given: Any, **how: Any) -> Any:
        return nullcontext(Outgoing(3, CT, "1.2.1", Breaking()))

    monkeypatch.setattr(retrieve, "outgoing", outgoing)
    found = get(2, (0xFF00, image()), (0xFF00, image("1.2.2")))
    assert found.answers == []  # half a message was sent: nothing can follow it
    for side in (found.provider, found.user):
        assert isinstance(side.error, Aborted)


FAILURES = [
    Lost("gone"),
    RuntimeError("it ended before"),
    ValueError("no context"),
    AttributeError("no UID"),
    TypeError("no data set"),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda each: type(each).__name__)
def test_a_destination_that_fails_costs_one_sub_operation(error: Exception) -> None:
    to = Destination(error, 0)
    found = move(ADDRESS, 2, (0xFF00, image("1.2.1")), (0xFF00, image("1.2.2")), to=to)
    assert found.statuses == [0xFF00, 0xFF00, 0xB000]
    assert found.failed_uids == ["1.2.1"]
    assert to.hung == 1


# -- several at once ---------------------------------------------------------------------------


def images(count: int) -> list[tuple[int, Dataset]]:
    return [(0xFF00, image(f"1.2.{number}")) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    "order", [slice(None), slice(None, None, -1)], ids=["in order", "last first"]
)
def test_sub_operations_of_a_get_are_under_way_together(order: slice) -> None:
    requestor, acceptor = associated_for(ROOT, CT)
    acceptor.may_invoke = 3
    command = {"AffectedSOPClassUID": ROOT, "CommandField": 0x10, "MessageID": 5, "Priority": 2}
    held: list[Command] = []
    last: list[Command] = []

    def patient() -> Conversation[None]:
        yield from scu.send(requestor, 1, command, encode(image(), EXPLICIT))
        while not last or last[-1]["Status"] == 0xFF00:
            event = yield RECEIVE_IDLE
            (held if event.command["CommandField"] == 1 else last).append(event.command)
            if len(held) == 3:  # none is answered before
                for each in held[order]:
                    failed = each["AffectedSOPInstanceUID"] == "1.2.2"
                    requestor.send_message(3, response_for(each, 0xA700 if failed else 0, {}))
                held.clear()

    user = Side(requestor, patient())
    provider = Side(acceptor, scp.serve(acceptor), {"EVT_C_GET": handler_of(6, *images(6))})
    play(user, provider)
    assert [each["Status"] for each in last] == [0xFF00] * 6 + [0xB000]
    assert [counts(each)[0] for each in last] == [5, 4, 3, 2, 1, 0, None]
    assert counts(last[-1]) == (None, 5, 1, 0)


@pytest.mark.parametrize("order", ["last first", "lost"])
def test_sub_operations_of_a_move_are_under_way_together(order: str) -> None:
    to = Destination(0, 0xA700, 0, most=3)
    if order == "lost":
        to = Destination(0, 0, Lost("gone"), most=3, fails_late=True)
    found = move(ADDRESS, 3, *images(3), to=to)
    assert to.deepest == 3
    completed = 0 if order == "lost" else 2
    assert found.statuses == [0xFF00] * 3 + [0xB000 if completed else 0xA702]
    assert counts(found.last) == (None, completed, 3 - completed, 0)
    assert len(found.failed_uids or []) == 3 - completed


@pytest.mark.parametrize(
    ("end", "status"),
    [(KeyError("late"), 0xC511), ((0xFE00, None), 0xFE00), ((0xA701, None), 0xA701), (7, 0xC511)],
    ids=["raises", "cancel", "failure", "nonsense"],
)
def test_what_is_under_way_is_waited_for_whatever_the_handler_does(end: Any, status: int) -> None:
    to = Destination(most=5)
    found = move(ADDRESS, 4, *images(2), end, to=to)
    assert to.under_way == []
    assert found.statuses == [0xFF00, 0xFF00, status]


def test_no_more_than_announced_also_when_none_is_over() -> None:
    to = Destination(most=5)
    found = move(ADDRESS, 2, *images(4), to=to)
    assert len(to.stores) == 2
    assert counts(found.last) == (None, 2, 0, 0)


# -- what the handler ends with ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0xFE00, (2, 1, 0, 0)),
        (0xA701, (None, 1, 2, 0)),
        (0xC123, (None, 1, 2, 0)),
        (0xB000, (None, 1, 0, 0)),
        (0x1234, (None, 1, 0, 0)),
    ],
)
def test_a_handler_may_end_it(status: int, expected: tuple[Any, ...]) -> None:
    for found in both(3, (0xFF00, image()), (status, None), (0xFF00, image())):
        assert found.statuses == [0xFF00, status]
        assert counts(found.last) == expected
        assert found.failed_uids == []


def test_a_handler_that_says_success_early() -> None:
    for found in both(2, (0xFF00, image()), (0x0000, None), (0xFF00, image())):
        assert found.statuses == [0xFF00, 0xB000]
        assert counts(found.last) == (None, 1, 1, 0)


def test_the_handlers_own_list_of_failures_counts() -> None:
    own = Dataset()
    own.FailedSOPInstanceUIDList = ["1.5", "1.6"]
    for found in both(2, (0xFF00, image()), (0xFE00, own)):
        assert found.failed_uids == ["1.5", "1.6"]


def test_the_handlers_data_set_gets_the_list_and_is_left_alone() -> None:
    own = Dataset()
    own.PatientID = "7"
    found = get(2, (0xFF00, image("1.2.9", MR)), (0xA700, own))
    assert found.failed_uids == ["1.2.9"]
    assert "FailedSOPInstanceUIDList" not in own


def test_what_explains_a_last_status_goes_along() -> None:
    status = Dataset()
    status.Status, status.ErrorComment = 0xA701, "the disk is gone"
    for found in both(1, (status, None)):
        assert found.last["Status"] == 0xA701
        assert found.last["ErrorComment"] == "the disk is gone"


# -- what the handler does wrong ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "get_status", "move_status"),
    [
        ([], 0xC413, 0xC513),
        (["many"], 0xC413, 0xC513),
        ([None], 0xC413, 0xC513),
        ([(0xFF00, image())], 0xC413, 0xC513),
        ([KeyError("early")], 0xC411, 0xC511),
        ([1, KeyError("before the first")], 0xC411, 0xC511),
        ([1, 0xFF00], 0xC411, 0xC511),
        ([1, (0xFF00,)], 0xC411, 0xC511),
        ([1, (Dataset(), None)], 0xC001, 0xC001),
        ([1, ("0", None)], 0xC002, 0xC002),
    ],
    ids=["nothing", "text", "None", "a pair", "raises", "raises later", "bare status", "one",
         "no Status", "no status"],
)  # fmt: skip
def test_a_handler_that_does_it_wrong(values: Any, get_status: int, move_status: int) -> None:
    to = Destination()
    assert get(*values).statuses == [get_status]
    assert move(ADDRESS, *values, to=to).statuses == [move_status]
    assert to.hung == len(to.opened)


def test_a_handler_that_raises_in_the_middle() -> None:
    got, to = get(2, (0xFF00, image()), KeyError("late")), Destination()
    moved = move(ADDRESS, 2, (0xFF00, image()), KeyError("late"), to=to)
    assert (got.statuses, moved.statuses) == ([0xFF00, 0xC411], [0xFF00, 0xC511])
    assert to.hung == 1


@pytest.mark.parametrize(("name", "status"), [("C-GET", 0xC411), ("C-MOVE", 0xC511)])
def test_no_handler_one_that_raises_at_once_and_one_that_yields_nothing(
    name: str, status: int
) -> None:
    def raising(message: Any) -> Any:
        raise KeyError("of a handler")

    for handler in (None, raising, lambda message: 7):
        assert Retrieval(name, handler).statuses == [status]


@pytest.mark.parametrize(
    ("where", "status"),
    [
        (("127.0.0.1",), 0xC514),
        (("127.0.0.1", 104, {}, 1), 0xC514),
        ("DEST", 0xC514),
        (None, 0xC514),
        (1, 0xC514),
        ((None, None), 0xA801),
        (("127.0.0.1", None), 0xA801),
        ((None, 104), 0xA801),
        ((1, 104), 0xC515),
        (("127.0.0.1", "104"), 0xC515),
        (("127.0.0.1", 104, 7), 0xC515),
        (("127.0.0.1", 104, [("ae_title", "X")]), 0xC515),
        (("127.0.0.1", 104, None), 0xC515),
    ],
    ids=repr,
)
def test_a_destination_that_is_none(where: Any, status: int) -> None:
    to = Destination()
    assert move(where, 1, (0xFF00, image()), to=to).statuses == [status]
    assert to.opened == []


def test_a_move_handler_that_yields_nothing() -> None:
    assert move().statuses == [0xC514]


@pytest.mark.parametrize(
    ("refuses", "status"),
    [(Lost("nobody there"), 0xA801), (OSError("no route"), 0xA801), (TypeError("argument"), 0xC515),
     (ValueError("title"), 0xC515), (AttributeError("context"), 0xC515),
     (RuntimeError("contexts"), 0xC515)],
    ids=lambda each: type(each).__name__,
)  # fmt: skip
def test_a_destination_that_cannot_be_reached(refuses: Exception, status: int) -> None:
    to = Destination(refuses=refuses)
    found = move(ADDRESS, 1, (0xFF00, image()), to=to)
    assert found.statuses == [status]
    assert (to.stores, to.hung) == ([], 0)


# -- cancel and abort --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["C-GET", "C-MOVE"])
def test_cancel_in_the_middle(name: str) -> None:
    box = SimpleNamespace()

    def handler(message: Any) -> Iterator[Any]:
        if name == "C-MOVE":
            yield ADDRESS
        yield 3
        for number in range(3):
            if 5 in box.acceptor.cancelled:
                yield 0xFE00, None
                return
            yield 0xFF00, image(f"1.2.{number}")
            cancel = {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 5}
            feed(box.acceptor, pairs.message(1, cancel))

    requestor, box.acceptor = associated_for(ROOT, CT)
    command = {"AffectedSOPClassUID": ROOT, "CommandField": 0x10, "MessageID": 5, "Priority": 2}
    if name == "C-MOVE":
        command |= {"CommandField": 0x21, "MoveDestination": "DEST"}
    to = Destination()
    event = "EVT_" + name.replace("-", "_")
    one = Side(requestor, Retrieval.ask(requestor, command), {"EVT_C_STORE": lambda message: 0})
    other = Side(box.acceptor, scp.serve(box.acceptor), {event: handler, **to.handlers()})
    play(one, other)
    answers = [c for c, _ in said(other) if c["CommandField"] != 0x0001]
    assert [c["Status"] for c in answers] == [0xFF00, 0xFE00]
    assert counts(answers[-1]) == (2, 1, 0, 0)
    assert to.hung == len(to.opened)


@pytest.mark.parametrize("name", ["C-GET", "C-MOVE"])
def test_an_abort_in_the_middle_ends_everything(name: str) -> None:
    closed: list[bool] = []

    def handler(message: Any) -> Iterator[Any]:
        try:
            if name == "C-MOVE":
                yield ADDRESS
            yield 2
            yield 0xFF00, image()
            feed(acceptor, Abort(0, 0).encode())
            yield 0xFF00, image()
            raise AssertionError("nobody asks")
        finally:
            closed.append(True)

    _, acceptor = associated_for(ROOT, CT)
    to = Destination()
    command = {"AffectedSOPClassUID": ROOT, "CommandField": 0x21, "MessageID": 5, "Priority": 2}
    command["MoveDestination"] = "DEST"
    if name == "C-GET":
        command["CommandField"] = 0x10
    event = "EVT_" + name.replace("-", "_")
    side = Side(acceptor, scp.serve(acceptor), {event: handler, **to.handlers()})
    side.advance()
    feed(acceptor, pairs.message(1, command, encode(image(), EXPLICIT)))
    side.advance()
    side.flush()
    if name == "C-GET":
        stored = {"AffectedSOPClassUID": CT, "CommandField": 0x8001, "Status": 0}
        feed(acceptor, pairs.message(3, {**stored, "MessageIDBeingRespondedTo": 6}))
        side.advance()
    assert isinstance(side.error, Aborted)
    assert closed == [True]
    assert to.hung == len(to.opened)


def test_a_handler_that_aborts_is_not_answered() -> None:
    def handler(message: Any) -> Iterator[Any]:
        yield 2
        Side(acceptor, abort(acceptor)).advance()
        yield 0xFF00, image()

    _, acceptor = associated_for(ROOT, CT)
    command = {"AffectedSOPClassUID": ROOT, "CommandField": 0x10, "MessageID": 5, "Priority": 2}
    side = Side(acceptor, scp.serve(acceptor), {"EVT_C_GET": handler})
    side.advance()
    feed(acceptor, pairs.message(1, command, encode(image(), EXPLICIT)))
    side.advance()
    assert said(side) == []
    assert side.error is acceptor.ended


def test_a_move_without_a_destination_is_answered() -> None:
    _, acceptor = associated_for(ROOT)
    command = {"AffectedSOPClassUID": ROOT, "CommandField": 0x21, "MessageID": 5, "Priority": 2}
    sink = pairs.Memory()
    side = Side(acceptor, scp.answer(acceptor, message(1, command, sink)))
    side.advance()
    assert [c["Status"] for c, _ in said(side)] == [0x0120]
