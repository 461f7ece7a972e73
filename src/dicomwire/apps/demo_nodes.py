"""A folder into two archives that run, as processes of their own, until they are not needed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from dicomwire.apps.output import log

NEAR, FAR = "NEAR", "FAR"  # AE titles
LOOPBACK = "127.0.0.1"
PATIENCE = 30.0  # seconds until Orthanc listens
_READY = "Listening on port "


class Nodes(NamedTuple):
    """Two archives that listen.

    Parameters
    ----------
    near, far : int
        Their ports; the near one may move to the far one.
    orthanc : int or None
        The port of the far one's REST API, when it is Orthanc.
    """

    near: int
    far: int
    orthanc: int | None = None


@contextmanager
def nodes(folder: Path, with_orthanc: bool) -> Iterator[Nodes | None]:
    """Run the archives until the end of the block; None when one did not start.

    Parameters
    ----------
    folder : Path
        For all that they write.
    with_orthanc : bool
        Whether the far one is Orthanc.
    """
    with ExitStack() as ends:
        http: int | None = None
        if with_orthanc:
            far, http = _orthanc(ends, folder / FAR)
        else:
            far = _qrscp(ends, FAR, folder)
        if far is None:
            yield None
            return
        file = folder / "peers.toml"
        file.write_text(f'[[peer]]\ntitle = "{FAR}"\nhost = "{LOOPBACK}"\nport = {far}\n')
        near = _qrscp(ends, NEAR, folder, "-c", str(file))
        yield None if near is None else Nodes(near, far, http)


def _started(ends: ExitStack, command: list[str], **settings: Any) -> subprocess.Popen[str]:
    process = subprocess.Popen(command, text=True, **settings)
    ends.callback(process.wait)
    ends.callback(process.terminate)
    return process


def _qrscp(ends: ExitStack, title: str, folder: Path, *options: str) -> int | None:
    """Start a qrscp; return its port, None when it ended instead of listening."""
    command = [sys.executable, "-m", "dicomwire", "qrscp", "-v", "-aet", title, "--replace"]
    command += ["-od", str(folder / title), "-ba", LOOPBACK, *options, "0"]
    process = _started(ends, command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if _READY in line:
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            return int(line.rpartition(" ")[2])
        sys.stderr.write(line)
    log.error("qrscp did not start: see above")
    return None


def _drain(lines: IO[str]) -> None:
    """Take what is said; each refusal is in the demonstration's table."""
    for _ in lines:
        pass


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        return int(sock.getsockname()[1])


def _orthanc(ends: ExitStack, folder: Path) -> tuple[int | None, int]:
    """Start Orthanc; return its ports for DICOM, None when it does not listen, and for HTTP."""
    dicom, http = _free_port(), _free_port()
    program = shutil.which("Orthanc", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        log.error("Orthanc is not installed. On Debian and Ubuntu: apt-get install orthanc")
        return None, http
    folder.mkdir()
    settings = {
        "Name": FAR, "DicomAet": FAR, "DicomPort": dicom, "HttpPort": http, "Plugins": [],
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "SaveJobs": False,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "OverwriteInstances": True, "UnknownSopClassAccepted": True,
    }  # fmt: skip
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    output = ends.enter_context((folder / "orthanc.log").open("w"))
    process = _started(ends, [program, str(file)], stdout=output, stderr=output)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((LOOPBACK, dicom), PATIENCE).close()
        except OSError:
            time.sleep(0.05)
        else:
            return dicom, http
    log.error("Orthanc did not start: %s", (folder / "orthanc.log").read_text()[-500:])
    return None, http


def from_orthanc(http: int, sop_instance_uid: str, path: Path) -> None:
    """Write a file that Orthanc has stored, as it has it; none when it has none.

    Raises
    ------
    OSError
        When it does not answer as it should.
    """
    address = f"http://{LOOPBACK}:{http}"
    asked = urllib.request.Request(f"{address}/tools/lookup", sop_instance_uid.encode())
    with urllib.request.urlopen(asked) as answer:
        found = [each["Path"] for each in json.load(answer) if each["Type"] == "Instance"]
    if found:
        with urllib.request.urlopen(f"{address}{found[0]}/file") as answer:
            path.write_bytes(answer.read())
