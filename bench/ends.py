"""One end of an association, of either API, into the seconds that its work took.

`python -m bench.ends scp API PORT FOLDER` serves; `scu API PORT WORK COUNT [FOLDER]` prints seconds
as a line of JSON: one figure for all, or those of each C-ECHO.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from dicomwire import AE, Options, aio, evt
from dicomwire.sop_class import CTImageStorage, Verification

CONTEXTS = [Verification, CTImageStorage]
HOST = "127.0.0.1"
MANY, STORING = 2000, 10  # associations that are idle, and that store meanwhile


def entity(folder: Path | None = None) -> AE:
    """An AE that writes what comes into a folder."""
    ae = AE("BENCH", Options(store_directory=folder))
    ae.maximum_associations = MANY + 2 * STORING
    ae.network_timeout = None
    for uid in CONTEXTS:
        ae.add_supported_context(uid)
        ae.add_requested_context(uid)
    return ae


def scp(api: str, port: int, folder: Path) -> None:
    """Serve until the process is ended."""

    def store(event: Any) -> int:
        event.save_as(folder / event.file_name)
        return 0x0000

    handlers, ae = [(evt.EVT_C_STORE, store)], entity(folder)
    if api == "threaded":
        ae.start_server((HOST, port), evt_handlers=handlers)
        return

    async def serve() -> None:
        server = await aio.serve(HOST, port, handlers, ae=ae)
        await server.serve_forever()

    asyncio.run(serve())


def threaded(port: int, work: str, count: int, files: list[Path]) -> float:
    """Do the work with blocking calls; return the seconds."""
    ae = entity()
    begin = time.perf_counter()
    if work == "associate":
        for _ in range(count):
            with ae.associate(HOST, port) as association:
                association.c_echo().check()
        return time.perf_counter() - begin
    with ae.associate(HOST, port) as association:
        begin = time.perf_counter()
        if work == "echo":
            for _ in range(count):
                association.c_echo().check()
        for file in files:
            association.c_store(file).check()
        return time.perf_counter() - begin


async def asynchronous(port: int, work: str, count: int, files: list[Path]) -> float:
    """Do the work in a loop; return the seconds."""
    ae = entity()
    begin = time.perf_counter()
    if work == "associate":
        for _ in range(count):
            async with aio.connect(HOST, port, ae=ae) as association:
                (await association.c_echo()).check()
        return time.perf_counter() - begin
    async with aio.connect(HOST, port, ae=ae) as association:
        begin = time.perf_counter()
        if work == "echo":
            for _ in range(count):
                (await association.c_echo()).check()
        for file in files:
            (await association.c_store(file)).check()
        return time.perf_counter() - begin


async def among_many(port: int, count: int, file: Path) -> list[float]:
    """Ask for signs of life on some of 2,000 idle associations while ten store; seconds of each."""
    ae, over = entity(), asyncio.Event()
    idle: list[aio.Association] = []
    for _ in range(MANY // 50):
        idle += await asyncio.gather(*(aio.connect(HOST, port, ae=ae) for _ in range(50)))

    async def store() -> None:
        async with aio.connect(HOST, port, ae=ae) as association:
            while not over.is_set():
                (await association.c_store(file)).check()

    storing = [asyncio.create_task(store()) for _ in range(STORING)]
    await asyncio.sleep(0.5)
    seconds = []
    for number in range(count):
        begin = time.perf_counter()
        (await idle[number * 7 % MANY].c_echo()).check()
        seconds.append(time.perf_counter() - begin)
    over.set()
    await asyncio.gather(*storing)
    await asyncio.gather(*(each.release() for each in idle))
    return seconds


def scu(api: str, port: int, work: str, count: int, folder: Path | None) -> float | list[float]:
    """Do a piece of work; return the seconds."""
    files = sorted(folder.iterdir())[:count] if folder else []
    if work == "many":
        return asyncio.run(among_many(port, count, files[0]))
    if api == "threaded":
        return threaded(port, work, count, files)
    return asyncio.run(asynchronous(port, work, count, files))


if __name__ == "__main__":
    role, api, port, *rest = sys.argv[1:]
    if role == "scp":
        scp(api, int(port), Path(rest[0]))
    else:
        folder = Path(rest[2]) if rest[2:] else None
        print(json.dumps(scu(api, int(port), rest[0], int(rest[1]), folder)))
