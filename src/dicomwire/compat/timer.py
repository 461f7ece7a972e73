"""Seconds into whether they have passed."""

from __future__ import annotations

from time import monotonic


class Timer:
    """A stop watch that counts down.

    Parameters
    ----------
    timeout : float or None
        Seconds until it expires; None never does.
    """

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self._started: float | None = None
        self._stopped: float | None = None

    def start(self) -> None:
        """Begin to count, from the whole time."""
        self._started, self._stopped = monotonic(), None

    restart = start

    def stop(self) -> None:
        """Stop counting; what remains stays as it is."""
        self._stopped = monotonic()

    @property
    def remaining(self) -> float:
        """Seconds left, negative when it has expired; 1 when there is no time-out."""
        if self.timeout is None:
            return 1
        if self._started is None:
            return self.timeout
        now = monotonic() if self._stopped is None else self._stopped
        return self.timeout - (now - self._started)

    @property
    def expired(self) -> bool:
        """Whether the time has passed."""
        return self.remaining < 0
