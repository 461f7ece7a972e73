"""DIMSE messages <-> P-DATA primitives and DIMSE primitives, by pynetdicom's names (PS3.7 6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, ClassVar

from pydicom.dataset import Dataset

from dicomwire.compat import _config
from dicomwire.compat.dimse_primitives import C_CANCEL, DIMSEPrimitive, filled, primitive_kind
from dicomwire.compat.pdu_primitives import P_DATA
from dicomwire.protocol.command import Command, decode_command, encode_command
from dicomwire.protocol.errors import InvalidParameter
from dicomwire.protocol.messages import COMMAND_BIT, LAST_BIT
from dicomwire.standard.dimse import (
    C_CANCEL_RQ as CANCEL,
)
from dicomwire.standard.dimse import (
    COMMAND_ELEMENTS,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    SERVICES,
    Service,
    message_name,
)

_VRS = {keyword: vr for _, keyword, vr in COMMAND_ELEMENTS}
_MESSAGES: dict[str, tuple[int, Service | None]] = {
    "C_CANCEL_RQ": (CANCEL, None),
    **{
        message_name(row.command_field | answers).replace("-", "_"): (
            row.command_field | answers,
            row,
        )
        for row in SERVICES
        for answers in (0, RESPONSE)
    },
}
_BY_FIELD: dict[int, type[DIMSEMessage]] = {}
_PDV_HEADER = 6  # bytes of a presentation data value besides the fragment: PS3.8 9.3.5.1, E.2


class DIMSEMessage:
    """A DIMSE message: a command set and perhaps a data set.

    Attributes
    ----------
    context_id : int or None
        The presentation context.
    command_set : pydicom.Dataset
        The command set.
    data_set : BytesIO
        The encoded data set; empty when there is none, or when it went from or to a file.
    encoded_command_set : BytesIO
        What was received of the command set, or was encoded last.
    """

    _field: ClassVar[int] = -1
    _row: ClassVar[Service | None] = None

    def __init_subclass__(cls) -> None:
        if cls.__name__ in _MESSAGES:
            cls._field, cls._row = _MESSAGES[cls.__name__]
            _BY_FIELD[cls._field] = cls

    def __init__(self) -> None:
        self.context_id: int | None = None
        self.encoded_command_set = BytesIO()
        self.data_set = BytesIO()
        self._set: Dataset | None = None
        self._received: Command = {}

    @property
    def command_set(self) -> Dataset:
        """The command set; what is changed in it is what `encode_msg` encodes."""
        if self._set is None:
            self._set = _dataset_of(self._received)
        return self._set

    @command_set.setter
    def command_set(self, value: Dataset) -> None:
        self._set = value

    @property
    def command(self) -> Command:
        """The command set by keyword, without its group length."""
        return self._received if self._set is None else _command_of(self._set)

    @property
    def name(self) -> str:
        """The name of the message as PS3.7 has it, e.g. "C-STORE-RQ"."""
        return message_name(self.command["CommandField"])

    def decode_msg(self, primitive: P_DATA, assoc: Any = None) -> bool:
        """Take the fragments of a P-DATA; return whether the message is complete with them.

        When its command set is complete the object becomes one of the class of its message.

        Parameters
        ----------
        primitive : P_DATA
            What was received.
        assoc : Association, optional
            Not used: the data set goes to memory.

        Raises
        ------
        RemoteError
            When the command set breaks PS3.7, or PS3.7 has no such message.
        """
        for context_id, value in primitive.presentation_data_value_list:
            self.context_id = context_id
            control, fragment = value[0], value[1:]
            into = self.encoded_command_set if control & COMMAND_BIT else self.data_set
            into.write(fragment)
            if not control & LAST_BIT:
                continue
            if not control & COMMAND_BIT or self._take_command() == NO_DATA_SET:
                return True
        return False

    def _take_command(self) -> int:
        command = decode_command(self.encoded_command_set.getvalue())
        kind = _BY_FIELD.get(command["CommandField"])
        if kind is None:
            raise InvalidParameter(f"No message has the field 0x{command['CommandField']:04X}")
        self._received, self._set = command, None
        self.__class__ = kind
        has: int = command["CommandDataSetType"]
        return has

    def encode_msg(self, context_id: int, max_pdu_length: int) -> Iterator[P_DATA]:
        """Yield the message as P-DATA primitives, each with one fragment.

        Parameters
        ----------
        context_id : int
            The presentation context.
        max_pdu_length : int
            The longest presentation data value with its headers, in bytes; 0 is unlimited.

        Raises
        ------
        ValueError
            When nothing would fit.
        """
        if 0 < max_pdu_length <= _PDV_HEADER:
            raise ValueError(f"No fragment fits a maximum of {max_pdu_length} bytes")
        self.context_id = context_id
        encoded = encode_command(self.command, not _config.USE_SHORT_DIMSE_AET)
        self.encoded_command_set = BytesIO(encoded)
        parts = [(COMMAND_BIT, encoded)]
        if self.command.get("CommandDataSetType", NO_DATA_SET) != NO_DATA_SET:
            parts.append((0, self.data_set.getvalue()))
        for control, data in parts:
            size = max_pdu_length - _PDV_HEADER if max_pdu_length else max(len(data), 1)
            for start in range(0, max(len(data), 1), size):
                last = LAST_BIT if start + size >= len(data) else 0
                made = P_DATA()
                fragment = bytes((control | last,)) + data[start : start + size]
                made.presentation_data_value_list = [(context_id, fragment)]
                yield made

    def primitive_to_message(self, primitive: DIMSEPrimitive | C_CANCEL) -> None:
        """Take the parameters of a DIMSE primitive; those that are None are left out.

        Raises
        ------
        TypeError
            When the object is of no message's class.
        AttributeError
            When the primitive is that of another service.
        """
        if self._field < 0:
            raise TypeError("Make an object of the message's own class, e.g. C_STORE_RQ")
        command: Command = {"CommandField": self._field}
        for keyword in self._keywords():
            value = getattr(primitive, keyword)
            if value is not None:
                command[keyword] = value
        data = self._data_of(primitive)
        command["CommandDataSetType"] = NO_DATA_SET if data is None else DATA_SET
        self.data_set = data or BytesIO()
        self._received, self._set = _plain(command), None

    def _keywords(self) -> tuple[str, ...]:
        row = self._row
        if row is None:
            return ("MessageIDBeingRespondedTo",)
        if not self._field & RESPONSE:
            uids = (each for each in (row.class_uid, row.instance_uid) if each)
            return ("MessageID", *uids, *row.request_fields)
        uids = (each.replace("Requested", "Affected") for each in (row.class_uid, row.instance_uid))
        named = ("MessageIDBeingRespondedTo", "Status", *filter(None, uids), *row.response_fields)
        return tuple(dict.fromkeys(named))

    def _data_of(self, primitive: Any) -> BytesIO | None:
        row = self._row
        name = row and (row.data_out if self._field & RESPONSE else row.data_in)
        data: BytesIO | None = getattr(primitive, name) if name else None
        # a response has an empty BytesIO where pynetdicom's users mean none
        return data if data is not None and len(data.getbuffer()) else None

    def message_to_primitive(self) -> DIMSEPrimitive | C_CANCEL:
        """Return the DIMSE primitive that says the same."""
        command, data = self.command, self.data_set
        has_data = command.get("CommandDataSetType", NO_DATA_SET) != NO_DATA_SET
        return filled(
            primitive_kind(command), command, (lambda: data) if has_data else None, self.context_id
        )

    def __str__(self) -> str:
        size = len(self.data_set.getbuffer())
        title = self.name if self._received or self._set else type(self).__name__
        return f"{title} message\n{self.command_set}\nData set: {size} bytes\n"


def _plain(command: Command) -> Command:
    """Return a command set with plain strings and numbers for the wire."""
    plain: Command = {}
    for keyword, value in command.items():
        if _VRS[keyword] == "AT":
            tags = [value] if isinstance(value, int) else value
            plain[keyword] = [int(tag) for tag in tags]
        else:
            plain[keyword] = str(value) if isinstance(value, str) else value
    return plain


def _command_of(dataset: Dataset) -> Command:
    """Read the command elements of a data set; of several values the first counts, but of tags."""
    command: Command = {}
    for keyword, vr in list(_VRS.items())[1:]:
        value = dataset.get(keyword)
        if value is None or value == "":
            continue
        many = not isinstance(value, str | int) and vr != "AT"
        command[keyword] = value[0] if many else value
    return _plain(command)


def _dataset_of(command: Command) -> Dataset:
    """Show a command set as a pydicom Dataset, group length included."""
    dataset = Dataset()
    if command:
        dataset.CommandGroupLength = len(encode_command(command)) - 12  # its own element
    for keyword, value in command.items():
        setattr(dataset, keyword, value)
    return dataset


def message_of(context_id: int, command: Command, data: bytes | bytearray | None) -> DIMSEMessage:
    """Return a message as handlers of EVT_DIMSE_RECV and EVT_DIMSE_SENT are given it."""
    made = _BY_FIELD.get(command["CommandField"], DIMSEMessage)()
    made.context_id, made._received = context_id, command
    made.data_set = BytesIO(data or b"")
    return made


class C_STORE_RQ(DIMSEMessage):
    """C-STORE-RQ (PS3.7 9.3.1.1)."""


class C_STORE_RSP(DIMSEMessage):
    """C-STORE-RSP (PS3.7 9.3.1.2)."""


class C_FIND_RQ(DIMSEMessage):
    """C-FIND-RQ (PS3.7 9.3.2.1)."""


class C_FIND_RSP(DIMSEMessage):
    """C-FIND-RSP (PS3.7 9.3.2.2)."""


class C_GET_RQ(DIMSEMessage):
    """C-GET-RQ (PS3.7 9.3.3.1)."""


class C_GET_RSP(DIMSEMessage):
    """C-GET-RSP (PS3.7 9.3.3.2)."""


class C_MOVE_RQ(DIMSEMessage):
    """C-MOVE-RQ (PS3.7 9.3.4.1)."""


class C_MOVE_RSP(DIMSEMessage):
    """C-MOVE-RSP (PS3.7 9.3.4.2)."""


class C_ECHO_RQ(DIMSEMessage):
    """C-ECHO-RQ (PS3.7 9.3.5.1)."""


class C_ECHO_RSP(DIMSEMessage):
    """C-ECHO-RSP (PS3.7 9.3.5.2)."""


class C_CANCEL_RQ(DIMSEMessage):
    """C-CANCEL-RQ (PS3.7 9.3.2.3)."""


class N_EVENT_REPORT_RQ(DIMSEMessage):
    """N-EVENT-REPORT-RQ (PS3.7 10.3.1.1)."""


class N_EVENT_REPORT_RSP(DIMSEMessage):
    """N-EVENT-REPORT-RSP (PS3.7 10.3.1.2)."""


class N_GET_RQ(DIMSEMessage):
    """N-GET-RQ (PS3.7 10.3.2.1)."""


class N_GET_RSP(DIMSEMessage):
    """N-GET-RSP (PS3.7 10.3.2.2)."""


class N_SET_RQ(DIMSEMessage):
    """N-SET-RQ (PS3.7 10.3.3.1)."""


class N_SET_RSP(DIMSEMessage):
    """N-SET-RSP (PS3.7 10.3.3.2)."""


class N_ACTION_RQ(DIMSEMessage):
    """N-ACTION-RQ (PS3.7 10.3.4.1)."""


class N_ACTION_RSP(DIMSEMessage):
    """N-ACTION-RSP (PS3.7 10.3.4.2)."""


class N_CREATE_RQ(DIMSEMessage):
    """N-CREATE-RQ (PS3.7 10.3.5.1)."""


class N_CREATE_RSP(DIMSEMessage):
    """N-CREATE-RSP (PS3.7 10.3.5.2)."""


class N_DELETE_RQ(DIMSEMessage):
    """N-DELETE-RQ (PS3.7 10.3.6.1)."""


class N_DELETE_RSP(DIMSEMessage):
    """N-DELETE-RSP (PS3.7 10.3.6.2)."""


__all__ = ["DIMSEMessage", *sorted(kind.__name__ for kind in _BY_FIELD.values())]
