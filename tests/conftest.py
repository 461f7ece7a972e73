"""Turns a test's folder into its markers, and a missing peer into a failure or a closing line."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.examples import examples
from tools.collected import are_all, collect

TESTS = Path(__file__).parent
SOCKET_ROOMS = {"network", "apps", "docs", "faults"}
LEFT_OUT = "left out, needs "  # begins the reason of a skip that the closing line counts
# Debian's package of each program, for the message that says what to install.
PACKAGES = {
    "dcmtk": {
        *(
            "dcmdump",
            "dump2dcm",
            "dcmconv",
            "dcmqrscp",
            "dcmqridx",
            "wlmscpfs",
            "echoscu",
            "findscu",
        ),
        *("getscu", "movescu", "storescu", "storescp", "termscu", "dcmrecv", "dcmsend"),
        *("dcmprscp", "dcmprscu"),
    },
    "orthanc": {"Orthanc"},
    "strace": {"strace"},
    "e2fsprogs": {"mkfs.ext4"},
    "mount": {"mount"},
    "iproute2": {"ip"},
    "faketime": {"faketime"},
}

COLLECTED = pytest.StashKey[list[pytest.Item]]()

# A script's background job is started deaf to Ctrl-C, and so would be what the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Enough examples to find faults, few enough to stay fast.
settings.register_profile("dicomwire", examples(60), print_blob=True)
settings.load_profile("dicomwire")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by the folder it lives in, so that no test has to say it."""
    config.stash[COLLECTED] = list(items)  # before those that are not wanted go
    for item in items:
        if not item.path.is_relative_to(TESTS):
            continue
        room = item.path.relative_to(TESTS).parts[0]
        if room == "peers":
            item.add_marker(pytest.mark.peer)
        if room in SOCKET_ROOMS and not item.get_closest_marker("no_socket"):
            item.add_marker(pytest.mark.socket)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave thousands of tests out of each search for garbage: they stay to the end."""
    gc.freeze()


@pytest.fixture(scope="session")
def every_item(pytestconfig: pytest.Config) -> list[pytest.Item]:
    """All tests there are, run or not: collected anew when this run was given a part of them."""
    items = pytestconfig.stash[COLLECTED]
    return items if are_all(items) else collect()


def find_program(name: str) -> str | None:
    """The path of the program `name`, or None.

    Never one of this environment's own scripts: pynetdicom puts an echoscu and a storescu of its
    own there. Debian keeps Orthanc in /usr/sbin, which is not on every user's path.
    """
    own = Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin")
    folders = [*os.get_exec_path(), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    return shutil.which(name, path=os.pathsep.join(f for f in folders if Path(f) != own))


def package_of(name: str) -> str:
    """The package that brings the program `name`; its own name when nobody wrote it down."""
    return next((package for package, names in PACKAGES.items() if name in names), name)


def require_program(name: str) -> str:
    """The path of the program `name`; the test fails or is left out when it is not there.

    It fails when DICOMWIRE_REQUIRE_PEERS is 1, as on CI; else the closing line names it.
    """
    path = find_program(name)
    if path is not None:
        return path
    if os.environ.get("DICOMWIRE_REQUIRE_PEERS") == "1":
        pytest.fail(
            f"{name} ({package_of(name)}) is missing, and DICOMWIRE_REQUIRE_PEERS=1", pytrace=False
        )
    pytest.skip(f"{LEFT_OUT}{name}")


@pytest.fixture(scope="session")
def peer_program() -> Callable[[str], str]:
    """`peer_program("storescu")`: the path of a peer program, see `require_program`."""
    return require_program


def closing_line(reasons: Iterable[str]) -> str:
    """Which programs were missing and how many tests that left out; empty when none were."""
    missing = Counter(reason.partition(LEFT_OUT)[2] for reason in reasons if LEFT_OUT in reason)
    tests, names = Counter[str](), dict[str, list[str]]()
    for name, count in sorted(missing.items()):
        tests[package_of(name)] += count
        names.setdefault(package_of(name), []).append(name)
    parts = [
        f"{count} test{'s' if count > 1 else ''} that need{'' if count > 1 else 's'} {package}"
        f" ({', '.join(names[package])})"
        for package, count in sorted(tests.items())
    ]
    return "left out: " + "; ".join(parts) if parts else ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End a run that left peers out with the line that says so."""
    skipped = terminalreporter.stats.get("skipped", [])
    line = closing_line(
        report.longrepr[2] for report in skipped if isinstance(report.longrepr, (tuple, list))
    )
    if line:
        terminalreporter.write_line(line, yellow=True, bold=True)
