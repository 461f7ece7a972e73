"""Runs scripts written for pynetdicom: as they are, with this library in its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def boxes(script: Path) -> list[str]:
    """The rows of docs/compatibility.md that a script proves: what follows "boxes:" at its top."""
    return script.read_text(encoding="utf-8").split('"""')[1].partition("boxes:")[2].split()


SCRIPTS = [
    pytest.param(path, id=path.stem, marks=pytest.mark.box(*boxes(path)))
    for path in sorted((Path(__file__).parent / "scripts").glob("*.py"))
]
OURS = "import dicomwire; dicomwire.install_as_pynetdicom(); "
RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.socket
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_for_pynetdicom_runs_unchanged(script: Path) -> None:
    done = run(OURS + RUN, str(script))
    assert done.returncode == 0, done.stderr


# Where pynetdicom 3.0.4 waits for ever: an association that is made by hand or killed, and user
# identities without an answer; and some C-MOVE leaves it a thread that keeps the process alive.
ONLY_OURS = {"handmade", "identities", "moving"}


@pytest.mark.peer
@pytest.mark.parametrize("script", [each for each in SCRIPTS if each.id not in ONLY_OURS])
def test_the_script_is_one_that_pynetdicom_itself_runs(script: Path) -> None:
    pytest.importorskip("pynetdicom")
    done = run(RUN, str(script))
    assert done.returncode == 0, done.stderr


def test_it_refuses_when_the_real_one_is_there_already() -> None:
    pytest.importorskip("pynetdicom")
    done = run("import pynetdicom; " + OURS)
    assert "RuntimeError: pynetdicom has been imported already" in done.stderr


def test_installing_twice_is_installing_once() -> None:
    done = run(
        OURS + OURS + "import sys; print(sum(type(f).__name__ == '_Doors' for f in sys.meta_path))"
    )
    assert done.stdout == "1\n", done.stderr


def test_every_door_can_be_imported_and_is_an_attribute() -> None:
    done = run(
        OURS
        + """
import importlib, pynetdicom
from dicomwire.compat import DOORS
for name, ours in DOORS.items():
    module = importlib.import_module("pynetdicom." + name)
    assert module is importlib.import_module(ours), name
    assert getattr(pynetdicom, name) is module, name
import pynetdicom.events, pynetdicom.sop_class as sop
from pynetdicom import evt, sop_class, register_uid
assert evt is pynetdicom.events and sop is sop_class
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.service_class_n import PrintManagementServiceClass
assert pynetdicom.AE is pynetdicom.ae.ApplicationEntity
assert pynetdicom.PYNETDICOM_IMPLEMENTATION_UID.is_valid
assert isinstance(pynetdicom.ALL_TRANSFER_SYNTAXES, list)
"""
    )
    assert done.returncode == 0, done.stderr


NOT_OFFERED = {
    "import pynetdicom.apps": "ModuleNotFoundError: dicomwire has nothing for",
    "from pynetdicom import nothing": "ImportError: cannot import name 'nothing'",
    "import pynetdicom; pynetdicom.nothing": "module 'pynetdicom' has no attribute 'nothing'",
}
TRIED = """
import sys, traceback
for line in sys.argv[1:]:
    try:
        exec(line)
    except Exception:
        print(traceback.format_exc().splitlines()[-1])
"""


def test_what_is_not_offered_is_an_error_that_says_so() -> None:
    done = run(OURS + TRIED, *NOT_OFFERED)
    said = done.stdout.splitlines()
    assert len(said) == len(NOT_OFFERED), done.stderr
    for line, error in zip(said, NOT_OFFERED.values(), strict=True):
        assert error in line


def test_a_star_import_brings_the_public_names() -> None:
    done = run(
        OURS + "from pynetdicom import *; AE, evt, build_role, QueryRetrievePresentationContexts"
    )
    assert done.returncode == 0, done.stderr


def test_without_it_the_import_of_pynetdicom_is_not_touched() -> None:
    done = run(
        "import dicomwire, sys; from dicomwire import AE; print('pynetdicom' in sys.modules)"
    )
    assert done.stdout == "False\n", done.stderr


def test_the_loggers_of_both_names_hear_and_decide() -> None:
    done = run(
        OURS
        + """
import logging
heard = []
class Keep(logging.Handler):
    def __init__(self, name): super().__init__(); self.own = name
    def emit(self, record): heard.append((self.own, record.getMessage()))
names = ["dicomwire", "pynetdicom", "pynetdicom.ae"]
for name in names:
    logging.getLogger(name).addHandler(Keep(name))
ours = logging.getLogger("dicomwire.ae")
ours.debug("low")
assert heard == []
logging.getLogger("pynetdicom").setLevel(logging.DEBUG)
ours.debug("high")
assert sorted(heard) == [(name, "high") for name in names], heard
heard.clear()
logging.getLogger("pynetdicom.ae").setLevel(logging.ERROR)
ours.warning("not this one")
assert heard == [], heard
"""
    )
    assert done.returncode == 0, done.stderr


def test_debug_logger_writes_each_line_once_however_often_it_is_called() -> None:
    done = run(
        OURS
        + """
import logging
from pynetdicom import debug_logger
debug_logger(); debug_logger()
logging.getLogger("dicomwire.association").debug("a line")
"""
    )
    assert done.stderr == "D: a line\n"
