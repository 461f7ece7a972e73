"""The handlers of an archive: what they answer to requests, as the driver would hear it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomwire.archive.files import InUse
from dicomwire.archive.node import (
    FIND,
    GET,
    MODELS,
    MOVE,
    Destination,
    Node,
    agree,
    contexts,
    contexts_for,
    granted,
    status,
)
from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.part10 import FileHeader
from tests.archive.samples import CT, EXPLICIT, IMPLICIT, instance, received, write

STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in "123")
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
BIG, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
JPEG = "1.2.840.10008.1.2.4.70"
PLAIN_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PLAIN_TLS.check_hostname = False
TO = {
    "THERE": Destination("THERE", "there.example", 104),
    "SAFE": Destination("SAFE", "safe.example", 2762, PLAIN_TLS),
    "NAMED": Destination(
        "NAMED", "named.example", 2762, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ),
}  # fmt: skip


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """`start(replace=True)`: an archive for the test."""
    nodes: list[Node] = []

    def go(**settings: Any) -> Node:
        node = Node(tmp_path / "archive", tmp_path / "index.sqlite", "NODE", TO, **settings)
        nodes.append(node)
        return node

    yield go
    for node in nodes:
        node.close()


def store(node: Node, ds: Dataset, syntax: str = EXPLICIT) -> Any:
    """Let a node store an object; what its handler returned."""
    path = write(node.files.incoming / ".1.part", ds, syntax)
    command = {"AffectedSOPClassUID": ds.SOPClassUID, "AffectedSOPInstanceUID": ds.SOPInstanceUID}
    try:
        event: Any = SimpleNamespace(
            command=command,
            context=SimpleNamespace(transfer_syntax=syntax),
            message_id=1,
            open_dataset=lambda: received(path),
        )
        return node.store(event)
    finally:
        path.unlink(missing_ok=True)


def request(uid: str, proposed: bytes = b"", cancel_at: int = -1, **wanted: Any) -> Any:
    """Make the event of a request with keys.

    Parameters
    ----------
    uid : str
        The information model.
    proposed : bytes
        What SOP class extended negotiation asked for.
    cancel_at : int
        At which look it is cancelled.
    **wanted
        The keys, and `destination`.
    """
    destination = wanted.pop("destination", None)
    identifier = Dataset()
    identifier.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in wanted.items():
        setattr(identifier, keyword, value)

    class Event(SimpleNamespace):
        looks = 0

        @property
        def is_cancelled(self) -> bool:
            self.looks += 1
            return self.looks > cancel_at >= 0

    return Event(
        request=SimpleNamespace(
            AffectedSOPClassUID=uid,
            Identifier=BytesIO(encode(identifier, EXPLICIT)),
            msg_type="C-FIND",
        ),
        context=SimpleNamespace(transfer_syntax=EXPLICIT),
        assoc=SimpleNamespace(
            requestor=SimpleNamespace(sop_class_extended={uid: proposed} if proposed else {})
        ),
        message_id=7,
        move_destination=destination,
    )


def filled(node: Node, count: int = 3) -> Node:
    for number in range(1, count + 1):
        assert store(node, instance(number)) == 0
    return node


# -- store ----------------------------------------------------------------------------------------


def test_an_object_is_stored_and_counted(start: Callable[..., Node]) -> None:
    node = filled(start())
    assert list(node.index.counts().values()) == [3, 3, 3, 3]
    assert store(node, instance(1)) == 0


def test_a_refusal_has_a_status_and_says_why(start: Callable[..., Node]) -> None:
    node = filled(start(), 1)
    answered = store(node, instance(1, StudyDescription="other"))
    assert (answered.Status, answered.ErrorComment) == (
        0x0111,
        "not stored: there is another of the same SOP Instance UID",
    )
    assert list(node.index.counts().values()) == [1, 1, 1, 1]


def test_replace(start: Callable[..., Node]) -> None:
    node = filled(start(replace=True), 1)
    assert store(node, instance(1, StudyDescription="other")) == 0
    (pending, found), = node.find(request(STUDY_FIND, QueryRetrieveLevel="STUDY",
                                          StudyDescription=""))  # fmt: skip
    assert (pending, decode(found, EXPLICIT).StudyDescription) == (0xFF00, "other")


def test_clear(start: Callable[..., Node]) -> None:
    node = filled(start())
    assert node.index.clear() == 3
    assert list(node.index.counts().values()) == [0, 0, 0, 0]
    assert not list((node.files.folder / "objects").rglob("*.dcm"))


def test_one_process_has_it_open(start: Callable[..., Node]) -> None:
    start()
    with pytest.raises(InUse):
        start()


def test_a_wrong_index_leaves_the_folder_free(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(Exception, match="no database"):
            Node(tmp_path / "archive", tmp_path / "index", "NODE", {})
    Node(tmp_path / "archive", tmp_path / "other", "NODE", {}).close()


# -- find -----------------------------------------------------------------------------------------


def test_answers_come_one_by_one(start: Callable[..., Node]) -> None:
    node = filled(start())
    wanted = request(STUDY_FIND, QueryRetrieveLevel="STUDY", StudyInstanceUID="", PatientID="ID?")
    found = [(pending, decode(each, EXPLICIT)) for pending, each in node.find(wanted)]
    assert [pending for pending, _ in found] == [0xFF00] * 3
    assert [each.StudyInstanceUID for _, each in found] == ["1.2.1.1", "1.2.1.2", "1.2.1.3"]
    assert {each.RetrieveAETitle for _, each in found} == {"NODE"}


def test_a_key_that_is_not_supported(start: Callable[..., Node]) -> None:
    node = filled(start(), 1)
    wanted = request(STUDY_FIND, QueryRetrieveLevel="STUDY", BitsAllocated=None)
    assert [pending for pending, _ in node.find(wanted)] == [0xFF01]


@pytest.mark.parametrize(
    ("wanted", "code", "said"),
    [
        ({}, 0xA900, "QueryRetrieveLevel (0008,0052) is missing"),
        ({"QueryRetrieveLevel": "PATIENT"}, 0xA900, "no QueryRetrieveLevel of this model: PATIENT"),
        ({"QueryRetrieveLevel": "SERIES"}, 0xA900, "StudyInstanceUID needs a single value"),
    ],
)
def test_a_query_that_cannot_be(
    start: Callable[..., Node], wanted: dict[str, str], code: int, said: str
) -> None:
    ((answered, none),) = start().find(request(STUDY_FIND, **wanted))
    assert (answered.Status, none) == (code, None)
    assert said in answered.ErrorComment


def test_an_identifier_that_is_cut_off(start: Callable[..., Node]) -> None:
    asked = request(STUDY_FIND, QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.3")
    asked.request.Identifier = BytesIO(asked.request.Identifier.getvalue()[:-3])
    ((answered, _),) = start().find(asked)
    assert answered.Status == 0xC000


def test_an_index_that_fails(start: Callable[..., Node]) -> None:
    node = start()
    with node.index.reading() as connection:
        connection.execute("PRAGMA query_only = 0")
        connection.execute("DROP TABLE studies")
    ((answered, _),) = node.find(request(STUDY_FIND, QueryRetrieveLevel="STUDY"))
    assert answered.Status == 0xA700


def test_a_query_without_identifier(start: Callable[..., Node]) -> None:
    asked = request(STUDY_FIND, QueryRetrieveLevel="STUDY")
    asked.request.Identifier = None
    ((answered, _),) = start().find(asked)
    assert answered.Status == 0xA900


def test_a_cancelled_query_ends(start: Callable[..., Node]) -> None:
    node = filled(start(), 20)
    wanted = request(STUDY_FIND, cancel_at=1, QueryRetrieveLevel="STUDY", StudyInstanceUID="")
    assert [code for code, _ in node.find(wanted)] == [*[0xFF00] * 16, 0xFE00]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
def test_answers_are_the_same_in_each_transfer_syntax(
    start: Callable[..., Node], syntax: str
) -> None:
    node = start()
    assert store(node, instance(1, PatientName="Müller^Jörg", StudyDescription="odd")) == 0
    wanted = request(STUDY_FIND, QueryRetrieveLevel="STUDY", PatientName="", StudyDescription="")
    wanted.context.transfer_syntax = syntax
    wanted.request.Identifier = BytesIO(
        encode(decode(wanted.request.Identifier.getvalue(), EXPLICIT), syntax)
    )
    ((_, found),) = node.find(wanted)
    match = decode(found, syntax) if isinstance(found, bytes) else found
    assert (match.PatientName, match.StudyDescription) == ("Müller^Jörg", "odd")


def test_accents_count_unless_folded(start: Callable[..., Node]) -> None:
    def found(node: Node, proposed: bytes = b"") -> int:
        wanted = request(PATIENT_FIND, proposed, QueryRetrieveLevel="PATIENT",
                         PatientName="Muller^Jorg")  # fmt: skip
        return len(list(node.find(wanted)))

    node = start()
    assert store(node, instance(1, PatientName="Müller^Jörg")) == 0
    assert (found(node), found(node, b"\0\0\1")) == (0, 1)
    node.close()
    assert found(start(fold_accents=True)) == 1


# -- get and move ---------------------------------------------------------------------------------


def test_get_gives_files_and_their_number_first(start: Callable[..., Node]) -> None:
    node = filled(start())
    wanted = request(STUDY_GET, QueryRetrieveLevel="STUDY", StudyInstanceUID=["1.2.1.1", "1.2.1.3"])
    count, *pairs = node.get(wanted)
    assert (count, [code for code, _ in pairs]) == (2, [0xFF00, 0xFF00])
    assert [each.sop_instance_uid for _, each in pairs] == ["1.2.3.1", "1.2.3.3"]
    assert all(each.path.read_bytes()[each.offset :] for _, each in pairs)


def test_get_is_cancelled(start: Callable[..., Node]) -> None:
    wanted = request(STUDY_GET, cancel_at=1, QueryRetrieveLevel="STUDY",
                     StudyInstanceUID=["1.2.1.1", "1.2.1.2"])  # fmt: skip
    assert [each if isinstance(each, int) else each[0] for each in filled(start()).get(wanted)] == [
        2, 0xFF00, 0xFE00,
    ]  # fmt: skip


def test_nothing_is_retrieved_without_a_key(start: Callable[..., Node]) -> None:
    node = filled(start())
    for handler, uid in ((node.get, STUDY_GET), (node.move, STUDY_MOVE)):
        (answered,) = handler(request(uid, QueryRetrieveLevel="STUDY", destination="THERE"))
        assert answered.Status == 0xA900


@pytest.mark.parametrize(
    ("title", "where"),
    [
        ("THERE", ("there.example", 104, None)),
        (" THERE ", ("there.example", 104, None)),
        ("SAFE", ("safe.example", 2762, None)),
        ("NAMED", ("named.example", 2762, "named.example")),
    ],
)
def test_move_goes_to_a_peer_that_is_known(
    start: Callable[..., Node], title: str, where: tuple[str, int, str | None]
) -> None:
    node = filled(start())
    wanted = request(STUDY_MOVE, QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.1.2",
                     destination=title)  # fmt: skip
    (host, port, settings), count, *pairs = node.move(wanted)
    tls = settings.get("tls_args", (None, None))
    assert (host, port, tls[1]) == where
    assert tls[0] is TO[title.strip()].tls
    assert settings["ae_title"] == title.strip()
    assert {str(each.abstract_syntax) for each in settings["contexts"]} == {CT}
    assert (count, [each.sop_instance_uid for _, each in pairs]) == (1, ["1.2.3.2"])


def test_move_to_nobody(start: Callable[..., Node]) -> None:
    wanted = request(STUDY_MOVE, QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.1.2",
                     destination="NOBODY")  # fmt: skip
    (answered,) = filled(start()).move(wanted)
    assert answered.Status == 0xA801
    assert answered.ErrorComment == "unknown move destination NOBODY"


# -- negotiation ----------------------------------------------------------------------------------


def test_the_contexts_of_a_move_are_as_stored_and_uncompressed(tmp_path: Path) -> None:
    def header(syntax: str, sop_class: str = CT) -> FileHeader:
        return FileHeader(tmp_path, sop_class, "1.2.3", syntax, 0, 0)

    proposed = contexts_for([header(JPEG), header(IMPLICIT), header(JPEG), header(JPEG, "1.2.9")])
    found = [(str(each.abstract_syntax), list(map(str, each.transfer_syntax))) for each in proposed]
    assert found == [
        (CT, [JPEG]),
        (CT, [IMPLICIT]),
        ("1.2.9", [JPEG]),
        (CT, [EXPLICIT, "1.2.840.10008.1.2.2"]),
        ("1.2.9", [EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.2"]),
    ]
    assert len(contexts_for([header(JPEG, f"1.2.{n}") for n in range(100)])) == 128
    assert len(contexts_for([])) == 1  # an association has one at least


def test_what_is_supported() -> None:
    assert len(FIND) == len(GET) == len(MOVE) == 3
    found = {str(each.abstract_syntax): each for each in contexts(list(FIND), (JPEG,))}
    assert set(FIND) < set(found)
    assert not set(GET) & set(found)
    assert list(map(str, found[CT].transfer_syntax)) == [JPEG]
    assert (found[CT].scu_role, found[CT].scp_role) == (True, True)


@pytest.mark.parametrize(
    ("uid", "proposed", "said"),
    [
        (STUDY_FIND, b"\1\1\1\1\1", b"\1\1\1\0\0"),
        (STUDY_FIND, b"\0\1", b"\0\1"),
        (STUDY_FIND, b"\2", b"\0"),
        (STUDY_MOVE, b"\1\1", b"\1\0"),
        (STUDY_GET, b"", b""),
    ],
)
def test_what_is_granted(uid: str, proposed: bytes, said: bytes) -> None:
    assert granted(uid, proposed) == said
    assert agree(SimpleNamespace(app_info={uid: proposed, "1.2.9": b"\1"})) == {uid: said}  # type: ignore[arg-type]
    assert uid in MODELS


def test_an_error_comment_is_what_lo_may_be() -> None:
    comment = status(0xC000, "Ä\\b\n" + "x" * 100).ErrorComment
    assert comment == "?/b " + "x" * 60
