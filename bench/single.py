"""A number of queries for one study each, on one association, into queries a second."""

from __future__ import annotations

import sys
import time
from random import Random

from bench.archive import FIND
from bench.ask import KEYS
from bench.objects import study_uid
from dicomwire import AE


def main(port: int, title: str, count: int, studies: int) -> None:
    """Print how many queries a second were answered.

    Parameters
    ----------
    port, title : int, str
        Where the archive listens, and its title.
    count : int
        How many queries to send.
    studies : int
        How many studies it has: each query is for one of them, by its Study Instance UID.
    """
    from pydicom import Dataset

    ae, chance = AE("BENCH"), Random(1)
    ae.add_requested_context(FIND)
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY"
    for keyword in KEYS:
        setattr(keys, keyword, "")
    with ae.associate("127.0.0.1", port, ae_title=title) as association:
        begin = time.perf_counter()
        for _ in range(count):
            keys.StudyInstanceUID = study_uid(chance.randrange(studies))
            found = [each.status for each in association.c_find(keys, FIND)]
            if len(found) != 2:
                raise SystemExit(f"{keys.StudyInstanceUID}: {len(found) - 1} studies")
        print(count / (time.perf_counter() - begin))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
