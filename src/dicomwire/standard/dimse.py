"""The eleven DIMSE services and the elements of a command set, as rows (PS3.7 9.3, 10.3, E.1)."""

from __future__ import annotations

from typing import NamedTuple

# PS3.7 Table E.1-1: element of group 0000, keyword, value representation.
COMMAND_ELEMENTS = (
    (0x0000, "CommandGroupLength", "UL"),
    (0x0002, "AffectedSOPClassUID", "UI"),
    (0x0003, "RequestedSOPClassUID", "UI"),
    (0x0100, "CommandField", "US"),
    (0x0110, "MessageID", "US"),
    (0x0120, "MessageIDBeingRespondedTo", "US"),
    (0x0600, "MoveDestination", "AE"),
    (0x0700, "Priority", "US"),
    (0x0800, "CommandDataSetType", "US"),
    (0x0900, "Status", "US"),
    (0x0901, "OffendingElement", "AT"),
    (0x0902, "ErrorComment", "LO"),
    (0x0903, "ErrorID", "US"),
    (0x1000, "AffectedSOPInstanceUID", "UI"),
    (0x1001, "RequestedSOPInstanceUID", "UI"),
    (0x1002, "EventTypeID", "US"),
    (0x1005, "AttributeIdentifierList", "AT"),
    (0x1008, "ActionTypeID", "US"),
    (0x1020, "NumberOfRemainingSuboperations", "US"),
    (0x1021, "NumberOfCompletedSuboperations", "US"),
    (0x1022, "NumberOfFailedSuboperations", "US"),
    (0x1023, "NumberOfWarningSuboperations", "US"),
    (0x1030, "MoveOriginatorApplicationEntityTitle", "AE"),
    (0x1031, "MoveOriginatorMessageID", "US"),
)

NO_DATA_SET = 0x0101  # PS3.7 E.1: the one value of Command Data Set Type that means "none"
DATA_SET = 0x0001
RESPONSE = 0x8000  # PS3.7 E.1: set in the Command Field of every response
C_CANCEL_RQ = 0x0FFF

PRIORITY_MEDIUM, PRIORITY_HIGH, PRIORITY_LOW = 0, 1, 2  # PS3.7 E.1
LAST_MESSAGE_ID = 0xFFFF  # PS3.7 E.2


_DEMANDED = ("EventTypeID", "ActionTypeID", "MoveDestination")
_DATA_OPTIONAL = ("N-EVENT-REPORT", "N-ACTION", "N-CREATE")  # PS3.7 10.1.1, 10.1.4, 10.1.5


class Service(NamedTuple):
    """One DIMSE service.

    Parameters
    ----------
    name : str
        As PS3.7 calls it.
    command_field : int
        Of the request; the response has bit 15 set as well.
    class_uid, instance_uid : str
        Keywords of the UIDs in the request ("" when there is none).
    request_fields : tuple of str
        What the request carries besides UIDs, Message ID and the data set.
    response_fields : tuple of str
        What a response may carry besides Status and the UIDs.
    data_in, data_out : str
        What the data set of the request and of the response is called ("" when there is none).
    on_error : int
        Status of the response when the handler raises or there is none.
    """

    name: str
    command_field: int
    class_uid: str
    instance_uid: str
    request_fields: tuple[str, ...]
    response_fields: tuple[str, ...]
    data_in: str
    data_out: str
    on_error: int

    @property
    def event(self) -> str:
        """Name of the intervention event whose handler answers the request."""
        return "EVT_" + self.name.replace("-", "_")

    @property
    def demanded(self) -> tuple[str, ...]:
        """Keywords of the UIDs that a request has to have."""
        if self.name == "N-CREATE":  # PS3.7 10.1.5.1.3: the SCP may name the instance
            return (self.class_uid,)
        return tuple(name for name in (self.class_uid, self.instance_uid) if name)

    @property
    def demanded_fields(self) -> tuple[str, ...]:
        """Keywords of the other elements that a request has to have."""
        return tuple(name for name in self.request_fields if name in _DEMANDED)

    def may_have_data(self, present: bool) -> bool:
        """Whether a request may come with, or without, a data set."""
        if self.name in _DATA_OPTIONAL:
            return True
        return present == bool(self.data_in)


