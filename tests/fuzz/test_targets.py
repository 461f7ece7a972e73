"""Every input that was recorded, written or found, through its target: on any interpreter."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytest

from dicomwire.protocol import pdus
from dicomwire.protocol.errors import InvalidParameter
from dicomwire.protocol.pdus import AssociateRJ, ReleaseRQ
from dicomwire.protocol.reader import Reader
from fuzz.corpus import kept
from fuzz.targets import BY_NAME, TARGETS, Target, be_quiet


@pytest.fixture
def quiet() -> Iterator[None]:
    """As in a run; afterwards the log speaks again."""
    with warnings.catch_warnings():
        be_quiet()
        yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_replay(target: Target, quiet: None) -> None:
    for name, data in kept(target).items():
        try:
            target.run(data)
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_an_input_too(target: Target, quiet: None) -> None:
    for length in range(8):
        target.run(bytes(length))


def test_what_is_raised_without_being_documented_is_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(pdus._DECODERS, 5, lambda body: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        BY_NAME["pdus"].run(ReleaseRQ().encode())


def test_what_is_encoded_to_something_else_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pdus._DECODERS, 3, lambda body: AssociateRJ(body[1], body[2] + 1, 0))
    with pytest.raises(AssertionError, match="was encoded and decoded to"):
        BY_NAME["pdus"].run(AssociateRJ(1, 1, 1).encode())


def test_what_depends_on_how_bytes_are_cut_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Reader._whole

    def impatient(self: Reader, length: int) -> memoryview | None:
        found = whole(self, length)
        if found is None:
            raise InvalidParameter("not whole")
        return found

    monkeypatch.setattr(Reader, "_whole", impatient)
    with pytest.raises(AssertionError, match="was cut to"):
        BY_NAME["reader"].run(b"\0\0\0\0" + ReleaseRQ().encode())
