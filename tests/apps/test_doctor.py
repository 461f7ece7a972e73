"""What the doctor says of healthy peers, of odd ones, and of what is no DICOM application."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire.apps import examining
from dicomwire.apps.probing import Reach, Reached
from dicomwire.protocol.pdus import Abort, AssociateRJ
from tests.apps import odd
from tests.apps.conftest import Peer, Run, Tool
from tests.apps.test_probing import server_context
from tests.dataset.samples import CT

HERE = "127.0.0.1"
VERIFICATION = "1.2.840.10008.1.1"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
Start = Callable[..., Peer]


def steps(run: Run) -> dict[str, str]:
    """The state of each step, the last where one came twice."""
    lines = run.out.partition("\n\n")[0].splitlines()
    return {line[8:22].strip(): line[:8].strip() for line in lines}


def verdict(run: Run) -> str:
    """What it says in the end."""
    return run.out.partition("\n\n")[2]


def test_a_healthy_peer(tool: Tool, peer: Start) -> None:
    run = tool("doctor", "localhost", peer(classes=(VERIFICATION, FIND, CT)).port)
    assert run.code == 0
    assert steps(run) == {
        "name": "ok",
        "connection": "ok",
        "TLS": "ok",
        "association": "ok",
        "peer": "ok",
        "PDU length": "ok",
        "echo": "ok",
        "services": "ok",
        "storage": "ok",
        "syntaxes": "ok",
    }
    assert "dicomwire: DICOMWIRE_" in run.out
    assert "query; not C-GET, C-MOVE, worklist" in run.out
    assert "1 of 193 SOP classes: CT Image Storage" in run.out
    assert "CT Image Storage in 4 of 45: Implicit VR Little Endian" in run.out
    assert verdict(run) == "All is well: the peer takes our associations and echoes.\n"
    assert run.lines == []


def test_for_programs(tool: Tool, peer: Start) -> None:
    run = tool("doctor", "--json", HERE, peer().port)
    found: dict[str, dict[str, Any]] = {
        each["step"]: each for each in map(json.loads, run.out.splitlines())
    }
    assert found["connection"]["local"] == HERE
    assert found["peer"]["software"] == "dicomwire"
    assert found["storage"]["sop_classes"] == [CT]
    assert len(found["syntaxes"]["transfer_syntaxes"]) == 4
    assert found["verdict"] == {
        "step": "verdict",
        "state": "ok",
        "text": "All is well: the peer takes our associations and echoes",
        "fault": "NOBODY",
        "advice": "",
        "exit": 0,
    }


def test_a_title_that_is_not_checked(tool: Tool, peer: Start) -> None:
    run = tool("doctor", "-aec", "WHATEVER", HERE, peer().port)
    assert run.code == 0
    assert "other titles  accepted as ANY-SCP\n" in run.out


def test_an_unknown_name(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    run = tool("doctor", "pacs.invalid", 104)
    assert run.code == 1
    assert steps(run) == {"name": "failed"}
    assert "The name pacs.invalid has no address here (Name or service not known)." in verdict(run)
    assert "Whose side: the network or the address." in verdict(run)


def test_a_closed_port(tool: Tool) -> None:
    with odd.serving(odd.silent) as port:
        pass
    run = tool("doctor", HERE, port)
    assert run.code == 1
    assert steps(run) == {"connection": "failed"}
    assert f"The machine answers, but nothing listens on port {port}." in verdict(run)
    assert "Whose side: the peer." in verdict(run)


def test_an_address_that_does_not_answer(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "reach", lambda *_: Reached(Reach.TIMED_OUT, 5000.0))
    run = tool("doctor", HERE, 104)
    assert run.code == 1
    assert "a firewall in between drops" in verdict(run)


def test_the_first_address_that_connects_is_used(
    tool: Tool, peer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "addresses_of", lambda _: ["127.0.0.2", HERE])
    tries = {"127.0.0.2": Reached(Reach.REFUSED, 1.0), HERE: Reached(Reach.CONNECTED, 1.0, HERE)}
    monkeypatch.setattr(examining, "reach", lambda address, *_: tries[address])
    run = tool("doctor", "two.example", peer().port)
    assert run.code == 0
    assert "127.0.0.2 port" in run.out
    assert "name          two.example is 127.0.0.2, 127.0.0.1" in run.out


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (odd.saying(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "speaks HTTP, the protocol of web"),
        (odd.greeting(b"SSH-2.0-OpenSSH_9.2\r\n"), "speaks SSH"),
        (odd.greeting(b"220 mail ESMTP\r\n"), "speaks something that is not DICOM"),
        (odd.closing, "closes the connection when it hears DICOM"),
    ],
)
def test_what_is_no_dicom_application(tool: Tool, behave: odd.Behaviour, said: str) -> None:
    with odd.serving(behave) as port:
        run = tool("doctor", "--wait", 20, HERE, port)
    assert run.code == 1
    assert steps(run) == {"connection": "ok", "TLS": "failed"}
    assert said in verdict(run)


def test_a_silent_port(tool: Tool) -> None:
    with odd.serving(odd.silent) as port:
        run = tool("doctor", "--wait", 0.5, HERE, port)
    assert run.code == 1
    assert "takes the connection and stays silent" in verdict(run)
    assert "Whose side: the peer." in verdict(run)


def test_tls_to_us_who_use_none(tool: Tool, tmp_path: Path) -> None:
    with odd.serving(odd.silent, server_context(tmp_path, False)) as port:
        run = tool("doctor", "--wait", 20, HERE, port)
    assert run.code == 1
    assert "The peer speaks TLS on this port, and we did not." in verdict(run)
    assert "Whose side: the settings of either side." in verdict(run)


def test_tls_to_a_peer_that_uses_none(tool: Tool, peer: Start) -> None:
    run = tool("doctor", "--wait", 20, "+tla", "-ic", HERE, peer().port)
    assert run.code == 1
    assert "The peer speaks DICOM without TLS on this port" in verdict(run)


def test_tls_on_both_sides(tool: Tool, peer: Start, tmp_path: Path) -> None:
    port = peer(ssl_context=server_context(tmp_path, False)).port
    run = tool("doctor", "+tla", "+cf", tmp_path / "ca.pem", HERE, port)
    assert run.code == 0
    assert "TLS is spoken, as we do" in run.out


def test_a_certificate_that_is_not_trusted(tool: Tool, peer: Start, tmp_path: Path) -> None:
    port = peer(ssl_context=server_context(tmp_path, False)).port
    run = tool("doctor", "--wait", 20, "+tla", HERE, port)
    assert run.code == 1
    assert "The peer speaks TLS, but not with us: The TLS handshake failed" in verdict(run)
    assert "the CA that issued the peer's certificate" in verdict(run)


def test_a_called_title_that_is_another(tool: Tool, peer: Start) -> None:
    port = peer(ae_title="ORTHANC", require_called_aet=True).port
    run = tool("doctor", HERE, port)
    assert run.code == 1
    assert "other titles  accepted as ORTHANC; not as DCM4CHEE" in run.out
    assert "echo          answered" in run.out
    assert "The peer does not go by ANY-SCP, but accepts ORTHANC." in verdict(run)
    assert "What to do: type -aec ORTHANC." in verdict(run)


def test_a_called_title_that_nobody_guesses(tool: Tool, peer: Start) -> None:
    run = tool("doctor", HERE, peer(require_called_aet=True).port)
    assert run.code == 1
    assert "called AE title not recognised" in verdict(run)
    assert "ANY-SCP is not its AE title: ask for it" in verdict(run)


def test_a_calling_title_that_it_does_not_know(tool: Tool, peer: Start) -> None:
    run = tool("doctor", HERE, peer(require_calling_aet=["CT1"]).port)
    assert run.code == 1
    assert "other titles" not in run.out
    assert "have the peer's administrator add our AE title DOCTOR at 127.0.0.1" in verdict(run)


def test_too_many_associations(tool: Tool) -> None:
    with odd.serving(odd.saying(AssociateRJ(2, 3, 2).encode())) as port:
        run = tool("doctor", HERE, port)
    assert run.code == 1
    assert "local limit exceeded" in verdict(run)
    assert "try again later" in verdict(run)


def test_no_context_is_accepted(tool: Tool, peer: Start) -> None:
    run = tool("doctor", HERE, peer(classes=("1.2.3.4",)).port)
    assert run.code == 1
    assert steps(run)["echo"] == "note"
    assert "The peer accepts associations, but no service over them." in verdict(run)


def test_a_peer_without_verification(tool: Tool, peer: Start) -> None:
    run = tool("doctor", HERE, peer(classes=(FIND,)).port)
    assert run.code == 0
    assert "though it offers no echo" in verdict(run)


def test_a_peer_that_aborts(tool: Tool) -> None:
    with odd.serving(odd.saying(Abort(0, 0).encode())) as port:
        run = tool("doctor", HERE, port)
    assert run.code == 1
    assert "No association: Association Aborted by the peer" in verdict(run)
    assert "Whose side: the peer." in verdict(run)


@pytest.mark.parametrize(
    ("on_echo", "said"),
    [
        (lambda event: 0x0122, "the echo failed: the peer answered 0x0122"),
        (lambda event: event.assoc.abort() or 0, "the echo failed: Association Aborted"),
    ],
)
def test_an_echo_that_fails(
    tool: Tool, peer: Start, on_echo: Callable[[Any], int], said: str
) -> None:
    run = tool("doctor", HERE, peer(on_echo=on_echo).port)
    assert run.code == 3
    assert steps(run)["echo"] == "failed"
    assert said in verdict(run)


@pytest.mark.no_socket
def test_waiting_for_ever_is_wrong_use(tool: Tool) -> None:
    run = tool("doctor", "--wait", 0, HERE, 104)
    assert run.code == 2
    assert "--wait 0 would wait for ever" in run.lines[0]
