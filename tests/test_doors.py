"""Turns `from dicomwire import ...` into what users expect behind each name."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

import dicomwire
from dicomwire import events, presentation
from dicomwire.standard.context_lists import CONTEXT_LISTS

NAMES = """AE Association evt build_context build_role debug_logger register_uid Options
    ALL_TRANSFER_SYNTAXES DEFAULT_TRANSFER_SYNTAXES __version__ __dicom_version__
    PYNETDICOM_UID_PREFIX PYNETDICOM_IMPLEMENTATION_UID PYNETDICOM_IMPLEMENTATION_VERSION""".split()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(dicomwire, name) is getattr(dicomwire, name)
    assert name in dir(dicomwire)


def test_what_is_public_can_be_imported() -> None:
    for name in dicomwire.__all__:
        assert getattr(dicomwire, name) is not None
    with pytest.raises(AttributeError, match="module 'dicomwire' has no attribute 'nothing'"):
        _ = dicomwire.nothing


@pytest.mark.parametrize("name", sorted(CONTEXT_LISTS))
def test_every_ready_made_list_of_contexts_is_there(name: str) -> None:
    contexts = getattr(presentation, name)
    assert contexts is getattr(presentation, name) is getattr(dicomwire, name)
    assert [c.abstract_syntax for c in contexts] == list(CONTEXT_LISTS[name])
    assert all(len(c.transfer_syntax) == 4 for c in contexts)
    assert name in dir(presentation)


def test_a_list_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchPresentationContexts"):
        _ = dicomwire.NoSuchPresentationContexts
    with pytest.raises(AttributeError, match="nothing"):
        _ = presentation.nothing


def test_the_implementation_is_ours() -> None:
    uid = dicomwire.PYNETDICOM_IMPLEMENTATION_UID
    assert str(uid).startswith(dicomwire.PYNETDICOM_UID_PREFIX)
    assert len(uid) <= 64
    assert 1 <= len(dicomwire.PYNETDICOM_IMPLEMENTATION_VERSION) <= 16
    assert dicomwire.__version__
    assert dicomwire.__dicom_version__


@pytest.mark.parametrize("name", ["ALL_TRANSFER_SYNTAXES", "DEFAULT_TRANSFER_SYNTAXES"])
def test_transfer_syntaxes_are_lists_that_can_be_added_to(name: str) -> None:
    assert isinstance(getattr(dicomwire, name), list)


def test_evt_is_the_module_of_events() -> None:
    assert dicomwire.evt is events
    assert events.EVT_C_STORE.name == "EVT_C_STORE"
    assert events.trigger
    assert events.Event


def test_a_library_is_silent_until_asked() -> None:
    handlers = logging.getLogger("dicomwire").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


def test_an_import_loads_nothing_that_is_not_asked_for() -> None:
    code = (
        "import sys, dicomwire; "
        "print([m for m in ('pydicom', 'ssl', 'socket') if m in sys.modules]);"
        "print(sorted(m for m in sys.modules if m.startswith('dicomwire.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[]",
        "['dicomwire._version', 'dicomwire.network', 'dicomwire.network.views']",
    ]


def test_modules_that_programs_import_by_name_are_there() -> None:
    from dicomwire import _config, compat, dsutils, utils

    assert sys.modules["dicomwire._config"] is _config is compat._config is dicomwire._config
    assert dsutils.pretty_dataset is compat.dsutils.pretty_dataset
    assert utils.decode_bytes is compat.utils.decode_bytes
