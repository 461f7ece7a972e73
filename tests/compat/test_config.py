"""Settings of `_config` into the options of an AE, at the time they are needed."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

import pytest

import dicomwire
from dicomwire import Options, build_context
from dicomwire.compat import _config
from dicomwire.compat.ae import AE
from dicomwire.network.presentation import from_proposed
from dicomwire.protocol.pdus import ProposedContext


def test_by_default_the_options_are_the_defaults() -> None:
    assert _config.options() == Options()
    assert AE().options == Options(counts_bind=False)


@pytest.mark.parametrize(
    ("name", "value", "option", "meaning"),
    [
        ("UNRESTRICTED_STORAGE_SERVICE", True, "accept_any_storage", True),
        ("STORE_RECV_CHUNKED_DATASET", True, "store_directory", Path(gettempdir())),
        ("LOG_REQUEST_IDENTIFIERS", False, "log_request_identifiers", False),
        ("LOG_RESPONSE_IDENTIFIERS", False, "log_response_identifiers", False),
        ("USE_SHORT_DIMSE_AET", False, "pad_titles", True),
        ("LOG_HANDLER_LEVEL", "none", "log_messages", False),
    ],
)
def test_a_setting_counts_from_when_it_is_made(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, option: str, meaning: object
) -> None:
    ae = AE()
    monkeypatch.setattr(_config, name, value)
    assert getattr(ae.options, option) == meaning


def test_options_that_are_given_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "UNRESTRICTED_STORAGE_SERVICE", True)
    ae = AE(options=Options())
    assert not ae.options.accept_any_storage
    ae.options = Options(linger=1.0)
    assert ae.options.linger == 1.0


@pytest.mark.parametrize(
    ("vr", "value", "passes"),
    [
        ("AE", "PACS", True),
        ("AE", "", True),
        ("AE", "P" * 17, False),
        ("AE", "\\", False),
        ("AE", "é", False),
        ("UI", "1.02", True),
        ("UI", "1" * 65, False),
    ],
)
def test_the_validators_say_whether_and_why(vr: str, value: str, passes: bool) -> None:
    found, reason = _config.VALIDATORS[vr](value)
    assert found == passes
    assert bool(reason) != passes


def test_every_ae_without_options_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    ae = dicomwire.AE()
    monkeypatch.setattr(dicomwire._config, "UNRESTRICTED_STORAGE_SERVICE", True)
    assert ae.options.accept_any_storage
    assert not dicomwire.AE(options=Options()).options.accept_any_storage


def test_conformance_of_uids_can_be_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_context("1.02").abstract_syntax == "1.02"
    monkeypatch.setattr(_config, "ENFORCE_UID_CONFORMANCE", True)
    with pytest.raises(ValueError, match="not a valid UID"):
        build_context("1.02")
    assert from_proposed(ProposedContext(1, "1.02", ["1.2"])).abstract_syntax == "1.02"
