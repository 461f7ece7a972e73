"""storescu against peers that store, fail, go away: what arrives, what is said, the exit codes."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire.apps import sending, storescu
from dicomwire.dataset.part10 import read_header
from dicomwire.network import events as evt
from dicomwire.network.options import Options
from dicomwire.network.stores import Stores
from tests.apps.conftest import CT, Peer, Tool, dicom_file
from tests.dataset.samples import BIG_ENDIAN, EXPLICIT, IMPLICIT, MR, parsed

MakePeer = Callable[..., Peer]
MakeFiles = Callable[[int], Path]
RLE = "1.2.840.10008.1.2.5"


def uids(peer: Peer) -> list[str]:
    return [uid for uid, _, _ in peer.stored]


def data_set(path: Path) -> bytes:
    return path.read_bytes()[read_header(path).offset :]


def status_for(uid: str, status: int) -> Callable[[Any], int]:
    """Return a handler that answers one object with a status and all others with success."""
    return lambda event: status if event.request.AffectedSOPInstanceUID == uid else 0


def abort_at(*wanted: str) -> Callable[[Any], int]:
    """Return a handler that aborts instead of storing some objects."""

    def store(event: Any) -> int:
        if event.request.AffectedSOPInstanceUID in wanted:
            event.assoc.abort()
        return 0

    return store


def test_one_file_in_dcmtks_lines(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing, path = peer(), files(1) / "0001.dcm"
    run = tool("storescu", "-v", *standing.address, path)
    assert run.code == 0
    assert run.lines[:-1] == [
        "I: Requesting Association",
        f"I: Association Accepted (Max Send PDV: {16382 - 12})",
        f"I: Sending file: {path}",
        "I: Sending Store Request (MsgID 1, CT)",
        "I: Received Store Response (Success)",
        "I: Releasing Association",
    ]
    assert run.lines[-1].startswith("I: 1 sent: 0.0 MB in ")


def test_bytes_arrive_as_they_are(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing, folder = peer(), files(3)
    assert tool("storescu", *standing.address, folder).code == 0
    assert uids(standing) == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    sent = [data_set(path) for path in sorted(folder.iterdir())]
    assert [data for _, _, data in standing.stored] == sent


def test_without_options_it_says_one_line(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    (line,) = tool("storescu", *peer().address, files(2)).lines
    assert line.startswith("I: 2 sent: ")


def test_quiet(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    assert tool("storescu", "-q", *peer().address, files(1)) == (0, "", [])


@pytest.mark.box("16.4")
def test_only_the_contexts_needed(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = peer()
    tool("storescu", *standing.address, files(3))
    contexts = standing.proposals[0].presentation_contexts
    assert [(each.abstract_syntax, len(each.transfer_syntaxes)) for each in contexts] == [
        (CT, 1),
        (CT, 3),
    ]


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG_ENDIAN])
def test_a_peer_that_takes_another_syntax_gets_it_converted(
    tool: Tool, peer: MakePeer, files: MakeFiles, syntax: str
) -> None:
    standing = peer(syntaxes=(syntax,))
    assert tool("storescu", *standing.address, files(1)).code == 0
    ((uid, accepted, data),) = standing.stored
    assert (uid, accepted) == ("1.2.3.1", syntax)
    assert parsed(data, syntax).PatientName == "Nobody"


@pytest.mark.parametrize(
    ("option", "syntax"), [("-xi", IMPLICIT), ("-xb", BIG_ENDIAN), ("--propose-big", BIG_ENDIAN)]
)
def test_an_option_converts_too(
    tool: Tool, peer: MakePeer, files: MakeFiles, option: str, syntax: str
) -> None:
    standing = peer(syntaxes=(BIG_ENDIAN, IMPLICIT))
    assert tool("storescu", option, *standing.address, files(1)).code == 0
    assert standing.stored[0][1] == syntax


def test_a_compressed_object_is_not_converted(tool: Tool, peer: MakePeer, tmp_path: Path) -> None:
    path = dicom_file(tmp_path / "rle.dcm", syntax=RLE)
    standing = peer(syntaxes=(EXPLICIT,))
    dicom_file(tmp_path / "plain.dcm", "1.2.9")
    run = tool("storescu", *standing.address, tmp_path)
    assert run.code == 3
    assert uids(standing) == ["1.2.9"]
    assert run.lines[0].startswith(f"E: {path}: not sent: ")
    assert "RLE Lossless" in run.lines[0]
    assert run.lines[-1].startswith("E: 1 sent, 1 failed: ")


def test_a_failed_object_does_not_stop_the_others(
    tool: Tool, peer: MakePeer, files: MakeFiles
) -> None:
    standing = peer(on_store=status_for("1.2.3.2", 0xA700))
    run = tool("storescu", *standing.address, files(3))
    assert run.code == 3
    assert uids(standing) == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    assert run.lines[0].endswith("0002.dcm: not stored: 0xA700 Refused: Out of Resources")
    assert run.lines[1].startswith("E: 2 sent, 1 failed: ")
    assert run.lines[1].endswith("(1 x 0xA700 Refused: Out of Resources)")


def test_halt(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = peer(on_store=status_for("1.2.3.2", 0xC000))
    run = tool("storescu", "--halt", *standing.address, files(4))
    assert run.code == 3
    assert uids(standing) == ["1.2.3.1", "1.2.3.2"]
    assert "1 sent, 1 failed, 2 not tried" in run.lines[-1]


def test_a_warning_is_no_failure(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    run = tool("storescu", *peer(on_store=status_for("1.2.3.1", 0xB000)).address, files(2))
    assert run.code == 0
    assert run.lines[0].startswith("W: ")
    assert "0xB000 Coercion of Data Elements" in run.lines[0]
    assert run.lines[1].startswith("I: 2 sent, 1 of them with a warning: ")


def test_unreadable_and_foreign_files(
    tool: Tool, peer: MakePeer, files: MakeFiles, tmp_path: Path
) -> None:
    folder = files(1)
    (folder / "readme.txt").write_text("nothing to see")
    (tmp_path / "cut.dcm").write_bytes(bytes(128) + b"DICM\2\0")
    run = tool("storescu", *peer().address, folder, tmp_path / "cut.dcm")
    assert run.code == 3
    assert "cut.dcm" in run.lines[0]
    assert "1 sent, 1 failed, 1 skipped (not DICOM objects)" in run.lines[-1]
    assert run.lines[-1].endswith("(1 x unreadable)")


def test_a_folder_without_objects(tool: Tool, tmp_path: Path) -> None:
    run = tool("storescu", "127.0.0.1", 1, tmp_path)
    assert run.code == 0
    assert run.lines == [
        "W: Nothing to send: no DICOM objects among the files. Check: -r for subfolders"
    ]


@pytest.mark.box("16.4")
def test_recursion(tool: Tool, peer: MakePeer, tmp_path: Path) -> None:
    dicom_file(tmp_path / "a" / "b" / "c.dcm", "1.2.8")
    standing = peer()
    for option in ("-r", "--recurse", "+r"):
        assert tool("storescu", option, *standing.address, tmp_path).code == 0
    assert uids(standing) == ["1.2.8"] * 3


def test_nobody_there(tool: Tool, files: MakeFiles) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        run = tool("storescu", "127.0.0.1", taken.getsockname()[1], files(2))
    assert run.code == 1
    assert run.lines[0].startswith("E: Connection refused")
    assert run.lines[1:] == ["E: 0 sent, 2 not tried"]


def test_no_context_accepted(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    run = tool("storescu", *peer(classes=(MR,)).address, files(1))
    assert run.code == 1
    assert "No accepted presentation contexts" in run.lines[0]


def test_a_lost_association_is_made_again(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = peer(on_store=abort_at("1.2.3.2"))
    run = tool("storescu", *standing.address, files(4))
    assert run.code == 3
    assert uids(standing) == ["1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4"]
    assert len(standing.proposals) == 2
    assert run.lines[0].endswith("0002.dcm: no answer")
    assert run.lines[1].startswith("E: Association Aborted by the peer")
    assert run.lines[2].startswith("E: 3 sent, 1 failed: ")
    assert len(run.lines) == 3


def test_but_only_once(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = peer(on_store=abort_at("1.2.3.1", "1.2.3.3"))
    run = tool("storescu", *standing.address, files(5))
    assert run.code == 4
    assert uids(standing) == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    assert len(standing.proposals) == 2
    assert run.lines[-1].startswith("E: 1 sent, 2 failed, 2 not tried: ")


def test_an_association_that_ends_between_objects_costs_none(
    tool: Tool, peer: MakePeer, files: MakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = peer()
    real = Stores.send_prepared

    def send(stores: Any, prepared: Any, tag: int) -> None:
        if prepared[0].sop_instance_uid == "1.2.3.2" and len(standing.proposals) == 1:
            for each in standing.ae.active_associations:
                each.abort()
            stores._association.join()
        real(stores, prepared, tag)

    monkeypatch.setattr(Stores, "send_prepared", send)
    run = tool("storescu", *standing.address, files(3))
    assert run.code == 0
    assert uids(standing) == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    assert len(standing.proposals) == 2


def granting(peer: MakePeer, **settings: Any) -> Peer:
    """A peer that lets several requests be under way."""
    return peer(options=Options(asynchronous_operations=(1, 16)), **settings)


def test_requests_do_not_wait_for_each_other(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = granting(peer)
    run = tool("storescu", *standing.address, files(40))
    assert run.code == 0
    assert uids(standing) == [f"1.2.3.{number}" for number in range(1, 41)]
    (proposal,) = standing.proposals
    assert [each.numbers for each in proposal.user_information if hasattr(each, "numbers")] == [
        (16, 1)
    ]


def test_what_a_lost_association_had_not_come_to_is_sent_again(
    tool: Tool, peer: MakePeer, files: MakeFiles
) -> None:
    standing = granting(peer, on_store=abort_at("1.2.3.3"))
    run = tool("storescu", *standing.address, files(6))
    assert run.code == 3
    assert sorted(set(uids(standing))) == [f"1.2.3.{number}" for number in range(1, 7)]
    assert run.lines[0].endswith("0003.dcm: no answer")
    assert run.lines[-1].startswith("E: 5 sent, 1 failed: ")


def test_halt_hears_of_each_object_before_the_next(
    tool: Tool, peer: MakePeer, files: MakeFiles
) -> None:
    standing = granting(peer, on_store=lambda event: 0xA700)
    run = tool("storescu", "--halt", *standing.address, files(4))
    assert run.code == 3
    assert uids(standing) == ["1.2.3.1"]


def test_jobs_share_the_work(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    together = threading.Barrier(3, timeout=20)

    def store(event: Any) -> int:
        if event.message_id == 1:  # the first object of each association
            together.wait()
        return 0

    standing = peer(on_store=store)
    run = tool("storescu", "--jobs", 3, *standing.address, files(9))
    assert run.code == 0
    assert len(standing.proposals) == 3
    assert sorted(uids(standing)) == [f"1.2.3.{number}" for number in range(1, 10)]


def test_no_more_jobs_than_objects(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = peer()
    assert tool("storescu", "--jobs", 8, *standing.address, files(2)).code == 0
    assert len(standing.proposals) <= 2


def test_a_peer_that_allows_fewer_associations_gets_everything(
    tool: Tool, peer: MakePeer, files: MakeFiles
) -> None:
    rejected = threading.Semaphore(0)

    def store(event: Any) -> int:
        if event.message_id == 1:
            assert rejected.acquire(timeout=10)
            assert rejected.acquire(timeout=10)
        return 0

    handlers = ((evt.EVT_REJECTED, lambda event: rejected.release()),)
    standing = peer(on_store=store, maximum_associations=1, handlers=handlers)
    run = tool("storescu", "--jobs", 3, *standing.address, files(6))
    assert run.code == 0
    assert len(uids(standing)) == 6
    assert any("local limit exceeded" in line for line in run.lines)
    assert run.lines[-1].startswith("I: 6 sent")


def test_more_than_128_contexts(tool: Tool, peer: MakePeer, tmp_path: Path) -> None:
    classes = tuple(f"1.2.840.99.{number}" for number in range(1, 71))
    for number, sop_class in enumerate(classes):
        dicom_file(tmp_path / f"{number:02}.dcm", f"1.2.{number}", sop_class)
    standing = peer(classes=classes)
    run = tool("storescu", *standing.address, tmp_path)
    assert run.code == 0
    assert [len(each.presentation_contexts) for each in standing.proposals] == [128, 12]
    assert len(uids(standing)) == 70


def test_a_load_that_is_not_wanted_does_not_stop_the_next(
    tool: Tool, peer: MakePeer, tmp_path: Path
) -> None:
    classes = tuple(f"1.2.840.99.{number}" for number in range(1, 71))
    for number, sop_class in enumerate(classes):
        dicom_file(tmp_path / f"{number:02}.dcm", f"1.2.{number}", sop_class)
    standing = peer(classes=classes[64:])
    run = tool("storescu", *standing.address, tmp_path)
    assert run.code == 3
    assert len(uids(standing)) == 6
    assert "6 sent, 64 not tried" in run.lines[-1]


def test_message_ids_wrap(
    tool: Tool, peer: MakePeer, files: MakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LAST_ID", 2)
    ids: list[int] = []

    def store(event: Any) -> int:
        ids.append(event.message_id)
        return 0

    tool("storescu", *peer(on_store=store).address, files(5))
    assert ids == [1, 2, 1, 2, 1]


def test_repeat(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    standing = peer()
    run = tool("storescu", "--repeat", 2, *standing.address, files(2))
    assert uids(standing) == ["1.2.3.1", "1.2.3.1", "1.2.3.2", "1.2.3.2"]
    assert run.lines[-1].startswith("I: 4 sent")


def test_abort_instead_of_release(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    ends: list[str] = []
    over = threading.Event()

    def note(event: Any) -> None:
        ends.append(event.event.name)
        over.set()

    handlers = ((evt.EVT_ABORTED, note), (evt.EVT_RELEASED, note))
    assert tool("storescu", "--abort", *peer(handlers=handlers).address, files(1)).code == 0
    assert over.wait(10)
    assert ends == ["EVT_ABORTED"]


def test_rename(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    folder = files(2)
    tool("storescu", "+rn", *peer(on_store=status_for("1.2.3.2", 0xA900)).address, folder)
    assert sorted(each.name for each in folder.iterdir()) == ["0001.dcm.done", "0002.dcm.bad"]


def test_a_comment_of_the_peer_is_said(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    from pydicom.dataset import Dataset

    def store(_: Any) -> Any:
        answer = Dataset()
        answer.Status, answer.ErrorComment = 0xC123, "out of luck"
        return answer

    run = tool("storescu", *peer(on_store=store).address, files(1))
    assert run.lines[0].endswith("0xC123 Cannot Understand (out of luck)")


def test_many_reasons_make_a_short_line(tool: Tool, peer: MakePeer, files: MakeFiles) -> None:
    def store(event: Any) -> int:
        return 0xA700 + event.message_id

    run = tool("storescu", *peer(on_store=store).address, files(5))
    assert run.lines[-1].startswith("E: 0 sent, 5 failed (1 x 0xA701 ")
    assert run.lines[-1].endswith("; 2 more reasons, see above)")


def test_a_file_that_changes_meanwhile_fails_alone(
    tool: Tool, peer: MakePeer, files: MakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = files(3), storescu.plan

    def plan(*arguments: Any) -> Any:
        (folder / "0002.dcm").write_bytes(b"something else")
        return real(*arguments)

    monkeypatch.setattr(storescu, "plan", plan)
    standing = peer()
    run = tool("storescu", *standing.address, folder)
    assert run.code == 3
    assert uids(standing) == ["1.2.3.1", "1.2.3.3"]
    assert "0002.dcm: changed while it was being sent" in run.lines[0]


def test_ctrl_c(
    tool: Tool, peer: MakePeer, files: MakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as a signal would, in the main thread and while objects are under way
    started, ended = threading.Event(), threading.Event()

    def store(_: Any) -> int:
        started.set()
        ended.wait(10)
        return 0

    real = threading.Thread.join

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.daemon and "_work" in thread.name and started.wait(10) and not ended.is_set():
            ended.set()
            raise KeyboardInterrupt
        real(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", join)
    run = tool("storescu", *peer(on_store=store).address, files(3))
    assert run.code == 130
    assert "not tried" in run.lines[-1]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "shows"), [([], True), (["-v"], False), (["-d"], False), (["-q"], False)]
)
def test_the_bar_is_for_terminals_and_for_nothing_else_to_read(
    options: list[str], shows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dicomwire.apps import progress

    args = storescu.make_parser().read([*options, "host", "104", "path"])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress.progress(10, args.shows) as advance:
        advance(5)
        assert (advance is not progress._nothing) == shows


@pytest.mark.no_socket
def test_there_is_no_bar_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    from dicomwire.apps import progress

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with progress.progress(10, 30) as advance:
        assert advance is progress._nothing
