"""A folder of test certificates: what is written, for whom to read, and what to type next."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from cryptography import x509

from dicomwire.apps import echoscp, echoscu, serving
from dicomwire.apps.requesting import entity
from tests.apps.conftest import Tool

FILES = ["ca.pem", "scp.key", "scp.pem", "scu.key", "scu.pem"]


@pytest.mark.no_socket
def test_keys_are_for_their_owner_only(tool: Tool, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "certificates"
    run = tool("tls", folder)
    assert run.code == 0
    assert sorted(path.name for path in folder.iterdir()) == FILES
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert {mode for name, mode in modes.items() if name.endswith(".key")} == {0o600}
    assert {mode & 0o600 for mode in modes.values()} == {0o600}


@pytest.mark.no_socket
def test_it_says_loudly_that_it_is_for_tests(tool: Tool, tmp_path: Path) -> None:
    run = tool("tls", tmp_path)
    assert run.lines == [
        f"I: 5 files in {tmp_path}, valid for 90 days",
        "W: FOR TESTS ONLY: never let these certificates protect patients' data",
    ]


def test_the_lines_it_prints_make_an_echo(tool: Tool, tmp_path: Path) -> None:
    serve, ask = map(shlex.split, tool("tls", tmp_path / "my papers").out.splitlines())
    assert serve[:2] == ["dicomwire", "echoscp"]
    assert ask[:2] == ["dicomwire", "echoscu"]
    assert serve.pop() == ask.pop() == "11112"
    args = echoscp.make_parser().read([*serve[2:], "-ba", "127.0.0.1", "0"])
    ae = entity(args.ae_title, args)
    server = serving.start(ae, args, echoscp.contexts(args), ())
    assert server is not None
    try:
        run = tool(*ask[1:], server.server_address[1])
    finally:
        serving.finish(ae, server, 0.0)
    assert run.code == 0, run.lines
    assert "I: Received Echo Response (Success)" in run.lines


@pytest.mark.no_socket
def test_hosts_stand_in_the_certificates_and_in_the_line(tool: Tool, tmp_path: Path) -> None:
    run = tool("tls", tmp_path, "--host", "pacs.example", "--host", "192.0.2.10", "--days", 2)
    assert run.out.splitlines()[1].endswith(" pacs.example 11112")
    assert echoscu.make_parser().read(shlex.split(run.out.splitlines()[1])[2:]).check_hostname
    certificate = x509.load_pem_x509_certificate((tmp_path / "scp.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName)[:2] == ["pacs.example", "localhost"]
    assert "192.0.2.10" in map(str, names.get_values_for_type(x509.IPAddress))


@pytest.mark.no_socket
def test_nothing_is_replaced_unless_asked(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "scu.key").write_text("mine")
    run = tool("tls", tmp_path)
    assert run.code == 2
    assert run.lines == [f"E: {tmp_path} has scu.key: give another folder, or --replace"]
    assert [path.name for path in tmp_path.iterdir()] == ["scu.key"]
    assert tool("tls", "--replace", tmp_path).code == 0
    assert (tmp_path / "scu.key").read_text() != "mine"
    assert (tmp_path / "scu.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "required: folder"),
        (["x", "--days", "0"], "'0' is not a whole number from 1 to 3650"),
        (["x", "--host", "a b"], "--host a b is no name and no address"),
    ],
)
def test_wrong_use(tool: Tool, argv: list[str], said: str) -> None:
    run = tool("tls", *argv)
    assert (run.code, len(run.lines), run.out) == (2, 1, "")
    assert said in run.lines[0]


@pytest.mark.no_socket
def test_a_file_in_the_place_of_the_folder(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = tool("tls", tmp_path / "file")
    assert run.code == 5
    assert run.lines[0].endswith("Check: another folder")


@pytest.mark.no_socket
def test_without_cryptography_it_says_what_to_install(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "dicomwire.apps.certificates", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    run = tool("tls", tmp_path)
    assert run.code == 2
    assert run.lines == [
        "E: certificates are made with cryptography: type pip install 'dicomwire[tls]'"
    ]
