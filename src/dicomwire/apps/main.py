"""`dicomwire <tool> ...` into a run of that tool; imports no other."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType

from dicomwire._version import __dicom_version__, __version__
from dicomwire.apps.exits import Exit
from dicomwire.apps.running import reader_may_leave

TOOLS = {
    "echoscu": "ask a peer for a sign of life (C-ECHO)",
    "echoscp": "answer those who ask",
    "storescu": "send DICOM files and folders (C-STORE)",
    "storescp": "receive DICOM objects into a folder",
    "findscu": "search at a peer: patients, studies, worklists (C-FIND)",
    "getscu": "fetch objects over the same association (C-GET)",
    "movescu": "have a peer send objects to somebody (C-MOVE)",
    "qrscp": "keep objects in an archive, which stores, finds and sends them",
    "stgcmtscu": "ask a peer to keep objects for good (storage commitment)",
    "mppsscu": "tell a peer of a procedure step that is performed (MPPS)",
    "wlmscp": "answer queries for a worklist from a folder of files",
    "dump": "show DICOM files as text",
    "make": "make a DICOM file of text",
    "tls": "make a test certificate authority, and certificates for two ends",
    "doctor": "find out why a peer cannot be used, and what to do",
    "completion": "print a script that completes options in bash, zsh or fish",
    "demo": "store, find, get and move pydicom's sample files, and compare them",
}
_HELP = ("-h", "--help", "--help-all", "help")


def overview() -> str:
    """Return the list of tools."""
    width = max(map(len, TOOLS)) + 2
    lines = [f"  {name:<{width}}{what}" for name, what in TOOLS.items()]
    return "\n".join(
        [
            f"dicomwire {__version__}: DICOM networking (DICOM {__dicom_version__})",
            "",
            *lines,
            "",
            "dicomwire <tool> --help says how to use it",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool that the first argument names.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; None takes those of the process.

    Returns
    -------
    int
        The exit code, see `Exit`.
    """
    code = int(Exit.DONE)
    find = import_module if argv is not None else _import_to_keep
    try:
        with reader_may_leave():
            code = _run([*(sys.argv[1:] if argv is None else argv)] or ["--help"], find)
    except KeyboardInterrupt:  # while a tool was imported
        return Exit.INTERRUPTED
    return code


def _import_to_keep(name: str) -> ModuleType:
    """Import a module into a process that is ours alone.

    What an import makes stays to the end: to look for garbage in it, while it is made and once
    more when the process ends, takes a seventh of the time of an echo.
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _run(argv: Sequence[str], find: Callable[[str], ModuleType]) -> int:
    name, *rest = argv
    if name in _HELP:
        print(overview())
        return Exit.DONE
    if name == "--version":
        print(f"dicomwire {__version__}")
        return Exit.DONE
    if name not in TOOLS:
        print(f"E: there is no tool {name!r}, but {', '.join(TOOLS)}", file=sys.stderr)
        return Exit.WRONG_USE
    code: int = find(f"dicomwire.apps.{name}").main(rest)
    return code
