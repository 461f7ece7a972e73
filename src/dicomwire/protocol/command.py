"""Command sets <-> bytes: group 0000 in implicit VR little endian (PS3.7 6.3.1, E.1)."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

from dicomwire.protocol.errors import InvalidParameter, LocalError
from dicomwire.protocol.items import bytes_of, text_of
from dicomwire.standard.dimse import C_CANCEL_RQ, COMMAND_ELEMENTS, NO_DATA_SET, RESPONSE

Command = dict[str, Any]
"""Keyword of an element of group 0000 -> int, str, or list of int (VR AT)."""

REMEMBERED = 32  # command sets: all pending responses to a query have the same

_ELEMENT = struct.Struct("<HHI")
_U16 = struct.Struct("<H")
_SHORT = struct.Struct("<HHIH")  # an element with a value of two bytes, whole
_GROUP_LENGTH = struct.Struct("<HHII")
_TAGS = {keyword: (element, vr) for element, keyword, vr in COMMAND_ELEMENTS}
_ORDER = [keyword for _, keyword, _ in COMMAND_ELEMENTS[1:]]
_LISTS = [keyword for _, keyword, vr in COMMAND_ELEMENTS if vr == "AT"]
_KEYWORDS = {element: (keyword, vr) for element, keyword, vr in COMMAND_ELEMENTS}


def encode_command(command: Command, pads_titles: bool = False) -> bytes:
    """Encode a command set, group length first.

    Parameters
    ----------
    command : dict
        Elements by keyword; a value of None is left out.
    pads_titles : bool
        Whether AE titles get spaces up to 16 characters, for peers that look for them.

    Returns
    -------
    bytes
        The whole command set.

    Raises
    ------
    LocalError
        When a value does not fit its element.
    """
    try:
        return _encode_once(pads_titles, *command.items())
    except TypeError:  # a list has no hash
        return _encode(pads_titles, command)


def _encode(pads_titles: bool, command: Command) -> bytes:
    parts = [
        _encode_element(keyword, command[keyword], pads_titles)
        for keyword in _ORDER
        if command.get(keyword) is not None
    ]
    body = b"".join(parts)
    return _GROUP_LENGTH.pack(0, 0, 4, len(body)) + body


@lru_cache(REMEMBERED)
def _encode_once(pads_titles: bool, *items: tuple[str, Any]) -> bytes:
    return _encode(pads_titles, dict(items))


def _encode_element(keyword: str, value: Any, pads_titles: bool) -> bytes:
    element, vr = _TAGS[keyword]
    try:
        if vr == "US":
            return _SHORT.pack(0, element, 2, value)
        if vr == "AE" and pads_titles:
            value = value.ljust(16)
        encoded = _encode_tags(value) if vr == "AT" else _encode_text(vr, value)
    except (struct.error, TypeError, AttributeError) as error:
        raise LocalError(f"{keyword} cannot be {value!r}: {error}") from None
    return _ELEMENT.pack(0, element, len(encoded)) + encoded


def _encode_text(vr: str, value: str) -> bytes:
    encoded = value.encode("ascii", "replace") if vr == "LO" else bytes_of(value)
    if vr == "LO":
        encoded = encoded[:64]  # PS3.5 6.2
    if len(encoded) % 2:
        encoded += b"\0" if vr == "UI" else b" "
    return encoded


def _encode_tags(tags: int | list[int]) -> bytes:
    if isinstance(tags, int):
        tags = [tags]
    return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in tags)


def decode_command(data: bytes | bytearray | memoryview) -> Command:
    """Decode a command set and check what every message needs.

    Parameters
    ----------
    data : bytes-like
        All fragments of the command set, joined.

    Returns
    -------
    dict
        Elements by keyword. The group length is not trusted and left out; elements that PS3.7 E.1
        does not know (or has retired) are left out too; of a repeated one the first counts.

    Raises
    ------
    InvalidParameter
        When an element's length leads beyond the end, a value has a wrong length, or an element
        that PS3.7 6.3 demands of every message is missing.
    """
    command = dict(_decode_once(bytes(data)))
    for keyword in _LISTS:
        if keyword in command:
            command[keyword] = list(command[keyword])
    return command


@lru_cache(REMEMBERED)
def _decode_once(data: bytes) -> Command:
    command: Command = {}
    position, end = 0, len(data)
    while position < end:
        if end - position < 8:
            raise InvalidParameter("A command set ends within an element")
        group, element, length = _ELEMENT.unpack_from(data, position)
        position += 8
        if length > end - position:
            raise InvalidParameter(
                f"Command element ({group:04X},{element:04X}) claims {length} bytes, "
                f"{end - position} are left"
            )
        known = _KEYWORDS.get(element)
        if known and group == 0 and element and known[0] not in command:
            _decode_element(command, known, data, position, length)
        position += length
    _check(command)
    return command


def _decode_element(
    command: Command,
    known: tuple[str, str],
    data: bytes,
    position: int,
    length: int,
) -> None:
    keyword, vr = known
    if vr == "US":
        if length < 2:
            if length == 0:
                return  # empty is absent
            raise InvalidParameter(f"{keyword} has {length} bytes instead of 2")
        command[keyword] = _U16.unpack_from(data, position)[0]
    elif vr == "AT":
        if length % 4:
            raise InvalidParameter(f"{keyword} has {length} bytes, not a multiple of 4")
        halves = struct.unpack_from(f"<{length // 2}H", data, position)
        command[keyword] = [
            high << 16 | low for high, low in zip(halves[::2], halves[1::2], strict=True)
        ]
    else:
        text = text_of(data[position : position + length])
        command[keyword] = text.lstrip(" ") if vr == "AE" else text


def _check(command: Command) -> None:
    field = command.get("CommandField")
    if field is None:
        raise InvalidParameter("A command set without a Command Field")
    command.setdefault("CommandDataSetType", NO_DATA_SET)
    wanted = "MessageID"
    if field & RESPONSE or field == C_CANCEL_RQ:
        wanted = "MessageIDBeingRespondedTo"
    if wanted not in command:
        raise InvalidParameter(f"A command set 0x{field:04X} without {wanted}")
    if field & RESPONSE and "Status" not in command:
        raise InvalidParameter(f"A response 0x{field:04X} without Status")
