"""Numbers of seconds into the four time-outs that an AE and its associations have in common."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger("dicomwire.ae")

TIMEOUTS = ("acse_timeout", "dimse_timeout", "network_timeout", "connection_timeout")
DEFAULTS = {"acse_timeout": 30, "dimse_timeout": 30, "network_timeout": 60}


class TimeOuts:
    """Four time-outs, each a number of seconds; None waits for ever. May be set at any time."""

    _acse_timeout: float | None = 30
    _dimse_timeout: float | None = 30
    _network_timeout: float | None = 60
    _connection_timeout: float | None = None

    @property
    def acse_timeout(self) -> float | None:
        """Seconds for a whole negotiation or release; None waits for ever."""
        return self._acse_timeout

    @acse_timeout.setter
    def acse_timeout(self, value: float | None) -> None:
        self._set_timeout("acse_timeout", value)

    @property
    def dimse_timeout(self) -> float | None:
        """Seconds for the response to a request; None waits for ever."""
        return self._dimse_timeout

    @dimse_timeout.setter
    def dimse_timeout(self, value: float | None) -> None:
        self._set_timeout("dimse_timeout", value)

    @property
    def network_timeout(self) -> float | None:
        """Seconds of silence after which an association is given up; None waits for ever."""
        return self._network_timeout

    @network_timeout.setter
    def network_timeout(self, value: float | None) -> None:
        self._set_timeout("network_timeout", value)

    @property
    def connection_timeout(self) -> float | None:
        """Seconds for the TCP connection to a peer; None leaves it to the system."""
        return self._connection_timeout

    @connection_timeout.setter
    def connection_timeout(self, value: float | None) -> None:
        self._set_timeout("connection_timeout", value)

    def _set_timeout(self, name: str, value: float | None) -> None:
        """Set one of the four."""
        setattr(self, f"_{name}", value)

    def _timeouts_of(self, other: TimeOuts) -> None:
        """Begin with the time-outs of another."""
        self._acse_timeout = other.acse_timeout
        self._dimse_timeout = other.dimse_timeout
        self._network_timeout = other.network_timeout
        self._connection_timeout = other.connection_timeout


def kept(name: str, value: Any) -> float | None:
    """Return what a time-out of an AE becomes: what cannot be one gives the default, and a warning.

    Parameters
    ----------
    name : str
        Which.
    value : float or None
        What it is set to.
    """
    if value is None:
        return None
    if name == "connection_timeout":
        if isinstance(value, int | float) and value > 0:
            return value
        logger.warning("connection_timeout set to None")
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return value
    logger.warning("%s set to %g s", name, DEFAULTS[name])
    return DEFAULTS[name]


def checked(timeouts: dict[str, float | None], function: str) -> dict[str, float | None]:
    """Return time-outs as a caller gave them.

    Parameters
    ----------
    timeouts : dict
        Seconds or None by name.
    function : str
        What was called, for the message.

    Raises
    ------
    TypeError, ValueError
        When there is no such time-out, or it cannot be.
    """
    for name, seconds in timeouts.items():
        if name not in TIMEOUTS:
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
        if seconds is not None and not isinstance(seconds, int | float):
            raise TypeError(f"'{name}' is a number of seconds or None, not {seconds!r}")
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"'{name}' cannot be {seconds!r} seconds")
    return timeouts
