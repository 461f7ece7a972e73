"""Turns addresses and networks as people write them into who may connect."""

from __future__ import annotations

import logging

import pytest

from dicomwire import Options
from dicomwire.network.access import address_text, may_connect, warn_if_open

pytestmark = pytest.mark.no_socket


@pytest.mark.parametrize(
    ("host", "networks", "allowed"),
    [
        ("192.0.2.7", (), True),
        ("192.0.2.7", ("192.0.2.0/24",), True),
        ("192.0.3.7", ("192.0.2.0/24",), False),
        ("192.0.3.7", ("192.0.2.0/24", "192.0.3.7"), True),
        ("::ffff:192.0.2.7", ("192.0.2.0/24",), True),  # T20: as a socket for both shows it
        ("192.0.2.7", ("::ffff:192.0.2.0/120",), True),
        ("192.0.3.7", ("::ffff:192.0.2.0/120",), False),
        ("192.0.2.7", ("::/0",), False),
        ("2001:db8::1", ("2001:db8::/32",), True),
        ("2001:db9::1", ("2001:db8::/32",), False),
        ("fe80::1%eth0", ("fe80::/10",), True),  # T20: link-local
        ("2001:db8::1", ("0.0.0.0/0",), False),
        ("", ("0.0.0.0/0",), False),
        ("a name", ("0.0.0.0/0",), False),
    ],
)
def test_who_may_connect(host: str, networks: tuple[str, ...], allowed: bool) -> None:
    assert may_connect(host, networks) is allowed


def test_an_address_has_one_form() -> None:
    assert address_text("::ffff:192.0.2.7") == address_text("192.0.2.7") == "192.0.2.7"
    assert address_text("2001:DB8:0::1%2") == "2001:db8::1"
    assert address_text("nowhere") == "nowhere"


@pytest.mark.parametrize("wrong", [("192.0.2.7/24",), ("ward 3",), ("300.1.1.1",), "192.0.2.0/24"])
def test_what_is_no_network_is_refused_when_it_is_set(wrong: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"192\.0\.2\.0/24"):
        Options(networks=wrong)


@pytest.mark.parametrize(
    ("host", "is_tls", "networks", "warns"),
    [
        ("0.0.0.0", False, (), True),
        ("::", False, (), True),
        ("192.0.2.1", False, (), True),
        ("127.0.0.1", False, (), False),
        ("::1", False, (), False),
        ("::ffff:127.0.0.1", False, (), False),
        ("0.0.0.0", True, (), False),
        ("0.0.0.0", False, ("192.0.2.0/24",), False),
    ],
)
def test_a_server_that_anybody_may_use_says_so(
    host: str,
    is_tls: bool,
    networks: tuple[str, ...],
    warns: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    warn_if_open(host, 11112, is_tls, networks)
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(lines) == warns
    assert all("port 11112" in line and "Options.networks" in line for line in lines)
