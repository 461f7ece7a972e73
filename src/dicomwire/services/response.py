"""The command set of a response into what it means."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.dataset.codec import decode
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import Failed
from dicomwire.protocol.messages import Memory, Message
from dicomwire.standard.dimse import COMMAND_ELEMENTS, Service
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.statuses import Category, describe

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

_NUMBERS = {keyword: element for element, keyword, vr in COMMAND_ELEMENTS if vr == "US"}


class Response(NamedTuple):
    """How a peer answered a request.

    Parameters
    ----------
    service : Service
        What was asked.
    message : Message
        What came back.
    transfer_syntax : str
        UID of what its data set is encoded in; "" when none is expected.
    """

    service: Service
    message: Message
    transfer_syntax: str = ""

    @property
    def command(self) -> Command:
        """The command set by keyword."""
        return self.message.command

    @property
    def status(self) -> int:
        """Status (0000,0900)."""
        return int(self.command["Status"])

    @property
    def category(self) -> Category:
        """Success, Failure, Warning, Cancel, Pending or Unknown."""
        return self._described[0]

    @property
    def text(self) -> str:
        """What the status means for this service, in the standard's words."""
        return self._described[1]

    @property
    def comment(self) -> str:
        """Error Comment (0000,0902) of the peer; "" when there is none."""
        return str(self.command.get("ErrorComment") or "")

    @property
    def _described(self) -> tuple[Category, str]:
        service_class = service_class_of(self.command.get("AffectedSOPClassUID") or "")
        return describe(self.status, service_class.statuses_of(self.service.name))

    @property
    def encoded(self) -> bytes | None:
        """The data set as it came, in `transfer_syntax`; None when there is none."""
        sink = self.message.data
        return bytes(sink.data) if isinstance(sink, Memory) else None

    def decode(self) -> Dataset | None:
        """Return the data set, None when there is none; each call decodes anew.

        Raises
        ------
        DataSetError
            When it cannot be decoded.
        """
        data = self.encoded
        return None if data is None else decode(data, self.transfer_syntax)

    def check(self) -> Response:
        """Return the response; raise `Failed` when its status is a failure."""
        if self.category is Category.FAILURE:
            raise Failed(self.status, " - ".join(filter(None, (self.text, self.comment))))
        return self

    def __str__(self) -> str:
        words = f"0x{self.status:04X}: {self.category.value}"
        return " - ".join(filter(None, (words, self.text, self.comment)))

    def dataset(self) -> Dataset:
        """Return Status and what explains it as a pydicom Dataset."""
        from pydicom.dataset import Dataset

        numbers: Command = {}
        others: Command = {}
        for keyword in ("Status", *self.service.response_fields):
            value: Any = self.command.get(keyword)
            if value is not None:
                (numbers if keyword in _NUMBERS else others)[keyword] = value
        dataset = Dataset(dict(starmap(_number, numbers.items())))
        for keyword, value in others.items():
            setattr(dataset, keyword, value)
        return dataset


def _number(keyword: str, value: int) -> tuple[BaseTag, DataElement]:
    """Make an element of VR US as an assignment would, at a fifth of the time."""
    from pydicom.dataelem import DataElement
    from pydicom.tag import BaseTag

    tag = BaseTag(_NUMBERS[keyword])
    return tag, DataElement(tag, "US", value, already_converted=True)
