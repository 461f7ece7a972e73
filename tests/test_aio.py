"""The door `dicomwire.aio`: what users find behind it, and what it does not load for others."""

from __future__ import annotations

import subprocess
import sys

from dicomwire import aio


def test_every_public_name_is_there() -> None:
    assert sorted(aio.__all__) == [
        "Answers",
        "Association",
        "Server",
        "blocking",
        "connect",
        "serve",
    ]
    for name in aio.__all__:
        assert getattr(aio, name).__module__.startswith("dicomwire.network.aio.")


def test_who_does_not_use_it_does_not_load_it() -> None:
    code = (
        "import sys, dicomwire; dicomwire.AE; dicomwire.Association;"
        "print([m for m in sys.modules if m == 'asyncio' or m.startswith('dicomwire.network.aio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
