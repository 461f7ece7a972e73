"""Options about the user into the item that goes out (PS3.7 D.3.3.7)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire.apps import echoscu
from dicomwire.apps.identity import user_identity
from dicomwire.apps.options import WrongUse
from dicomwire.network import events as evt
from dicomwire.protocol.items import UserIdentity
from tests.apps.conftest import Peer, Tool


def identity(*argv: object) -> UserIdentity | None:
    options = [str(each) for each in argv]
    return user_identity(echoscu.make_parser().read([*options, "host", "104"]))


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "item"),
    [
        ([], None),
        (["-usr", "jo"], UserIdentity(1, False, b"jo")),
        (["--user", "jo", "-rsp"], UserIdentity(1, True, b"jo")),
        (["-usr", "jö", "-pwd", "s€"], UserIdentity(2, False, "jö".encode(), "s€".encode())),
        (["-usr", "jo", "-epw"], UserIdentity(2, False, b"jo", b"")),
    ],
)
def test_users(options: list[str], item: UserIdentity | None) -> None:
    assert identity(*options) == item


@pytest.mark.no_socket
@pytest.mark.parametrize(("option", "kind"), [("-kt", 3), ("--saml", 4), ("--jwt", 5)])
def test_tokens_come_from_files(tmp_path: Path, option: str, kind: int) -> None:
    (tmp_path / "token").write_bytes(b"\0token")
    assert identity(option, tmp_path / "token") == UserIdentity(kind, False, b"\0token")


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-pwd", "x"], "add -usr NAME"),
        (["-epw"], "add -usr NAME"),
        (["-rsp"], "-rsp asks to confirm an identity"),
        (["-usr", "x", "--jwt", "y"], "give one identity"),
        (["-kt", "a", "--saml", "b"], "give one identity"),
        (["--jwt", "/no/such"], "/no/such cannot be read: No such file"),
    ],
)
def test_what_cannot_be(options: list[str], said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        identity(*options)


@pytest.mark.no_socket
@pytest.mark.parametrize("size", [0, 65536])
def test_a_token_has_to_fit(tmp_path: Path, size: int) -> None:
    (tmp_path / "token").write_bytes(bytes(size))
    with pytest.raises(WrongUse, match=f"has {size} bytes"):
        identity("--jwt", tmp_path / "token")


def verify(event: Any) -> tuple[bool, bytes | None]:
    return event.primary_field == b"jo" and event.secondary_field == b"secret", None


@pytest.mark.parametrize(("password", "code"), [("secret", 0), ("guess", 1)])
def test_a_peer_decides(tool: Tool, peer: Callable[..., Peer], password: str, code: int) -> None:
    standing = peer(handlers=((evt.EVT_USER_ID, verify),))
    run = tool("echoscu", "-usr", "jo", "-pwd", password, "-rsp", *standing.address)
    assert run.code == code
    assert len(run.lines) == code


def test_a_peer_that_confirms_nothing(tool: Tool, peer: Callable[..., Peer]) -> None:
    run = tool("echoscu", "-usr", "jo", "-rsp", *peer().address)
    assert run.code == 1
    assert run.lines == [
        "E: The peer did not confirm the user identity. Check: whether it supports it"
    ]


def test_a_password_is_not_shown(tool: Tool, peer: Callable[..., Peer]) -> None:
    run = tool("echoscu", "-d", "-usr", "jo", "-pwd", "s3cret", *peer().address)
    assert run.code == 0
    assert "s3cret" not in "\n".join(run.lines)
