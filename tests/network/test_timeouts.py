"""Turns numbers of seconds into the time-outs of an AE, and those into its associations'."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dicomwire import AE, evt
from dicomwire.protocol.errors import IdleTimedOut
from tests.network.ends import LOCAL, Box, call, entity, established, lines, serving


@pytest.mark.parametrize(
    ("name", "default"), [("acse_timeout", 30), ("dimse_timeout", 30), ("network_timeout", 60)]
)
def test_a_time_out_is_a_number_or_none(
    name: str, default: int, caplog: pytest.LogCaptureFixture
) -> None:
    ae = AE()
    for value in (0, 1, 0.5, 1e6, None):
        setattr(ae, name, value)
        assert getattr(ae, name) == value
    assert lines(caplog) == []
    for wrong in (-1, "30", True, [1]):
        setattr(ae, name, wrong)
        assert getattr(ae, name) == default
    assert lines(caplog, logging.WARNING) == [f"{name} set to {default} s"] * 4


def test_time_outs_of_the_ae_are_those_of_its_associations() -> None:
    ae = entity()
    ae.acse_timeout, ae.dimse_timeout, ae.network_timeout, ae.connection_timeout = 1, 2, 3, 4
    with established(scu=ae) as (assoc, _):
        assert (assoc.acse_timeout, assoc.dimse_timeout) == (1, 2)
        assert (assoc.network_timeout, assoc.connection_timeout) == (3, 4)
        ae.acse_timeout, ae.dimse_timeout, ae.network_timeout = 11, 12, 13
        assert (assoc.acse_timeout, assoc.dimse_timeout, assoc.network_timeout) == (11, 12, 13)
        assoc.dimse_timeout = 5
        assert ae.dimse_timeout == 12


def test_a_connection_time_out_is_more_than_nothing_or_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ae = AE()
    for value, kept in ((5, 5), (0.1, 0.1), (0, None), (-1, None), ("1", None), (None, None)):
        ae.connection_timeout = value  # type: ignore[assignment]
        assert ae.connection_timeout == kept
    assert lines(caplog, logging.WARNING) == ["connection_timeout set to None"] * 3


def test_a_time_out_of_the_network_counts_from_when_it_is_set() -> None:
    box = Box()
    with established(evt_handlers=[(evt.EVT_ABORTED, box.put)]) as (assoc, _):
        assoc.network_timeout = 0.01
        box.wait()
        assert assoc.ended is not None
        assert isinstance(assoc.ended.__cause__, IdleTimedOut)


def test_an_association_may_have_time_outs_of_its_own() -> None:
    given = {"acse_timeout": 5, "dimse_timeout": None, "network_timeout": 7.5}
    with serving() as server:
        assoc = call(server, **given, connection_timeout=3)
        other = call(server)
        assert assoc.is_established
        assert {name: getattr(assoc, name) for name in given} == given
        assert (assoc.connection_timeout, other.connection_timeout) == (3, None)
        assert (other.acse_timeout, other.dimse_timeout, other.network_timeout) == (30, 30, 60)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"time_out": 3}, TypeError),
        ({"acse_timeout": "3"}, TypeError),
        ({"dimse_timeout": -1}, ValueError),
        ({"network_timeout": float("nan")}, ValueError),
    ],
)
def test_time_outs_that_cannot_be(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(given))):
        entity().associate(LOCAL, 104, **given)
