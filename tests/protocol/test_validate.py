"""Titles and UIDs that may be used, and those that may not."""

from __future__ import annotations

import pytest
from hypothesis import given

from dicomwire.protocol.validate import is_valid_ae_title, is_valid_uid
from tests.protocol.test_items import uids


@given(uids)
def test_uids(uid: str) -> None:
    assert is_valid_uid(uid) == (len(uid) <= 64)


@pytest.mark.parametrize("uid", ["0", "1", "0.0", "1.2.840.10008.1.1", "2." + "1" * 62])
def test_valid_uids(uid: str) -> None:
    assert is_valid_uid(uid)


@pytest.mark.parametrize(
    "uid",
    [
        *("", ".", "1.", ".1", "1..2", "01.2", "1.02", "1.2 ", "1.2\n", "1.2\0", "2." + "1" * 63),
        *("a", "1.a", "../1", "1/2", "1\\2", "١.٢", "-1", "1,2"),
    ],
)
def test_invalid_uids(uid: str) -> None:
    assert not is_valid_uid(uid)


@pytest.mark.parametrize("title", ["A", "STORE SCP", "store-scp_1", "!#$%&'()*+,-./:", "A" * 16])
def test_valid_titles(title: str) -> None:
    assert is_valid_ae_title(title)


@pytest.mark.parametrize(
    "title", ["", " ", " " * 16, "A" * 17, "A\\B", "A\nB", "A\n", "A\x7f", "Ä", "A\0"]
)
def test_invalid_titles(title: str) -> None:
    assert not is_valid_ae_title(title)
