"""Records of TLS that came together are taken together."""

from __future__ import annotations

import ssl
from typing import Any, cast

import pytest

from dicomwire.network.records import StreamTransport


class Records:
    """A TLS socket that gives a record, or an error, a call."""

    def __init__(self, *script: bytes | Exception) -> None:
        self.script = list(script)

    def recv_into(self, buffer: memoryview) -> int:
        given = self.script.pop(0)
        if isinstance(given, Exception):
            raise given
        buffer[: len(given)] = given
        return len(given)

    def settimeout(self, seconds: float | None) -> None:
        pass


FULL = bytes(range(256)) * 64


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ((FULL, FULL, b"end", FULL), 2 * len(FULL) + 3),
        ((FULL, FULL, ssl.SSLWantReadError()), 2 * len(FULL)),
        ((FULL, ConnectionResetError()), len(FULL)),
        ((FULL, b""), len(FULL)),
        ((b"short", FULL), 5),
        ((ssl.SSLWantReadError(),), None),
        ((ssl.SSLZeroReturnError(),), 0),
        ((FULL, FULL, FULL, FULL, FULL), 4 * len(FULL)),  # the buffer is full
    ],
)
def test_records_that_came_together_are_received_together(
    script: tuple[bytes | Exception, ...], expected: int | None
) -> None:
    line = StreamTransport(cast(Any, Records(*script)))
    buffer = memoryview(bytearray(4 * len(FULL)))
    assert line.receive_waiting(buffer) == expected
    assert bytes(buffer[: len(FULL)]) in (FULL, bytes(len(FULL)), b"short" + bytes(len(FULL) - 5))
