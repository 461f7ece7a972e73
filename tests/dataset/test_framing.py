"""Lengths that fit and lengths that do not, in every way of writing them."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.dataset.elements import EXPLICIT, IMPLICIT, UNDEFINED, Encoding, encoding_of
from dicomwire.dataset.errors import DataSetError, TooLong
from dicomwire.dataset.framing import MOST_NESTED, Framing
from dicomwire.dataset.part10 import read_header
from tests.dataset import samples
from tests.dataset.samples import explicit, implicit, instance_explicit, shipped_files
from tests.examples import examples

BIG = Encoding(False, False)
DEFLATED = Encoding(False, True, True)
ITEM, ITEM_END, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
NO_LENGTH, ALL_ONES = b"\0\0\0\0", b"\xff\xff\xff\xff"
NAME = explicit(0x00100010, "PN", b"Nobody")


def walked(data: bytes, encoding: Encoding = EXPLICIT, **limits: int) -> Framing:
    framing = Framing(lambda at, count: data[at : at + count], len(data), encoding, **limits)
    assert framing.go_on()
    return framing


def item(content: bytes, defined: bool = True) -> bytes:
    if defined:
        return ITEM + struct.pack("<L", len(content)) + content
    return ITEM + ALL_ONES + content + ITEM_END + NO_LENGTH


def sequence(*items: bytes, defined: bool = True, vr: bytes = b"SQ") -> bytes:
    content = b"".join(items)
    head = struct.pack("<HH2sH", 0x0008, 0x1140, vr, 0)
    if defined:
        return head + struct.pack("<L", len(content)) + content
    return head + ALL_ONES + content + END + NO_LENGTH


def nested(depth: int, defined: bool = False, inner: bytes = NAME) -> bytes:
    data = inner
    for _ in range(depth):
        data = sequence(item(data, defined), defined=defined)
    return data


def fragments(*parts: bytes, end: bytes = END + NO_LENGTH) -> bytes:
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED)
    return head + b"".join(map(item, parts)) + end


# one is written in Implicit VR, and says that it is Explicit
WHOLE = [path for path in shipped_files() if path.name != "SC_rgb_jpeg.dcm"]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.name)
def test_what_pydicom_brings_is_sound(path: Path) -> None:
    header = read_header(path)
    data = header.path.read_bytes()[header.offset :]
    framing = walked(data, encoding_of(header.transfer_syntax_uid))
    if framing.uids and header.sop_class_uid:
        assert framing.uids[0x00080018] == header.sop_instance_uid


SOUND: dict[str, bytes] = {
    "nothing": b"",
    "an element": NAME,
    "an empty sequence": sequence(),
    "an empty one without length": sequence(defined=False),
    "an empty item": sequence(item(b"")),
    "an item without length": sequence(item(NAME, False)),
    "both without length": sequence(item(NAME, False), item(NAME, False), defined=False),
    "UN without length holds Implicit VR": sequence(
        item(implicit(0x00100010, b"Nobody")), defined=False, vr=b"UN"
    ),
    "UN with length holds anything": sequence(b"\xfe\xff\x00\xe0", vr=b"UN"),
    "fragments": fragments(b"", b"1234", b"56"),
    "no fragment": fragments(),
    "an odd length": explicit(0x00100010, "PN", b"odd"),
    "out of order, and twice": NAME + explicit(0x00080005, "CS", b"") + NAME,
    "group 0002 and 0000": explicit(0x00020010, "UI", b"1.2\0") + explicit(0, "UL", b"\0" * 4),
    "padding at the end": NAME + explicit(0xFFFCFFFC, "OB", bytes(100)),
    "deep enough": nested(MOST_NESTED),
    "deep enough, with lengths": nested(MOST_NESTED, True),
}
UNSOUND: dict[str, bytes] = {
    "a part of a header": NAME[:5],
    "a part of a long header": sequence()[:10],
    "a value that ends early": NAME[:-1],
    "1 GiB that is not there": struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, 1 << 30) + b"1234",
    "a short VR that is longer": explicit(0x00100010, "PN", b"123456")[:-2],
    "UT without length": struct.pack("<HH2sHL", 0x0040, 0xA160, b"UT", 0, UNDEFINED),
    "a length of 2^32 - 2": struct.pack("<HH2sHL", 0x0040, 0xA160, b"OB", 0, UNDEFINED - 1),
    "no VR": b"\x10\0\x10\0??\2\0ab",
    "a VR in lower case": b"\x10\0\x10\0pn\2\0ab",
    "an item longer than its sequence": sequence(ITEM + struct.pack("<L", 99) + NAME),
    "an element longer than its item": sequence(item(NAME[:-2]), defined=False),
    "an element longer than a sequence around it": sequence(ITEM + ALL_ONES + NAME[:-2]) + NAME,
    "no sequence delimiter": sequence(defined=False)[:-8],
    "no item delimiter": sequence(item(NAME, False)[:-8], defined=False),
    "an item delimiter at the top": NAME + ITEM_END + NO_LENGTH,
    "a sequence delimiter at the top": NAME + END + NO_LENGTH,
    "an item at the top": item(NAME),
    "an item delimiter in an item with length": sequence(item(NAME + ITEM_END + NO_LENGTH)),
    "an item delimiter with a length": sequence(
        ITEM + ALL_ONES + ITEM_END + b"\2\0\0\0ab", defined=False
    ),
    "a sequence delimiter with a length": sequence(defined=False)[:-4] + b"\2\0\0\0ab",
    "an element in a sequence": sequence(NAME, defined=False),
    "no delimiter after fragments": fragments(b"12", end=b""),
    "a fragment without length": fragments()[:12] + ITEM + ALL_ONES + END + NO_LENGTH,
    "too deep": nested(MOST_NESTED + 1),
    "too deep, with lengths": nested(MOST_NESTED + 1, True),
    "much too deep": nested(300),
    "Implicit VR": implicit(0x00080016, b"1.2.840.10008.5.1.4.1.1.2\0"),
    "noise": bytes(range(7, 250)),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound(name: str) -> None:
    walked(SOUND[name])


@pytest.mark.parametrize("name", UNSOUND)
def test_what_is_not(name: str) -> None:
    with pytest.raises(DataSetError):
        walked(UNSOUND[name])


@pytest.mark.parametrize("name", ["an element", "no item delimiter", "too deep", "deep enough"])
def test_deflated_it_is_the_same(name: str) -> None:
    data = SOUND.get(name, UNSOUND.get(name, b""))
    deflater = zlib.compressobj(wbits=-15)
    deflated = deflater.compress(data) + deflater.flush()
    if name in SOUND:
        walked(deflated, DEFLATED)
        return
    with pytest.raises(DataSetError):
        walked(deflated, DEFLATED)


IMPLICITLY: dict[str, tuple[bytes, bool]] = {
    "an element": (implicit(0x00100010, b"Nobody"), True),
    "a sequence": (implicit(0x00081140, item(implicit(0x00100010, b"ab"))), True),
    "one that ends early": (implicit(0x00081140, item(b"12")), False),
    "a private value that looks like one": (implicit(0x00091001, ITEM + b"12345678"), True),
    "pixels that look like one": (implicit(0x7FE00010, ITEM + b"12345678"), True),
    "one without length": (struct.pack("<HHL", 8, 0x1140, UNDEFINED) + END + NO_LENGTH, True),
    "Explicit VR": (NAME, False),
}


@pytest.mark.parametrize("name", IMPLICITLY)
def test_without_vr(name: str) -> None:
    data, is_sound = IMPLICITLY[name]
    if is_sound:
        walked(data, IMPLICIT)
        return
    with pytest.raises(DataSetError):
        walked(data, IMPLICIT)


def test_implicit_nesting_is_seen_with_lengths_too() -> None:
    data = implicit(0x00100010, b"ab")
    for _ in range(MOST_NESTED):
        data = implicit(0x00081140, item(data))
    walked(data, IMPLICIT)
    with pytest.raises(DataSetError, match="nested more than 32"):
        walked(implicit(0x00081140, item(data)), IMPLICIT)


def test_big_endian() -> None:
    data = explicit(0x00080018, "UI", b"1.2.3\0", ">") + explicit(0x7FE00010, "OW", b"12", ">")
    assert walked(data, BIG).uids == {0x00080018: "1.2.3"}
    with pytest.raises(DataSetError):
        walked(data[:-1], BIG)


def test_uids_are_those_of_the_top_and_the_first_ones() -> None:
    inner = sequence(item(explicit(0x00080018, "UI", b"9.9\0")))
    again = explicit(0x00080018, "UI", b"8.8\0")
    found = walked(inner + instance_explicit("1.2.3") + again).uids
    assert found == {
        0x00080016: samples.CT,
        0x00080018: "1.2.3",
        0x0020000D: "1.2.8",
        0x0020000E: "1.2.9",
    }


def test_an_odd_length_is_told() -> None:
    assert walked(NAME).odd == 0
    assert walked(NAME + explicit(0x00100020, "LO", b"odd") + NAME).odd == 0x00100020
    assert walked(implicit(0x00100020, b"odd"), IMPLICIT).odd == 0x00100020


@pytest.mark.parametrize(
    ("after", "is_sound"),
    [(b"", True), (b"\0", True), (b"\0\0", False), (b"x", False), (b"gzip", True), (NAME, False)],
)
def test_what_follows_a_deflated_stream(after: bytes, is_sound: bool) -> None:
    deflater = zlib.compressobj(wbits=-15)
    deflated = deflater.compress(NAME) + deflater.flush()
    if after == b"gzip":
        after = b"\1\2\3\4" + struct.pack("<L", len(NAME))
    if is_sound:
        walked(deflated + after, DEFLATED)
        return
    with pytest.raises(DataSetError):
        walked(deflated + after, DEFLATED)


def test_a_damaged_or_short_deflated_stream_is_unsound() -> None:
    deflater = zlib.compressobj(wbits=-15)
    deflated = deflater.compress(instance_explicit("1.2.3") * 50) + deflater.flush()
    for data in (deflated[:-3], deflated[:9] + b"\xff" * 9 + deflated[18:], zlib.compress(NAME)):
        with pytest.raises(DataSetError):
            walked(data, DEFLATED)


def zeros(megabytes: int) -> bytes:
    """Return an element with so many zeros, deflated to a thousandth."""
    deflater = zlib.compressobj(1, wbits=-15)
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, megabytes << 20)
    parts = [deflater.compress(head)]
    parts += [deflater.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(parts) + deflater.flush()


def test_a_bomb_takes_no_memory_and_has_an_end() -> None:
    bomb = zeros(64)
    tracemalloc.start()
    try:
        walked(bomb, DEFLATED)
        with pytest.raises(TooLong):
            walked(bomb, DEFLATED, most_inflated=32 << 20)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_values_are_not_read() -> None:
    """An object of 8 GiB, of which there is nothing but the headers."""
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, UNDEFINED - 1)
    length = 2 * (len(head) + UNDEFINED - 1) + len(NAME)
    places = {0: head, len(head) + UNDEFINED - 1: head, length - len(NAME): NAME}
    asked: list[int] = []

    def read_at(at: int, count: int) -> bytes:
        asked.append(count)
        return places[at]

    assert Framing(read_at, length, EXPLICIT).go_on()
    assert len(asked) == 3
    assert max(asked) <= 1 << 15


@pytest.mark.parametrize("count", [10_000])
def test_it_can_pause(count: int) -> None:
    data = sequence(*[item(NAME) for _ in range(count)])
    framing = Framing(lambda at, size: data[at : at + size], len(data), EXPLICIT)
    pauses = 0
    while not framing.go_on(1000):
        pauses += 1
    assert 2 * count // 1000 <= pauses <= 3 * count // 1000


def pieces() -> st.SearchStrategy[bytes]:
    return st.one_of(st.sampled_from([*SOUND.values(), *UNSOUND.values()]), st.binary(max_size=40))


@given(st.lists(pieces(), max_size=5), st.sampled_from([EXPLICIT, IMPLICIT, BIG, DEFLATED]))
@examples(400)
def test_any_bytes_are_sound_or_a_data_set_error(parts: list[bytes], encoding: Encoding) -> None:
    with contextlib.suppress(DataSetError):
        walked(b"".join(parts), encoding)


def cuts(data: bytes) -> Iterator[bytes]:
    return (data[:end] for end in range(1, len(data)))


@pytest.mark.parametrize("make", [nested, lambda depth: fragments(*[b"12"] * depth)])
def test_what_ends_early_is_unsound_wherever(make: Callable[[int], bytes]) -> None:
    for cut in cuts(make(4)):
        with pytest.raises(DataSetError):
            walked(cut)
