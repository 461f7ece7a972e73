"""A folder into a server of asyncio that stores there: a process for tests. Prints its port."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from dicomwire import aio
from dicomwire.apps import storescp
from dicomwire.apps.receiving import Receiver
from dicomwire.apps.requesting import entity
from dicomwire.network import events as evt


async def serve(folder: Path) -> None:
    """Serve until the process is ended."""
    args = storescp.make_parser().read(["--no-flush", "0"])
    ae = entity("ASYNCIO", args, options=storescp.settings(args, folder))
    handlers = [(evt.EVT_C_STORE, Receiver(folder))]
    server = await aio.serve("127.0.0.1", 0, handlers, storescp.contexts(args), ae=ae)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
