"""Texts of a peer into log lines: what cannot print is escaped, and blocks are framed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.network.log_text import block, named, visible

pytestmark = pytest.mark.no_socket


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("STORE SCP", "STORE SCP"),
        ("A\r\nI: Association Accepted", "A\\r\\nI: Association Accepted"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u2028b\u202ec", "a\\u2028b\\u202ec"),
        ("Müller", "Müller"),
    ],
)
def test_what_cannot_print_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_any_text_stays_one_printable_line(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert shown.splitlines() in ([shown], [])


def test_a_known_uid_shows_its_name_and_another_itself() -> None:
    assert named("1.2.840.10008.5.1.4.1.1.2") == "CT Image Storage"
    assert named("1.2.3.4") == "1.2.3.4"
    assert named("1.2\n3") == "1.2\\n3"


@pytest.mark.box("15.1")
def test_a_block_is_framed_in_76_characters() -> None:
    assert block("A-ABORT PDU", False, ["x"]) == [
        "=========================== INCOMING A-ABORT PDU ===========================",
        "x",
        "============================= END A-ABORT PDU ==============================",
    ]
    assert block("A-ABORT PDU", True, [])[0] == (
        "=========================== OUTGOING A-ABORT PDU ==========================="
    )
