"""Folders of objects into as many processes that send them at once, and into the seconds they took.

The processes are forked when everything is imported, and let go together when all have looked
through their files: what is measured is the SCP under a crowd, not how fast interpreters start.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.sides import HOST, check, entity, files, supported
from dicomwire.dataset.part10 import read_header


def prepared(port: int, folder: Path) -> Callable[[], None]:
    """Look through a folder; return what sends its objects over one association."""
    headers, ae, contexts = [*map(read_header, files(folder))], entity(), supported()[:1]

    def send() -> None:
        with ae.associate(HOST, port, contexts) as association:
            for _, outcome in association.c_stores(headers):
                check(outcome)

    return send


def child(port: int, folder: Path, ready: int, gate: int) -> None:
    """Get ready, say so, and send when the other end of the gate is closed."""
    try:
        send = prepared(port, folder)
    finally:
        os.write(ready, b"r")  # also who failed: nobody is waited for in vain
    os.read(gate, 1)
    send()


def main(port: str, folder: str) -> None:
    """Send each folder in `folder`; print the seconds from the first to the last of all."""
    told, ready = os.pipe()
    closed, gate = os.pipe()
    children = []
    gc.freeze()  # a child that looked for garbage there would copy all of it
    for hand in sorted(Path(folder).iterdir()):
        process = os.fork()
        if not process:
            os.close(gate)
            child(int(port), hand, ready, closed)  # what it raises ends this process with 1
            os._exit(0)
        children.append(process)
    for _ in children:
        os.read(told, 1)
    begin = time.perf_counter()
    os.close(gate)
    codes = [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children]
    seconds = time.perf_counter() - begin
    if failed := [code for code in codes if code]:
        raise SystemExit(f"{len(failed)} of {len(codes)} senders failed")
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
