"""Folders of objects into as many storescu processes at once, and into the seconds they took.

The processes are forked when everything is imported, and let go together: what is measured is the
SCP under a crowd, not how fast interpreters start.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dicomwire.apps import storescu


def main(port: str, folder: str) -> None:
    """Send each folder in `folder`; print the seconds from the first to the last of all."""
    closed, gate = os.pipe()
    children = []
    for each in sorted(Path(folder).iterdir()):
        child = os.fork()
        if not child:
            os.close(gate)
            os.read(closed, 1)  # returns when the parent closes the other end
            os._exit(storescu.main(["-q", "127.0.0.1", port, str(each)]))
        children.append(child)
    begin = time.perf_counter()
    os.close(gate)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    seconds = time.perf_counter() - begin
    if failed := [code for code in codes if code]:
        raise SystemExit(f"{len(failed)} of {len(codes)} senders failed")
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
