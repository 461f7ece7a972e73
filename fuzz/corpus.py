"""Files of the repository into the inputs of a target, and what a run has found into such files.

`seeds` holds what was recorded or written down, under names that say what it is; `regressions` what
showed a fault once; `corpus` the fewest of the inputs found by fuzzing that reach all they reached.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from fuzz.changing import nodes
from fuzz.targets import BY_NAME, Target

ROOM = Path(__file__).parent
SEEDS, REGRESSIONS, CORPUS = ROOM / "seeds", ROOM / "regressions", ROOM / "corpus"
WORK = ROOM.parent / ".fuzz"
"""Where runs keep what they find; not in the repository."""

_SOURCE = str(ROOM.parent / "src" / "dicomwire")
_WHEN = (2026, 1, 1, 0, 0, 0)  # the same for all, so that the same inputs give the same archive


def kept(target: Target) -> dict[str, bytes]:
    """Return the inputs of the repository by name."""
    found: dict[str, bytes] = {}
    for folder in (SEEDS, REGRESSIONS):
        found |= _files(folder / target.name)
    found |= _parts(target)
    archive = CORPUS / f"{target.name}.zip"
    if archive.exists():
        with zipfile.ZipFile(archive) as file:
            found |= {f"corpus/{target.name}/{name}": file.read(name) for name in file.namelist()}
    return found


def _files(folder: Path) -> dict[str, bytes]:
    return {
        f"{folder.parent.name}/{folder.name}/{path.name}": path.read_bytes()
        for path in sorted(folder.glob("*"))
    }


def _parts(target: Target) -> dict[str, bytes]:
    """Return what is an input of one target within the recorded inputs of others."""
    found = {}
    for whole in ("acceptor", "requestor"):
        head = BY_NAME[whole].head
        for name, data in _files(SEEDS / whole).items():
            stream = data[head:]
            if target.name in ("pdus", "reader"):
                found[f"{name}: {target.name}"] = b"\xff" * target.head + stream
            elif target.name == "commands":
                for number, command in enumerate(_command_sets(stream)):
                    found[f"{name}: command {number}"] = command
    return found


def _command_sets(stream: bytes) -> Iterator[bytes]:
    for pdu in nodes("pdu", stream):
        if pdu[0] == 4:  # PS3.8 9.3.5
            for value in nodes("value", pdu[6:]):
                if value[5] & 1:
                    yield value[6:]


def working_folder(target: Target) -> Path:
    """Return the folder of a target's inputs, all of the repository's among them."""
    folder = WORK / target.name
    folder.mkdir(parents=True, exist_ok=True)
    for data in kept(target).values():
        folder.joinpath(hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
    return folder


def keep(target: Target) -> int:
    """Put the fewest of the working folder's inputs into the repository; return how many."""
    known = kept(target)
    seeds = [data for name, data in known.items() if not name.startswith("corpus/")]
    inputs = sorted((path.read_bytes() for path in working_folder(target).iterdir()), key=len)
    chosen = sorted(fewest(target, seeds, inputs))
    CORPUS.mkdir(exist_ok=True)
    with zipfile.ZipFile(CORPUS / f"{target.name}.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for number, data in enumerate(chosen):
            file.writestr(zipfile.ZipInfo(f"{number:04}", _WHEN), data, zipfile.ZIP_DEFLATED)
    return len(chosen)


def fewest(target: Target, known: Iterable[bytes], inputs: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the inputs that go somewhere where neither known ones nor those before went."""
    seen: set[Any] = set()
    for data in known:
        seen |= steps_of(target, data)
    for data in inputs:
        new = steps_of(target, data) - seen
        if new:
            seen |= new
            yield data


def steps_of(target: Target, data: bytes) -> set[tuple[CodeType, int, int]]:
    """Return from which line to which the library goes with an input."""
    found: set[tuple[CodeType, int, int]] = set()

    def entered(frame: FrameType, event: str, argument: Any) -> Any:
        code, before = frame.f_code, -1
        if not code.co_filename.startswith(_SOURCE):
            return None

        def moved(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal before
            now = -frame.f_lineno if event == "return" else frame.f_lineno
            found.add((code, before, now))
            before = now
            return moved

        return moved

    tracing = sys.gettrace()
    sys.settrace(entered)
    try:
        target.run(data)
    finally:
        sys.settrace(tracing)
    return found
