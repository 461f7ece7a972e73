"""Turns assertions and JSON web tokens that are no good into refusals that show none of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from dicomwire import Limits, evt
from dicomwire.protocol.errors import LocalError, Rejected
from dicomwire.protocol.items import UserIdentity
from dicomwire.protocol.pdus import Abort
from tests.faults.negotiation import NAME, ONE, item, made_of
from tests.faults.rows import said
from tests.faults.two_servers import KINDS, served
from tests.network.ends import LOCAL, VERIFICATION, dial, entity
from tests.protocol import pairs

SAML, JWT = 4, 5  # PS3.7 Table D.3-14
KEY = b"the key of who signs"
LONGEST = 65_000  # bytes: a user information item has room for 65,535 in all (PS3.8 9.3.2.3)

both = pytest.mark.parametrize("kind", KINDS)


def part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(alg: str = "HS256", key: bytes = KEY, **claims: Any) -> bytes:
    """A JSON web token (RFC 7519); of the algorithm "none" it has no signature."""
    head = part(json.dumps({"alg": alg, "typ": "JWT"}).encode())
    said = {"sub": "ada", "aud": "SCP", "exp": time.time() + 600, **claims}
    body = head + b"." + part(json.dumps(said).encode())
    if alg.lower() == "none":
        return body + b"."
    return body + b"." + part(hmac.digest(key, body, hashlib.sha256))


def is_good(token: bytes) -> bool:
    """What a handler does that knows its business: RFC 7519 7.2, RFC 8725 3.1."""

    def read(data: bytes) -> Any:
        return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))

    body, _, signature = token.rpartition(b".")
    head, _, claims = body.partition(b".")
    if json.loads(read(head))["alg"] != "HS256":
        return False
    if not hmac.compare_digest(hmac.digest(KEY, body, hashlib.sha256), read(signature)):
        return False
    found = json.loads(read(claims))
    return bool(found["aud"] == "SCP" and found["exp"] > time.time())


BAD: dict[str, Callable[[], bytes]] = {
    "expired": lambda: signed(exp=time.time() - 1),
    "of no algorithm": lambda: signed("none"),
    "of no algorithm, in other letters": lambda: signed("nOnE"),
    "for somebody else": lambda: signed(aud="ANOTHER"),
    "for ever": lambda: signed(exp=None),
    "signed by somebody else": lambda: signed(key=b"guess"),
    "without a signature": lambda: signed().rpartition(b".")[0],
    "no token": lambda: bytes(range(256)) * 4,
    "empty": lambda: b"",
    "long": lambda: signed(exp=0, jti="x" * 40_000),
    "long rubbish": lambda: b"{" * LONGEST,
}


def verify(event: Any) -> tuple[bool, None]:
    return is_good(event.primary_field) and event.user_id_type == JWT, None


def repeats(event: Any) -> tuple[bool, None]:
    """Do what a handler should not: say what it was given."""
    raise ValueError(event.primary_field, event.primary_field.decode("latin-1"))


def recurses(event: Any) -> tuple[bool, None]:
    return recurses(event)


def raises_from(event: Any) -> tuple[bool, None]:
    try:
        return repeats(event)
    except ValueError as error:
        raise KeyError(event.primary_field.hex()) from error


@pytest.mark.no_socket
def test_the_tokens_are_what_they_are_called() -> None:
    assert is_good(signed())


def identified(port: int, token: bytes, kind_of: int = JWT) -> Any:
    """What became of an association with a token."""
    user = UserIdentity(kind_of, True, token)
    return entity("SCU", VERIFICATION).associate(LOCAL, port, ext_neg=[user])


def echo_works(port: int) -> bool:
    """Whether somebody with a good token is served."""
    assoc = identified(port, signed())
    status = assoc.send_c_echo() if assoc.is_established else None
    assoc.release()
    return status is not None and status.Status == 0


def is_shown(token: bytes, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether a log line shows a token, or enough of it to be of use."""
    everything = caplog.text.replace("\n", "")
    for each in (token, *token.split(b".")):
        for form in (each.decode("latin-1"), each.hex(), each.hex(" "), repr(each)[2:-1]):
            if len(each) > 8 and form[:24] in everything:
                return True
    return False


@both
@pytest.mark.parametrize("kind_of", [SAML, JWT])
@pytest.mark.parametrize("bad", BAD)
def test_tokens_that_are_no_good(
    kind: str, bad: str, kind_of: int, caplog: pytest.LogCaptureFixture
) -> None:
    """N45: also where the handler raises because there is nothing to read."""
    caplog.set_level(logging.DEBUG)
    token = BAD[bad]()
    with served(kind, entity("SCP", VERIFICATION), (evt.EVT_USER_ID, verify)) as port:
        ended = identified(port, token, kind_of).ended
        assert isinstance(ended, Rejected)
        assert (ended.result, ended.source, ended.reason) == (1, 2, 1)
        assert not is_shown(token, caplog)
        caplog.set_level(logging.INFO)
        assert echo_works(port)


@both
@pytest.mark.parametrize("handler", [repeats, recurses, raises_from])
def test_handlers_that_raise_show_no_token(
    kind: str, handler: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """N45: whatever they raise, and say of it."""
    caplog.set_level(logging.DEBUG)
    token = signed()
    with served(kind, entity("SCP", VERIFICATION), (evt.EVT_USER_ID, handler)) as port:
        for kind_of in (SAML, JWT):
            ended = identified(port, token, kind_of).ended
            assert isinstance(ended, Rejected)
            assert (ended.result, ended.source, ended.reason) == (1, 2, 1)
    found = [each for each in caplog.messages if "Exception in the handler" in each]
    assert len(found) == 2
    assert all(handler.__name__ in each for each in found)  # where to look, for its author
    assert not is_shown(token, caplog)


@both
def test_a_token_of_100_kb(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """N45: it does not fit the items that it would be in; nothing of it is looked at."""
    token = b"A" * 100_000
    user = item(0x58, struct.pack(">BBH", JWT, 1, 0xFFFF) + token[:1000])
    asking = made_of(NAME, ONE, item(0x50, user) + token)
    with served(kind, entity("SCP", VERIFICATION), (evt.EVT_USER_ID, verify)) as port:
        with dial(port) as peer:
            peer.send(asking)
            assert said(peer.rest()) == "ABORT(0,0)"
        assert echo_works(port)
        with pytest.raises(LocalError, match="65,535 is the most") as error:
            identified(port, token)
    assert b"AAAA" not in str(error.value).encode()
    assert not is_shown(token, caplog)


@both
def test_a_token_beyond_what_a_request_may_have(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """N45: `Limits.associate_length` bounds it, and the header is enough."""
    ae = entity("SCP", VERIFICATION, limits=Limits(associate_length=20_000))
    with served(kind, ae, (evt.EVT_USER_ID, verify)) as port:
        with dial(port) as peer:
            peer.send(pairs.request(UserIdentity(JWT, True, b"A" * LONGEST)).encode()[:1000])
            assert peer.read() == Abort(0, 0)
        assert echo_works(port)
    assert any("Limits.associate_length" in each for each in caplog.messages)
