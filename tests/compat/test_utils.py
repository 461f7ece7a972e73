"""Titles, UIDs and bytes through the functions that programs import from pynetdicom's `utils`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextvars import ContextVar
from io import BytesIO

import pytest
from pydicom.uid import UID

from dicomwire.compat import _config, utils


@pytest.fixture
def settings() -> Iterator[pytest.MonkeyPatch]:
    """Settings that are put back afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_bytes_are_decoded_with_the_codecs_that_are_set(settings: pytest.MonkeyPatch) -> None:
    assert utils.decode_bytes(b"PACS") == "PACS"
    with pytest.raises(ValueError, match="CODECS"):
        utils.decode_bytes(b"PACS\xe9")
    settings.setattr(_config, "CODECS", ("utf-8", "latin-1"))
    assert utils.decode_bytes(b"PACS\xe9") == "PACSé"


@pytest.mark.parametrize("value", ["A", " A ", "", "   ", None])
def test_a_title_that_may_be_used_is_returned(value: str | None) -> None:
    assert utils.set_ae(value, "title") == value


@pytest.mark.parametrize(
    ("value", "strict", "error"),
    [
        ("a" * 17, False, ValueError),
        ("a\\b", False, ValueError),
        ("a\n", False, ValueError),
        (b"a", False, TypeError),
        (1, False, TypeError),
        (None, True, TypeError),
        ("", True, ValueError),
        ("  ", True, ValueError),
    ],
)
def test_another_title_is_refused(value: object, strict: bool, error: type[Exception]) -> None:
    with pytest.raises(error, match="'title'"):
        utils.set_ae(value, "title", not strict, not strict)


def test_a_uid_is_returned_as_pydicom_has_them(caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(utils.set_uid("1.2", "uid"), UID)
    assert utils.set_uid(b"1.2", "uid") == "1.2"
    assert utils.set_uid(None, "uid") is None
    assert not caplog.records
    with caplog.at_level(logging.WARNING, "dicomwire"):
        assert utils.set_uid("1.02", "uid") == "1.02"
    assert "1.02" in caplog.text


@pytest.mark.parametrize(
    ("value", "error"),
    [("1" * 65, ValueError), (1, TypeError), (None, TypeError), ("", ValueError)],
)
def test_another_uid_is_refused(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="'uid'"):
        utils.set_uid(value, "uid", False, False)


def test_conformance_of_uids_can_be_enforced(settings: pytest.MonkeyPatch) -> None:
    assert utils.validate_uid(UID("1.02"))
    assert not utils.validate_uid(UID("1" * 65))
    settings.setattr(_config, "ENFORCE_UID_CONFORMANCE", True)
    assert not utils.validate_uid(UID("1.02"))
    with pytest.raises(ValueError):
        utils.set_uid("1.02", "uid")


def test_a_validator_of_ones_own_decides(settings: pytest.MonkeyPatch) -> None:
    settings.setitem(_config.VALIDATORS, "AE", lambda value: (value.islower(), "lower case only"))
    assert utils.set_ae("pacs", "title") == "pacs"
    with pytest.raises(ValueError, match="lower case only"):
        utils.set_ae("PACS", "title")


def test_bytes_are_shown_as_lines() -> None:
    assert utils.pretty_bytes(b"\x00\xff") == ["  00  ff"]
    assert utils.pretty_bytes(BytesIO(b"ab"), ">", "-", suffix="!") == [">61-62!"]
    assert utils.pretty_bytes(bytes(5), "", " ", 2, 3) == ["Only dumping 3 bytes.", "00 00", "00"]
    assert len(utils.pretty_bytes(bytes(1000), max_size=None)) == 63


def test_a_thread_may_have_the_context_of_its_maker(settings: pytest.MonkeyPatch) -> None:
    who = ContextVar("who", default="nobody")
    assert utils.make_target(who.get) == who.get
    settings.setattr(_config, "PASS_CONTEXTVARS", True)
    token = who.set("ann")
    target = utils.make_target(who.get)
    who.reset(token)
    assert target() == "ann"
    assert who.get() == "nobody"


def test_a_timer_resolution_changes_nothing() -> None:
    with utils.set_timer_resolution(1):
        pass
