"""An AE with pynetdicom's defaults."""

from __future__ import annotations

from dicomwire.compat.ae import AE, ApplicationEntity
from dicomwire.network.ae import ApplicationEntity as Ours


def test_the_defaults_are_pynetdicoms() -> None:
    ae = AE()
    assert (ae.ae_title, ae.maximum_associations) == ("PYNETDICOM", 10)
    assert (ae.acse_timeout, ae.dimse_timeout, ae.network_timeout) == (30, 30, 60)
    assert ae.maximum_pdu_size == 16382


def test_it_is_an_ae_of_ours_under_both_names() -> None:
    assert AE is ApplicationEntity
    assert isinstance(AE("X"), Ours)
