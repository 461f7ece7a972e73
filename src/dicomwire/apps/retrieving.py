"""Responses to C-GET and C-MOVE into lines, a bar, and what became of the objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomwire.apps.asking import Answer, ended
from dicomwire.apps.exits import Exit
from dicomwire.apps.output import conclusion, log
from dicomwire.standard.statuses import Category

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_NAMED = 10  # instances that failed
_COUNTS = ("Remaining", "Completed", "Warning", "Failed")


@dataclass
class Counts:
    """Sub-operations of one retrieval by what became of them (PS3.4 C.4.2.1.6)."""

    remaining: int = 0
    completed: int = 0
    warning: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """How many are over."""
        return self.completed + self.warning + self.failed

    def update(self, status: Dataset, last: bool) -> None:
        """Take the numbers of a response, which need not have them all.

        Parameters
        ----------
        status : Dataset
            Of the response.
        last : bool
            Whether it is the last one: what is not said to have failed has not.
        """
        given = {
            name.lower(): int(status[f"NumberOf{name}Suboperations"].value or 0)
            for name in _COUNTS
            if f"NumberOf{name}Suboperations" in status
        }
        for name, number in given.items():
            setattr(self, name, number)
        if last and "remaining" not in given:
            if status.Status == 0 and "completed" not in given:
                self.completed += self.remaining
            self.remaining = 0

    def __str__(self) -> str:
        return (
            f"{self.remaining} remaining, {self.completed} completed, "
            f"{self.warning} with a warning, {self.failed} failed"
        )


@dataclass
class Retrieval:
    """Sums up retrievals that are asked for one after the other.

    Parameters
    ----------
    verb : str
        What was done to the objects that are well, e.g. "received".
    to_be_cancelled : bool
        Whether the peer is going to be asked to stop.
    """

    verb: str
    to_be_cancelled: bool = False
    over: list[Counts] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    show: Callable[[int, int], None] = lambda done, total: None
    _now: Counts = field(default_factory=Counts)
    _responses: int = 0
    _answered: bool = False

    def begin(self) -> None:
        """Begin with the responses to another question."""
        self._now = Counts()
        self._responses = 0
        self.over.append(self._now)

    def pending(self, answer: Answer) -> None:
        """Show one response of those before the last."""
        self._responses += 1
        self._now.update(answer.status, last=False)
        self.show(self._now.done, self._now.done + self._now.remaining)
        name = answer.service.removeprefix("C-").capitalize()
        log.info("Received %s Response %d (Pending): %s", name, self._responses, self._now)

    def end(self, last: Answer) -> Exit:
        """Take the last response; return what scripts shall know of this question."""
        code = ended(last, self.to_be_cancelled)
        if last.status:
            self._answered = last.category is Category.SUCCESS
            self._now.update(last.status, last=True)
        self.failed += failed_instances(last.identifier)
        if code is Exit.DONE and self._now.failed:
            return Exit.FAILED
        return code

    @property
    def any_failed(self) -> bool:
        """Whether any sub-operation failed."""
        return any(each.failed for each in self.over)

    def conclude(self) -> None:
        """Say in one line what became of all; before it, name what failed."""
        for uid in self.failed[:MOST_NAMED]:
            log.error("Failed: instance %s", uid)
        if len(self.failed) > MOST_NAMED:
            log.error("and %d more instances", len(self.failed) - MOST_NAMED)
        completed, warning, failed, remaining = (
            sum(getattr(each, name) for each in self.over)
            for name in ("completed", "warning", "failed", "remaining")
        )
        text = f"{completed + warning} {self.verb}"
        text += f", {warning} of them with a warning" if warning else ""
        text += f", {failed} failed" if failed else ""
        text += f", {remaining} not tried" if remaining else ""
        if not completed + warning + failed + remaining:
            text += ": the peer found nothing that matches" if self._answered else ""
        (conclusion.error if failed or remaining else conclusion.info)("%s", text)


def failed_instances(identifier: Dataset | None) -> list[str]:
    """Return the SOP Instance UIDs of what failed (PS3.4 C.4.3.1.4)."""
    value: Any = identifier.get("FailedSOPInstanceUIDList") if identifier is not None else None
    values = [value] if isinstance(value, str) else value or ()
    return [str(uid) for uid in values if uid]
