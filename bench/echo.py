"""A number of C-ECHO requests into the seconds that they took, by dicomwire or by pynetdicom.

All on one association, or each on one of its own.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any

VERIFICATION = "1.2.840.10008.1.1"


def main(library: str, how: str, port: str, count: str) -> None:
    """Print how many seconds it took.

    Parameters
    ----------
    library : str
        dicomwire or pynetdicom.
    how : str
        open: on one association, which is not counted; each: associate, echo and release.
    port, count : str
        Where the SCP listens, and how many requests there are.
    """
    lib: Any = import_module(library)
    ae = lib.AE("BENCH")
    ae.add_requested_context(VERIFICATION)
    associations = 1 if how == "open" else int(count)
    begin = time.perf_counter()
    for _ in range(associations):
        association = ae.associate("127.0.0.1", int(port))
        if not association.is_established:
            raise SystemExit("no association")
        if how == "open":
            begin = time.perf_counter()
        for _ in range(int(count) // associations):
            if getattr(association.send_c_echo(), "Status", None) != 0x0000:
                raise SystemExit("an echo was not answered")
        if how == "open":
            print(time.perf_counter() - begin)
        association.release()
    if how == "each":
        print(time.perf_counter() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
