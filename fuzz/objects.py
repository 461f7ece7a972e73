"""Bytes as files and data sets: headers, walks, scans and conversions, only documented errors."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from dicomwire.archive import query, scan
from dicomwire.archive.query import Refused
from dicomwire.dataset.codec import decode
from dicomwire.dataset.deflate import Inflater
from dicomwire.dataset.elements import EXPLICIT, IMPLICIT, Encoding, Reader, encoding_of, uids_at
from dicomwire.dataset.errors import DataSetError, UnreadableFile
from dicomwire.dataset.part10 import read_header_from
from dicomwire.dataset.transcode import transcode
from dicomwire.network.log_identifiers import identifier_lines
from dicomwire.protocol.limits import Limits

SYNTAXES = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.50",
)
_BIG = Encoding(False, False)
_MOST_INFLATED = 1 << 20
_LIMITS = Limits(inflated=_MOST_INFLATED)
_MOST_LOGGED = 256
_NAME = Path("fuzzed")


def headers(data: bytes) -> None:
    """Read the beginning of a file."""
    try:
        header = read_header_from(BytesIO(data), _NAME)
    except (UnreadableFile, DataSetError) as error:
        assert str(error)
        return
    assert header.offset + header.length == len(data)
    assert header.sop_class_uid
    assert header.sop_instance_uid
    assert header.transfer_syntax_uid


def data_sets(data: bytes) -> None:
    """Look through a data set in the transfer syntax that the first octet says, in every way."""
    syntax, body = SYNTAXES[(data[0] if data else 0) % len(SYNTAXES)], data[1:]
    encoding = encoding_of(syntax)
    for look in (_scanned, _decoded, _asked, _logged):
        try:
            look(body, syntax)
        except DataSetError as error:
            assert str(error)
    try:
        plain = _inflated(body) if encoding.deflated else body
        reading = encoding._replace(deflated=False)
        uids_at(Reader(BytesIO(plain).read, reading), 0x00080016, 0x00080018)
        _converted(plain, reading)
    except DataSetError as error:
        assert str(error)


def _inflated(body: bytes) -> bytes:
    inflater, parts = Inflater(BytesIO(body).read, _MOST_INFLATED), []
    while part := inflater.read(1 << 16):
        parts.append(part)
    return b"".join(parts)


def _scanned(body: bytes, syntax: str) -> None:
    """As an archive does before it acknowledges an object."""
    found = scan.scan(BytesIO(body), syntax)
    assert found.length == len(body)


def _decoded(body: bytes, syntax: str) -> None:
    """As for a handler that looks at `event.dataset`."""
    decode(body, syntax, _LIMITS)


def _asked(body: bytes, syntax: str) -> None:
    """As for a C-FIND and a C-MOVE request to an archive."""
    keys = scan.keys(body, syntax, query.WANTED)
    for model in (query.PATIENT_ROOT, query.STUDY_ROOT, query.PATIENT_STUDY_ONLY):
        for ask in (query.find, query.retrieve):
            try:
                assert ask(keys, model, query.Agreed(True, True, True)).sql
            except Refused as error:
                assert error.status


def _logged(body: bytes, syntax: str) -> None:
    """As at debug level; nothing in it begins a line or moves a terminal's cursor."""
    if len(body) <= _MOST_LOGGED and not encoding_of(syntax).deflated:
        assert all(map(str.isprintable, identifier_lines("identifier", body, syntax)))


def _converted(plain: bytes, encoding: Encoding) -> None:
    """Convert into each encoding; what comes out converts back to the same once more."""
    for target in (IMPLICIT, EXPLICIT, _BIG):
        there = _transcoded(plain, encoding, target)
        again = _transcoded(there, target, target)
        assert again == there


def _transcoded(plain: bytes, encoding: Encoding, target: Encoding) -> bytes:
    out = BytesIO()
    transcode(Reader(BytesIO(plain).read, encoding), out.write, target)
    return out.getvalue()
