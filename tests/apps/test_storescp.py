"""storescp: which files it writes, under which names, and what it will not do."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire.apps import storescp
from dicomwire.apps.options import ToolParser
from dicomwire.apps.output import shown
from dicomwire.dataset.part10 import read_header
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.association import Association
from dicomwire.network.presentation import build_context
from dicomwire.services import scp, scu
from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.dimse import C_STORE
from dicomwire.standard.transfer_syntaxes import ALL_TRANSFER_SYNTAXES
from tests.apps.conftest import CT, VERIFICATION, Receiving, Tool, dicom_file
from tests.dataset.samples import BIG_ENDIAN, EXPLICIT, IMPLICIT, instance_explicit, part10

Receive = Callable[..., Receiving]
UNKNOWN = "1.2.840.99.1"


def associate(standing: Receiving, sop_class: str = CT, *syntaxes: str) -> Association:
    contexts = [build_context(sop_class, list(syntaxes) or [EXPLICIT])]
    return ApplicationEntity("TEST").associate("127.0.0.1", standing.port, contexts)


def store(standing: Receiving, uid: str, sop_class: str = CT, data: bytes = b"") -> int:
    """Send an object with any string as its SOP Instance UID; return the status."""
    with associate(standing, sop_class) as assoc:
        command = scu.command_for(C_STORE, 1, sop_class, AffectedSOPInstanceUID=uid, Priority=0)
        data = data or instance_explicit(uid, sop_class)
        conversation = scu.request(assoc.connection, 1, command, scp.answer, data)
        response: Any = assoc._operate("C-STORE", conversation)
        return int(response.command["Status"])


def test_a_file_is_what_was_sent(tool: Tool, receiving: Receive, tmp_path: Path) -> None:
    standing = receiving()
    path = dicom_file(tmp_path / "x.dcm")
    assert tool("storescu", *standing.address, path).code == 0
    assert standing.names == ["CT.1.2.3.4"]
    sent, got = read_header(path), read_header(standing.folder / "CT.1.2.3.4")
    assert got.transfer_syntax_uid == EXPLICIT
    assert got.path.read_bytes()[got.offset :] == path.read_bytes()[sent.offset :]


def test_its_lines_are_dcmtks(
    receiving: Receive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown(logging.INFO):
        standing = receiving("-aet", "US")
        store(standing, "1.2.3")
        for assoc in list(standing.ae.active_associations):
            assoc.join()
    lines = [line for line in capsys.readouterr().err.splitlines() if "Max Send" not in line]
    assert lines == [
        f"I: Listening on port {standing.port}",
        "I: Association Received (TEST at 127.0.0.1)",
        "I: Received Store Request (MsgID 1, CT)",
        f"I: Storing DICOM file: {standing.folder}{os.sep}CT.1.2.3",
        "I: Association Release",
    ]


@pytest.mark.parametrize(
    ("sop_class", "prefix"),
    [
        (CT, "CT"),
        ("1.2.840.10008.5.1.4.1.1.4", "MR"),
        ("1.2.840.10008.5.1.4.1.1.88.11", "UN"),
        ("1.2.840.10008.5.1.4.1.1.5", "UN"),  # retired
        ("1.2.840.10008.5.1.4.39.1", "UN"),  # a colour palette is no patient's
    ],
)
@pytest.mark.box("16.5")
def test_names(receiving: Receive, sop_class: str, prefix: str) -> None:
    standing = receiving()
    assert store(standing, "1.2.3", sop_class) == 0
    assert standing.names == [f"{prefix}.1.2.3"]


@pytest.mark.parametrize(
    "uid",
    [
        "../../x",
        "/tmp/x",
        "..",
        ".",
        "1.2.3/../../x",
        "1.2.3\\x",
        "1.2." + "3" * 61,
        "1.02",
        "1..2",
        "C:x",
        "CON",
        "1.2.3\nE: forged",
    ],
)
def test_a_name_that_is_no_uid_reaches_no_path(receiving: Receive, uid: str) -> None:
    standing = receiving()
    before = sorted(path.name for path in standing.folder.parent.iterdir())
    assert store(standing, uid) == 0x0117
    assert standing.names == []
    assert sorted(path.name for path in standing.folder.parent.iterdir()) == before
    assert store(standing, "1.2.3") == 0  # it goes on serving


def test_the_same_object_again_is_one_file(receiving: Receive) -> None:
    standing = receiving()
    assert [store(standing, "1.2.3") for _ in range(3)] == [0, 0, 0]
    assert standing.names == ["CT.1.2.3"]


@pytest.mark.parametrize("older", [b"older", part10(instance_explicit("1.2.3"), syntax=IMPLICIT)])
def test_another_object_of_the_uid_gets_a_file_of_its_own(receiving: Receive, older: bytes) -> None:
    standing = receiving("-fe", ".dcm")
    (standing.folder / "CT.1.2.3.dcm").write_bytes(older)
    digest = hashlib.sha256(instance_explicit("1.2.3")).hexdigest()[:16]
    for _ in range(2):
        assert store(standing, "1.2.3") == 0
        assert standing.names == ["CT.1.2.3.dcm", f"CT.1.2.3.other-{digest}.dcm"]
    assert (standing.folder / "CT.1.2.3.dcm").read_bytes() == older
    assert (standing.folder / standing.names[1]).read_bytes()[128:132] == b"DICM"


def test_replacing_is_done_at_once(receiving: Receive) -> None:
    standing = receiving("--replace")
    (standing.folder / "CT.1.2.3").write_bytes(b"older")
    assert store(standing, "1.2.3") == 0
    assert standing.names == ["CT.1.2.3"]
    assert (standing.folder / "CT.1.2.3").read_bytes()[128:132] == b"DICM"


def test_unique_names_replace_nothing(receiving: Receive) -> None:
    standing = receiving("+uf")
    assert [store(standing, "1.2.3") for _ in range(2)] == [0, 0]
    assert len(standing.names) == 2
    assert all(name.startswith("CT.2.25.") for name in standing.names)


def test_extension(receiving: Receive) -> None:
    standing = receiving("-fe", ".dcm")
    store(standing, "1.2.3")
    assert standing.names == ["CT.1.2.3.dcm"]


@pytest.mark.box("16.5")
def test_ignore(receiving: Receive) -> None:
    standing = receiving("--ignore")
    assert store(standing, "1.2.3") == 0
    assert standing.names == []


def test_a_full_disk_is_a700(
    receiving: Receive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standing = receiving()

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dicomwire.dataset.sinks._write_some", full)
    with shown(logging.WARNING):
        assert store(standing, "1.2.3") == 0xA700
    assert "No space left on device" in capsys.readouterr().err
    assert standing.names == []


def test_a_folder_in_the_way_is_a700(
    receiving: Receive, capsys: pytest.CaptureFixture[str]
) -> None:
    standing = receiving()
    (standing.folder / "CT.1.2.3").mkdir()
    with shown(logging.WARNING):
        assert store(standing, "1.2.3") == 0xA700
    assert "CT.1.2.3 cannot be written: Is a directory" in capsys.readouterr().err
    assert standing.names == ["CT.1.2.3"]


def test_private_classes_only_in_promiscuous_mode(receiving: Receive) -> None:
    assert not associate(receiving(), UNKNOWN).is_established
    promiscuous = receiving("-pm")
    assert store(promiscuous, "1.2.3", UNKNOWN) == 0
    assert promiscuous.names == ["UN.1.2.3"]


def test_echo_unless_told_otherwise(tool: Tool, receiving: Receive) -> None:
    assert tool("echoscu", *receiving().address).code == 0
    assert tool("echoscu", *receiving("--no-echo").address).code == 1


def test_refuse(receiving: Receive) -> None:
    assoc = associate(receiving("--refuse"))
    assert assoc.is_rejected
    assert "no reason given" in str(assoc.ended)


def test_reject_lets_those_with_an_implementation_uid_in(receiving: Receive) -> None:
    assert store(receiving("--reject"), "1.2.3") == 0


def test_abort_after(tool: Tool, receiving: Receive, tmp_path: Path) -> None:
    standing = receiving("--abort-after")
    run = tool("storescu", *standing.address, dicom_file(tmp_path / "x"))
    assert run.code == 3
    assert any("Aborted by the peer" in line for line in run.lines)


def read(*argv: str) -> Any:
    parser: ToolParser = storescp.make_parser()
    return parser.read([*argv, "0"])


@pytest.mark.no_socket
@pytest.mark.box("16.5")
def test_all_storage_classes_with_all_transfer_syntaxes() -> None:
    offered = {
        str(each.abstract_syntax): each.transfer_syntax for each in storescp.contexts(read())
    }
    for name in ("AllStorage", "Storage"):
        assert set(CONTEXT_LISTS[f"{name}PresentationContexts"]) <= set(offered)
    assert VERIFICATION in offered
    assert {len(each) for each in offered.values()} == {len(ALL_TRANSFER_SYNTAXES)} == {45}


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("option", "first"),
    [
        (None, EXPLICIT),
        ("-x=", EXPLICIT),
        ("+xe", EXPLICIT),
        ("-xb", BIG_ENDIAN),
        ("+xb", BIG_ENDIAN),
        ("+xr", "1.2.840.10008.1.2.5"),
        ("--prefer-j2k-lossless", "1.2.840.10008.1.2.4.90"),
    ],
)
def test_the_preferred_one_comes_first(option: str | None, first: str) -> None:
    context = storescp.contexts(read(*([option] if option else [])))[0]
    assert context.transfer_syntax[0] == first
    assert len(context.transfer_syntax) == 45


@pytest.mark.no_socket
def test_implicit_only() -> None:
    assert storescp.contexts(read("-xi"))[0].transfer_syntax == [IMPLICIT]


def test_a_port_that_is_taken(tool: Tool, receiving: Receive, tmp_path: Path) -> None:
    port = receiving().port
    run = tool("storescp", "-ba", "127.0.0.1", "-od", tmp_path / "new", port)
    assert run.code == 5
    assert run.lines == [
        f"E: 127.0.0.1 port {port} cannot be listened on: Address already in use. "
        f"Check: what else listens on port {port}, and whether the address is this machine's"
    ]
    assert (tmp_path / "new").is_dir()


@pytest.mark.no_socket
def test_a_folder_that_cannot_be(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    run = tool("storescp", "-od", tmp_path / "file" / "sub", 0)
    assert run.code == 5
    assert len(run.lines) == 1
    assert "cannot be written to: Not a directory. Check: -od FOLDER" in run.lines[0]