_SUB_OPERATIONS = (
    "NumberOfRemainingSuboperations",
    "NumberOfCompletedSuboperations",
    "NumberOfFailedSuboperations",
    "NumberOfWarningSuboperations",
)
_COMMENT = ("ErrorComment",)
_OFFENDING = ("OffendingElement", "ErrorComment")
_ERROR = ("ErrorComment", "ErrorID")
_LISTED = ("AttributeIdentifierList", "ErrorComment", "ErrorID")
_AFFECTED = ("AffectedSOPClassUID", "AffectedSOPInstanceUID")
_REQUESTED = ("RequestedSOPClassUID", "RequestedSOPInstanceUID")
_ORIGINATOR = ("MoveOriginatorApplicationEntityTitle", "MoveOriginatorMessageID")
_PRIORITY = ("Priority",)

# fmt: off
SERVICES = (
    # PS3.7 9.3.1 to 9.3.5
    Service("C-STORE", 0x0001, *_AFFECTED, (*_PRIORITY, *_ORIGINATOR), _OFFENDING,
            "DataSet", "", 0xC211),
    Service("C-FIND", 0x0020, "AffectedSOPClassUID", "", _PRIORITY, _OFFENDING,
            "Identifier", "Identifier", 0xC311),
    Service("C-GET", 0x0010, "AffectedSOPClassUID", "", _PRIORITY,
            (*_SUB_OPERATIONS, *_OFFENDING), "Identifier", "Identifier", 0xC411),
    Service("C-MOVE", 0x0021, "AffectedSOPClassUID", "", (*_PRIORITY, "MoveDestination"),
            (*_SUB_OPERATIONS, *_OFFENDING), "Identifier", "Identifier", 0xC511),
    Service("C-ECHO", 0x0030, "AffectedSOPClassUID", "", (), _COMMENT, "", "", 0x0000),
    # PS3.7 10.3.1 to 10.3.6
    Service("N-EVENT-REPORT", 0x0100, *_AFFECTED, ("EventTypeID",),
            (*_AFFECTED, "EventTypeID", *_ERROR),
            "EventInformation", "EventReply", 0x0110),
    Service("N-GET", 0x0110, *_REQUESTED, ("AttributeIdentifierList",), _LISTED,
            "", "AttributeList", 0x0110),
    Service("N-SET", 0x0120, *_REQUESTED, (), _LISTED, "ModificationList", "AttributeList", 0x0110),
    Service("N-ACTION", 0x0130, *_REQUESTED, ("ActionTypeID",), ("ActionTypeID", *_LISTED),
            "ActionInformation", "ActionReply", 0x0110),
    Service("N-CREATE", 0x0140, *_AFFECTED, (), ("AffectedSOPInstanceUID", *_ERROR),
            "AttributeList", "AttributeList", 0x0110),
    Service("N-DELETE", 0x0150, *_REQUESTED, (), _ERROR, "", "", 0x0110),
)
# fmt: on

BY_COMMAND_FIELD = {row.command_field: row for row in SERVICES}
BY_NAME = {row.name: row for row in SERVICES}
C_ECHO, C_STORE = BY_NAME["C-ECHO"], BY_NAME["C-STORE"]


def message_name(command_field: int) -> str:
    """Name a message as PS3.7 does, e.g. ``C-STORE-RQ``.

    Parameters
    ----------
    command_field : int
        The Command Field (0000,0100).

    Returns
    -------
    str
        The name, or the number in hexadecimal when PS3.7 E.1 has no such message.
    """
    if command_field == C_CANCEL_RQ:
        return "C-CANCEL-RQ"
    row = BY_COMMAND_FIELD.get(command_field & ~RESPONSE)
    if row is None:
        return f"0x{command_field:04X}"
    return row.name + ("-RSP" if command_field & RESPONSE else "-RQ")
