"""Thousands of idle associations and ten that store into how soon any of them answers.

`scp PORT FOLDER` serves in one process; `scu PORT COUNT FILE` holds the associations in another,
asks for signs of life on COUNT of them, and prints the milliseconds of the slowest.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from functools import partial
from pathlib import Path

from bench.objects import make_objects
from bench.peers import Peer, printed, python, scp_of
from bench.report import OURS, Bar, Row
from bench.sides import HOST, keep, supported
from bench.turns import Found, Turn, in_turn
from dicomwire import AE, Options, aio, evt

MANY, STORING = 2000, 10  # associations that are idle, and that store meanwhile
ECHOES = 300
PROMPT = 50  # milliseconds within which any of them is answered
AT_ONCE = 50  # associations that are asked for


def among(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Measure the slowest of some C-ECHOs among many associations of one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(MANY + 200, hard), hard))
    count = ECHOES // 10 if quick else ECHOES
    data = make_objects(scratch / "data", 1, 1 << 19)
    work = partial(_slowest, scratch / "out", next(data.iterdir()), count)
    found: Found[float] = in_turn(runs, [Turn(OURS, work)])
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    name = f"asyncio: slowest C-ECHO among {MANY:,} associations while {STORING} store"
    return [Row(name, "ms", found.figures, (Bar(PROMPT),), found.notes)]


def _slowest(out: Path, file: Path, count: int) -> float:
    program = partial(python, "bench.among")
    peer = Peer("asyncio", partial(program, "scp"), partial(program, "scu"))
    with scp_of(peer, out) as server:
        return float(printed(program("scu", server.port, count, file)))


def entity(folder: Path | None = None) -> AE:
    """Return who asks, or who stores into a folder."""
    ae = AE("BENCH", options=Options(store_directory=folder))
    ae.maximum_associations = MANY + 2 * STORING
    ae.network_timeout = None
    return ae


async def serve(port: int, folder: Path) -> None:
    """Store until the process is ended."""
    handlers = [(evt.EVT_C_STORE, keep, [folder])]
    server = await aio.serve(HOST, port, handlers, supported(), ae=entity(folder))
    await server.serve_forever()


async def ask(port: int, count: int, file: Path) -> float:
    """Return the milliseconds of the slowest C-ECHO."""
    connect = partial(aio.connect, HOST, port, supported(), ae=entity())
    idle: list[aio.Association] = []
    for _ in range(MANY // AT_ONCE):
        idle += await asyncio.gather(*(connect() for _ in range(AT_ONCE)))
    over, at_it = asyncio.Event(), asyncio.Barrier(STORING + 1)

    async def store() -> None:
        async with connect() as association:
            (await association.c_store(file)).check()
            await at_it.wait()
            while not over.is_set():
                (await association.c_store(file)).check()

    storing = [asyncio.create_task(store()) for _ in range(STORING)]
    await at_it.wait()
    slowest = 0.0
    for number in range(count):
        begin = time.perf_counter()
        (await idle[number * 7 % MANY].c_echo()).check()
        slowest = max(slowest, time.perf_counter() - begin)
    over.set()
    await asyncio.gather(*storing)
    await asyncio.gather(*(each.release() for each in idle))
    return slowest * 1e3


if __name__ == "__main__":
    role, where, *rest = sys.argv[1:]
    if role == "scp":
        asyncio.run(serve(int(where), Path(rest[0])))
    else:
        print(asyncio.run(ask(int(where), int(rest[0]), Path(rest[1]))))
