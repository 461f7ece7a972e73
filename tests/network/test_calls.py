"""Turns a whole C-STORE, from file to file, into a number of Python calls for each 16 KiB."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dicomwire import build_context, evt
from dicomwire.dataset.part10 import FileHeader, read_header
from dicomwire.network import threads
from dicomwire.network.threads import Threads
from tests.network.ends import CT, EXPLICIT, Box, call, entity, image, saved, serving

SIZE = 16 << 20
SENT, RECEIVED = 2, 3  # calls for each PDU of 16 KiB, at most


class Counter:
    """Counts calls of Python functions, by thread, while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.calls: dict[str, int] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if self.on and event == "call":
            name = threading.current_thread().name.partition("@")[0]
            self.calls[name] = self.calls.get(name, 0) + 1


def counted(header: FileHeader, target: Path, maximum: int, **options: Any) -> dict[str, int]:
    """Send a file to the target; return the calls that each thread took, but for the handler's."""
    counter, box = Counter(), Box()

    def on_store(event: Any) -> int:
        counter.on = False
        if options:
            event.dataset_path.replace(target)
        else:
            target.write_bytes(event.encoded_dataset())
        counter.on = True
        return box.put(True)

    scp = entity("SCP", CT, **options)
    scp.supported_contexts = [build_context(CT, EXPLICIT)]  # the file's: nothing is converted
    scp.maximum_pdu_size = maximum
    threading.setprofile(counter)
    try:
        with serving(scp, (evt.EVT_C_STORE, on_store)) as server, call(server) as assoc:
            sys.setprofile(counter)
            counter.on = True
            status = assoc.send_c_store(header)
            counter.on = False
            sys.setprofile(None)
            assert status.Status == 0
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return counter.calls


@pytest.mark.parametrize("to", ["file", "memory"])
@pytest.mark.parametrize("maximum", [16382, 131072])
def test_the_calls_a_pdu_takes_stay_within_the_budget(
    tmp_path: Path, to: str, maximum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = read_header(saved(tmp_path / "source.dcm", image(size=SIZE)))
    target, inbox = tmp_path / "target.dcm", tmp_path / "inbox"
    inbox.mkdir()
    options = {"store_directory": inbox} if to == "file" else {}
    found = []
    for _ in range(3):  # how much a read brings depends on the system: the best one counts
        monkeypatch.setattr(threads, "_threads", Threads())  # who is there already is not counted
        calls = counted(header, target, maximum, **options)
        assert target.read_bytes().endswith(header.path.read_bytes()[header.offset :])
        pdus = header.length / 16370
        found.append((calls["MainThread"] / pdus, calls["AcceptorThread"] / pdus))
        if found[-1][0] <= SENT and found[-1][1] <= RECEIVED:
            return
    pytest.fail(f"calls for each PDU, sent and received: {found}")
