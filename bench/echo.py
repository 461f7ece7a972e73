"""A number of C-ECHO requests on one open association into requests a second."""

from __future__ import annotations

import sys
import time

from dicomwire import AE

VERIFICATION = "1.2.840.10008.1.1"


def main(port: int, count: int) -> None:
    """Print how many requests a second were answered."""
    ae = AE("BENCH")
    ae.add_requested_context(VERIFICATION)
    with ae.associate("127.0.0.1", port) as association:
        begin = time.perf_counter()
        for _ in range(count):
            if association.send_c_echo().Status != 0x0000:
                raise SystemExit("an echo failed")
        print(count / (time.perf_counter() - begin))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
