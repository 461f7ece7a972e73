"""Orthanc as a process: its configuration, its REST API, what it has stored."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers import LOOPBACK, Serving, free_port, serving
from tests.peers.objects import after_meta

TITLE = "ORTHANC"
SECOND_TITLE = "ORTHANC2"
WORKLIST_PLUGIN = Path("/usr/share/orthanc/plugins/libModalityWorklists.so")
HTTP_TIMEOUT = 60.0


class Orthanc:
    """A running Orthanc.

    Attributes
    ----------
    port : int
        Where its DICOM server listens.
    folder : Path
        Where it writes.
    """

    def __init__(self, dicom: Serving, http_port: int, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self._process = dicom
        self._http_port = http_port

    @property
    def output(self) -> str:
        """Its log."""
        return self._process.output

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request to the REST API; return the HTTP status and what came back.

        Parameters
        ----------
        method, path : str
            Of the request.
        body : bytes or JSON value
            What to send.
        """
        connection = http.client.HTTPConnection(LOOPBACK, self._http_port, timeout=HTTP_TIMEOUT)
        try:
            sent = body if isinstance(body, bytes) or body is None else json.dumps(body)
            connection.request(method, path, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that has to succeed; return the JSON value that came back."""
        status, answer = self.ask(method, path, body)
        assert status == 200, f"{method} {path}: {status} {answer!r}\n{self.output[-4000:]}"
        return json.loads(answer or b"null")

    def knows(self, name: str, port: int, *, title: str = "OURS", tls: bool = False) -> None:
        """Tell it of a modality, ours, that may do everything."""
        modality = {"AET": title, "Host": LOOPBACK, "Port": port, "UseDicomTls": tls}
        self.call("PUT", f"/modalities/{name}", modality)

    def upload(self, path: Path) -> str:
        """Store a file over HTTP; return its identifier."""
        return str(self.call("POST", "/instances", path.read_bytes())["ID"])

    def stored(self) -> dict[str, bytes]:
        """What it has stored: data sets by SOP Instance UID."""
        found = {}
        for identifier in self.call("GET", "/instances"):
            instance = self.call("GET", f"/instances/{identifier}")["MainDicomTags"]
            status, file = self.ask("GET", f"/instances/{identifier}/file")
            assert status == 200
            found[instance["SOPInstanceUID"]] = after_meta(file)
        return found

    def forget(self) -> None:
        """Let it delete everything."""
        for patient in self.call("GET", "/patients"):
            self.call("DELETE", f"/patients/{patient}")


@contextmanager
def orthanc(program: str, folder: Path, **settings: Any) -> Iterator[Orthanc]:
    """Run Orthanc on ports of its own, with everything it writes in a folder of ours.

    Parameters
    ----------
    program : str
        Its path.
    folder : Path
        For configuration, log, database and files.
    **settings
        Options of its configuration file.
    """
    ports = {}

    def command(http_port: int) -> list[str | Path]:
        ports["DicomPort"] = free_port()
        configuration = {
            "Name": "peer",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "Plugins": [],
            "HttpPort": http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": TITLE,
            "DicomCheckCalledAet": True,
            "OverwriteInstances": True,
            "SaveJobs": False,
            **ports,
            **settings,
        }
        path = folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        return [program, "--verbose", path]

    with serving(command, folder / "orthanc.log") as process:
        assert process.listens(ports["DicomPort"]), process.output
        yield Orthanc(process, process.port, ports["DicomPort"], folder)
