"""DCMTK's senders and our receiver: echoscu, storescu and dcmsend."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.protocol.errors import Aborted, Released
from tests.peers import LOOPBACK, run
from tests.peers.objects import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    NAMES,
    TWINS,
    UNCOMPRESSED,
    Object,
    contents,
    shipped,
    write_image,
)
from tests.peers.ours import ask, receiving

P_DATA_TF = 4  # PS3.8 9.3.1
NODELAY = {"TCP_NODELAY": "1"}
# The option that makes storescu propose a transfer syntax first.
PROPOSE = {
    EXPLICIT_LITTLE: "-xe",
    IMPLICIT_LITTLE: "-xi",
    EXPLICIT_BIG: "-xb",
    DEFLATED: "-xd",
    "1.2.840.10008.1.2.4.50": "-xy",
    "1.2.840.10008.1.2.4.70": "-xs",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.4.91": "-xw",
    "1.2.840.10008.1.2.5": "-xr",
}
Tool = Callable[..., str]
Convert = Callable[[Object], Object]


def test_every_transfer_syntax_of_the_objects_has_its_option() -> None:
    assert {each.syntax for each in shipped([*NAMES, *TWINS])} == set(PROPOSE)


@pytest.mark.conformance("C-ECHO", "SCP", "DCMTK")
@pytest.mark.parametrize("environment", [{}, NODELAY], ids=["Nagle", "no delay"])
def test_echoscu(dcmtk: Tool, environment: dict[str, str]) -> None:
    with receiving() as ours:
        arguments = ["-v", "--repeat", "50", LOOPBACK, str(ours.port)]
        printed = dcmtk("echoscu", *arguments, **environment)
        assert printed.count("Received Echo Response (Success)") == 50
        assert isinstance(ours.next_end().ended, Released)


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("syntax", PROPOSE)
@pytest.mark.parametrize("kept_in", ["memory", "files"])
@pytest.mark.parametrize("name", ["storescu", "dcmsend"])
def test_every_byte_arrives(
    dcmtk: Tool,
    objects: list[Object],
    as_dcmtk_writes: Convert,
    tmp_path: Path,
    name: str,
    kept_in: str,
    syntax: str,
) -> None:
    some = [each for each in objects if each.syntax == syntax]
    options = ["-R", PROPOSE[syntax]] if name == "storescu" else ["-dn"]
    with receiving(tmp_path if kept_in == "files" else None, syntaxes=[syntax]) as ours:
        dcmtk(name, *options, LOOPBACK, str(ours.port), *(each.path for each in some))
        assert isinstance(ours.next_end().ended, Released)
    assert ours.by_instance == {each.instance: as_dcmtk_writes(each).data for each in some}
    assert {each.syntax for each in ours.received} == {syntax}


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("environment", [{}, NODELAY], ids=["Nagle", "no delay"])
def test_dcmsend_everything_at_once(
    dcmtk: Tool, objects: list[Object], tmp_path: Path, environment: dict[str, str]
) -> None:
    with receiving(tmp_path) as ours:
        paths = [each.path for each in objects]
        dcmtk("dcmsend", "-nh", LOOPBACK, str(ours.port), *paths, **environment)
    arrived = ours.contents
    assert arrived.keys() == {each.instance for each in objects}
    # of the others it decompresses some, which is not ours to check
    plain = [each for each in objects if each.syntax in UNCOMPRESSED]
    assert {each.instance: arrived[each.instance] for each in plain} == contents(plain)


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("syntax", sorted(UNCOMPRESSED))
def test_storescu_converts_to_what_we_accept(
    dcmtk: Tool, objects: list[Object], syntax: str
) -> None:
    some = [each for each in objects if each.syntax in UNCOMPRESSED]
    option = "-xd" if syntax == DEFLATED else "-x="
    with receiving(syntaxes=[syntax]) as ours:
        paths = [each.path for each in some]
        dcmtk("storescu", "-R", option, LOOPBACK, str(ours.port), *paths)
    assert {each.syntax for each in ours.received} == {syntax}
    assert ours.contents == contents(some)


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("theirs", ["4096", "16384", "131072"])
@pytest.mark.parametrize("size", [4096, 16384, 131072, 0])
def test_pdu_sizes(
    dcmtk: Tool, large: Object, as_dcmtk_writes: Convert, tmp_path: Path, size: int, theirs: str
) -> None:
    with receiving(tmp_path, maximum_pdu_size=size) as ours:
        arguments = ["-R", "-xe", "-pdu", theirs, "--max-send-pdu", theirs]
        dcmtk("storescu", *arguments, LOOPBACK, str(ours.port), large.path)
    assert ours.by_instance == {large.instance: as_dcmtk_writes(large).data}


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("environment", [{}, NODELAY], ids=["Nagle", "no delay"])
def test_several_at_once(dcmtk: Tool, tmp_path: Path, environment: dict[str, str]) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 1, 701, 999, number=n) for n in range(8)]
    folder = tmp_path / "ours"
    folder.mkdir()
    with receiving(folder) as ours, ThreadPoolExecutor(4) as pool:

        def go(part: list[Object]) -> str:
            paths = [each.path for each in part]
            return dcmtk("storescu", "-R", LOOPBACK, str(ours.port), *paths, **environment)

        list(pool.map(go, [some[n::4] for n in range(4)]))
    assert ours.contents == contents(some)


@pytest.mark.conformance("C-ECHO", "SCP", "DCMTK")
def test_echoscu_proposes_128_contexts_of_38_transfer_syntaxes(dcmtk: Tool) -> None:
    with receiving() as ours:
        dcmtk("echoscu", "-ppc", "128", "-pts", "38", LOOPBACK, str(ours.port))
        assoc = ours.next_end()
    assert [each.context_id for each in assoc.accepted_contexts] == list(range(1, 256, 2))
    assert isinstance(assoc.ended, Released)


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
def test_storescu_proposes_all_it_knows(dcmtk: Tool, objects: list[Object]) -> None:
    with receiving() as ours:
        dcmtk("storescu", LOOPBACK, str(ours.port), objects[0].path)
        assert len(ours.next_end().accepted_contexts) > 100
    assert len(ours.received) == 1


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xA700, "Refused: OutOfResources"),
        (0xA900, "Error: DataSetDoesNotMatchSOPClass"),
        (0xC001, "Error: CannotUnderstand"),
        (0xB000, "Warning: CoercionOfDataElements"),
    ],
)
def test_storescu_reads_our_status(
    peer_program: Callable[[str], str], objects: list[Object], status: int, words: str
) -> None:
    def refuse(event: Any) -> int:
        return status

    with receiving(handlers=[(evt.EVT_C_STORE, refuse)]) as ours:
        program = peer_program("storescu")
        done = run([program, "-v", "-R", LOOPBACK, str(ours.port), objects[0].path])
        assert isinstance(ours.next_end().ended, Released)
    assert f"Received Store Response ({words})" in done.stdout


@pytest.mark.conformance("Association refused", "SCP", "DCMTK")
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"require_called_aet": True}, "Reason: Called AE Title Not Recognized"),
        ({"require_calling_aet": ["SOMEBODY"]}, "Reason: Calling AE Title Not Recognized"),
    ],
)
def test_echoscu_is_told_why(
    peer_program: Callable[[str], str], settings: dict[str, Any], words: str
) -> None:
    with receiving(**settings) as ours:
        done = run([peer_program("echoscu"), LOOPBACK, str(ours.port)])
        assert done.returncode != 0
        assert words in done.stdout
        assert ours.next_end().is_rejected
        titles = ["-aec", "OURS", "-aet", "SOMEBODY"]
        assert run([peer_program("echoscu"), *titles, LOOPBACK, str(ours.port)]).returncode == 0


@pytest.mark.conformance("Association refused", "SCP", "DCMTK")
def test_echoscu_is_told_that_we_are_full(peer_program: Callable[[str], str]) -> None:
    with receiving(maximum_associations=1) as ours:
        with ask(ours.port) as first:
            assert first.is_established
            done = run([peer_program("echoscu"), LOOPBACK, str(ours.port)])
            assert "Local Limit Exceeded" in done.stdout
            assert ours.next_end().is_rejected
        assert isinstance(ours.next_end().ended, Released)
        assert run([peer_program("echoscu"), LOOPBACK, str(ours.port)]).returncode == 0


@pytest.mark.conformance("Association aborted", "SCP", "DCMTK")
@pytest.mark.parametrize("name", ["echoscu", "storescu"])
def test_abort_by_the_sender(
    peer_program: Callable[[str], str], objects: list[Object], name: str
) -> None:
    files = [] if name == "echoscu" else [objects[0].path]
    with receiving() as ours:
        run([peer_program(name), "--abort", LOOPBACK, str(ours.port), *files])
        assoc = ours.next_end()
        assert assoc.is_aborted
        assert isinstance(assoc.ended, Aborted)
        assert run([peer_program("echoscu"), LOOPBACK, str(ours.port)]).returncode == 0


@pytest.mark.conformance("Association aborted", "SCP", "DCMTK")
def test_a_sender_that_dies_in_the_middle(
    peer_program: Callable[[str], str], large: Object, tmp_path: Path
) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def kill(event: Any) -> None:
        if event.data[0] == P_DATA_TF:
            processes[0].kill()

    with receiving(tmp_path, handlers=[(evt.EVT_DATA_RECV, kill)]) as ours:
        arguments = [LOOPBACK, str(ours.port), *[large.path] * 20]
        with subprocess.Popen([peer_program("storescu"), *arguments]) as process:
            processes.append(process)
        assoc = ours.next_end()
        assert process.returncode == -signal.SIGKILL
        assert assoc.is_aborted
        assert run([peer_program("echoscu"), LOOPBACK, str(ours.port)]).returncode == 0
    assert list(tmp_path.glob(".dicomwire-*")) == []


@pytest.mark.conformance("User identity", "SCP", "DCMTK")
@pytest.mark.parametrize(
    ("options", "seen"),
    [
        (["-usr", "alice"], (1, b"alice", None)),
        (["-usr", "alice", "-pwd", "s3cret"], (2, b"alice", b"s3cret")),
        (["-usr", "alice", "-epw"], (2, b"alice", b"")),
        (["-kt", "{}"], (3, b"token!", None)),
        (["--saml", "{}"], (4, b"token!", None)),
        (["--jwt", "{}"], (5, b"token!", None)),
        (["-usr", "alice", "-pwd", "s3cret", "-rsp"], (2, b"alice", b"s3cret")),
        (["-kt", "{}", "-rsp"], (3, b"token!", None)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_user_identity(
    dcmtk: Tool,
    objects: list[Object],
    tmp_path: Path,
    options: list[str],
    seen: tuple[int, bytes, bytes | None],
) -> None:
    asked: list[tuple[int, bytes, bytes | None]] = []
    token = tmp_path / "token"
    token.write_bytes(b"token!")

    def verify(event: Any) -> tuple[bool, bytes | None]:
        asked.append((event.user_id_type, event.primary_field, event.secondary_field))
        return True, b"welcome"

    with receiving(handlers=[(evt.EVT_USER_ID, verify)]) as ours:
        arguments = [each.format(token) for each in options]
        dcmtk("storescu", "-R", *arguments, LOOPBACK, str(ours.port), objects[0].path)
    assert asked == [seen]
    assert len(ours.received) == 1


@pytest.mark.conformance("User identity", "SCP", "DCMTK")
def test_user_identity_refused(peer_program: Callable[[str], str], objects: list[Object]) -> None:
    def verify(event: Any) -> tuple[bool, None]:
        return False, None

    with receiving(handlers=[(evt.EVT_USER_ID, verify)]) as ours:
        arguments = ["-usr", "mallory", LOOPBACK, str(ours.port), objects[0].path]
        done = run([peer_program("storescu"), *arguments])
        assert done.returncode != 0
        assert "Association Rejected" in done.stdout
    assert ours.received == []
