"""The blocking and the asyncio API, each as an SCP and as an SCU: one program, for both the same.

`scp` stores what comes into files; `scu`, `open` and `each` send a folder, or C-ECHO requests on
one association or each on its own, and print the seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from bench.echo import VERIFICATION
from bench.objects import CT, EXPLICIT
from dicomwire import AE, Options, build_context, evt

UNDER_WAY = 16  # objects on the association at once
HOST = "127.0.0.1"


def entity(folder: Path | None = None) -> AE:
    """Return who asks, or who stores into a folder."""
    window = (UNDER_WAY, UNDER_WAY)
    return AE("BENCH", options=Options(store_directory=folder, asynchronous_operations=window))


def keep(event: Any, folder: Path) -> int:
    """Give an object that has arrived its name."""
    event.save_as(folder / f"CT.{event.request.AffectedSOPInstanceUID}")
    return 0x0000


def supported() -> list[Any]:
    """Return the contexts of an SCP."""
    return [build_context(CT, EXPLICIT), build_context(VERIFICATION)]


def check(outcome: Any) -> None:
    """End the process when a request was not answered with success."""
    if getattr(outcome, "status", None) != 0x0000:
        raise SystemExit(f"not stored: {outcome}")


def files(folder: Path) -> list[str]:
    """Return the paths of a folder's files."""
    return sorted(map(str, folder.iterdir()))


class Threads:
    """The blocking API."""

    def scp(self, port: int, folder: Path) -> None:
        """Store until the process is ended."""
        entity(folder).start_server(
            (HOST, port), evt_handlers=[(evt.EVT_C_STORE, keep, [folder])], contexts=supported()
        )

    def scu(self, port: int, folder: Path) -> float:
        """Send the files of a folder."""
        paths = files(folder)
        begin = time.perf_counter()
        with entity().associate(HOST, port, supported()[:1]) as association:
            for _, outcome in association.c_stores(paths):
                check(outcome)
        return time.perf_counter() - begin

    def open(self, port: int, count: int) -> float:
        """Echo on one association."""
        with entity().associate(HOST, port, supported()[1:]) as association:
            begin = time.perf_counter()
            for _ in range(count):
                association.c_echo()
            return time.perf_counter() - begin

    def each(self, port: int, count: int) -> float:
        """Echo, each on an association of its own."""
        ae, contexts = entity(), supported()[1:]
        begin = time.perf_counter()
        for _ in range(count):
            with ae.associate(HOST, port, contexts) as association:
                association.c_echo()
        return time.perf_counter() - begin


class Asyncio:
    """The asyncio API."""

    def __init__(self) -> None:
        from dicomwire import aio

        self._aio: Any = aio

    def scp(self, port: int, folder: Path) -> None:
        """Store until the process is ended."""

        async def serve() -> None:
            handlers = [(evt.EVT_C_STORE, keep, [folder])]
            server = await self._aio.serve(HOST, port, handlers, supported(), ae=entity(folder))
            await server.serve_forever()

        asyncio.run(serve())

    def scu(self, port: int, folder: Path) -> float:
        """Send the files of a folder."""
        paths = files(folder)

        async def send() -> None:
            async with self._aio.connect(HOST, port, supported()[:1], ae=entity()) as association:
                async for _, outcome in association.c_stores(paths):
                    check(outcome)

        begin = time.perf_counter()
        asyncio.run(send())
        return time.perf_counter() - begin

    def open(self, port: int, count: int) -> float:
        """Echo on one association."""

        async def echo() -> float:
            async with self._aio.connect(HOST, port, supported()[1:], ae=entity()) as association:
                begin = time.perf_counter()
                for _ in range(count):
                    await association.c_echo()
                return time.perf_counter() - begin

        return asyncio.run(echo())

    def each(self, port: int, count: int) -> float:
        """Echo, each on an association of its own."""

        async def echo() -> float:
            ae, contexts = entity(), supported()[1:]
            begin = time.perf_counter()
            for _ in range(count):
                async with self._aio.connect(HOST, port, contexts, ae=ae) as association:
                    await association.c_echo()
            return time.perf_counter() - begin

        return asyncio.run(echo())


def main(side: str, what: str, port: str, argument: str) -> None:
    """Do what a side is asked for; print the seconds.

    Parameters
    ----------
    side, what : str
        threads or asyncio; scp, scu, open or each.
    port : str
        Where the SCP listens.
    argument : str
        The folder, or how many requests.
    """
    given: Any = Path(argument) if what in ("scp", "scu") else int(argument)
    print(getattr({"threads": Threads, "asyncio": Asyncio}[side](), what)(int(port), given))


if __name__ == "__main__":
    main(*sys.argv[1:])
