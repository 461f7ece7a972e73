"""Data sets into lines of text: the identifiers of C-FIND, C-GET and C-MOVE in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomwire.dataset import codec
from dicomwire.dataset.codec import PYDICOM_ERRORS
from dicomwire.dataset.errors import DataSetError
from dicomwire.network.log_text import visible

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

SHOWN = 13  # bytes of a binary value that are still shown themselves


IDENTIFIED = {"C-FIND": "Find", "C-GET": "Get", "C-MOVE": "Move"}


def identifier_title(service: str, is_response: bool, outgoing: bool) -> str:
    """Return the line over an identifier, as the side that asks or that answers words it.

    Parameters
    ----------
    service : str
        One of `IDENTIFIED`.
    is_response : bool
        Whether it belongs to a response.
    outgoing : bool
        Whether we send it.
    """
    kind = "Response" if is_response else "Request"
    if outgoing != is_response:  # this side is the SCU
        return f"# {kind} Identifier"
    return f"{IDENTIFIED[service]} SCP {kind} Identifier:"


def identifier_lines(
    title: str, data: bytes | bytearray | memoryview, transfer_syntax: str
) -> list[str]:
    """Return what the log says of an identifier (PS3.7 9.1.2 to 9.1.4).

    Parameters
    ----------
    title : str
        Whose it is.
    data : bytes-like
        The encoded identifier.
    transfer_syntax : str
        UID of how it is encoded.

    Returns
    -------
    list of str
        The title and a line for each element; what does not print is escaped. Of an identifier
        that cannot be read, the title and why.
    """
    from pydicom.errors import BytesLengthException

    try:
        shown = pretty_dataset(codec.decode(data, transfer_syntax))
    except (DataSetError, BytesLengthException, *PYDICOM_ERRORS) as error:
        shown = [f"(cannot be read: {error})"]
    return [title, "", *(visible(line) for line in shown), ""]


def pretty_dataset(ds: Dataset, indent: int = 0, indent_char: str = "  ") -> list[str]:
    """Return a data set as lines of text, one an element; items of sequences are indented.

    Parameters
    ----------
    ds : pydicom.Dataset
        The data set.
    indent : int
        How deep.
    indent_char : str
        What a step of depth is shown as.
    """
    lines = []
    for element in ds:
        lines.append(indent_char * indent + pretty_element(element))
        if element.VR != "SQ":
            continue
        for number, item in enumerate(element.value, 1):
            lines.append(f"{indent_char * (indent + 1)}(Sequence item #{number})")
            lines += pretty_dataset(item, indent + 2, indent_char)
    return lines


def pretty_element(elem: DataElement) -> str:
    """Return an element as a line: tag, VR, value in at least 40 columns, VM and keyword."""
    tag = f"({elem.tag.group:04X},{elem.tag.element:04X})"
    return f"{tag} {elem.VR} {_shown(elem):<40} # {elem.VM} {elem.keyword}"


def _shown(elem: DataElement) -> str:
    value = elem.value
    if elem.VR == "SQ":
        return f"(Sequence with {_several(len(value), 'item')})"
    if elem.is_empty:
        return "(no value available)"
    if isinstance(value, bytes):
        return _binary(value)
    values = value if elem.VM > 1 else [value]
    show = _BY_VR.get(elem.VR, str)
    return f"[{chr(92).join(show(each) for each in values)}]"


def _binary(value: bytes) -> str:
    if len(value) > SHOWN:
        return f"({_several(len(value), 'byte')} of binary data)"
    return f"[{value.hex(' ').upper()}]"


def _several(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


_BY_VR: dict[str, Callable[[Any], str]] = {
    "AT": lambda tag: f"({tag.group:04X},{tag.element:04X})",
    "UI": lambda uid: "".join(uid),
}
