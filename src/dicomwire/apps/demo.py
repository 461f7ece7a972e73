"""pydicom's sample files into a transfer from storescu to storescp that is checked byte by byte."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple

from dicomwire.apps import storescu
from dicomwire.apps.exits import Exit
from dicomwire.apps.options import ToolParser
from dicomwire.apps.output import log
from dicomwire.apps.planning import Load, plan
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.running import run
from dicomwire.apps.selection import MEDIA_STORAGE_DIRECTORY
from dicomwire.apps.sending import send
from dicomwire.apps.tables import Row, show_table
from dicomwire.dataset.part10 import FileHeader, read_header
from dicomwire.protocol.errors import LocalError
from dicomwire.standard.uids import name_of

IDENTICAL = "identical"
PADDED = "identical, padded"  # with a zero byte to an even length, as PS3.5 A.5 demands
GOOD = (IDENTICAL, PADDED)
_READY = "Listening on port "
_CHUNK = 1 << 20


class Result(NamedTuple):
    """What became of one sample.

    Parameters
    ----------
    header : FileHeader
        The sample.
    seconds : float
        From the request to the response.
    text : str
        One of `GOOD`, or what is wrong.
    """

    header: FileHeader
    seconds: float
    text: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; return its exit code, see `Exit`: 3 when anything differs."""
    parser = ToolParser(
        "demo",
        "[options]",
        "Starts a storescp, sends it every DICOM file that pydicom ships, and compares what "
        "arrived with what was sent, byte by byte.",
        "-v",
    )
    return run(parser, argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Start the server, send, compare, show."""
    root = sample_folder()
    headers, left_out = samples(root)
    with tempfile.TemporaryDirectory(prefix="dicomwire-demo-") as name:
        folder = Path(name)
        with receiver(folder) as port:
            if port is None:
                log.error("storescp did not start: see above")
                return Exit.NOT_HERE
            began = time.perf_counter()
            results = transfer(headers, folder, port)
            seconds = time.perf_counter() - began
    show_table([_row(each, root) for each in results])
    for path, why in left_out:
        print(f"left out: {path.relative_to(root)}: {why}")
    return conclude(headers, results, len(left_out), seconds)


# -- samples -----------------------------------------------------------------------------------


def sample_folder() -> Path:
    """Return the folder with the files that pydicom ships."""
    spec = find_spec("pydicom")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


def samples(root: Path) -> tuple[list[FileHeader], list[tuple[Path, str]]]:
    """Return what can be sent of a folder's DICOM files, and why each other one cannot."""
    headers: list[FileHeader] = []
    left_out: list[tuple[Path, str]] = []
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        try:
            header = read_header(path)
        except LocalError as error:
            if _looks_like_dicom(path):
                left_out.append((path, error.what.removeprefix(f"{path}: ")))
            continue
        if header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            left_out.append((path, "a DICOMDIR belongs to a medium, it is not sent"))
        else:
            headers.append(header)
    return headers, left_out


def _looks_like_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".dcm" or file.read(132)[128:] == b"DICM"


# -- the transfer ------------------------------------------------------------------------------


@contextmanager
def receiver(folder: Path) -> Iterator[int | None]:
    """Run storescp as a process of its own until the end of the block; yield its port.

    It is None when the process ended instead of listening.
    """
    command = [sys.executable, "-m", "dicomwire", "storescp", "-v", "-od", str(folder)]
    process = subprocess.Popen(
        [*command, "-ba", "127.0.0.1", "0"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        port = _port_of(process.stderr)
        threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
        yield port
    finally:
        process.terminate()
        process.wait()


def _port_of(lines: IO[str]) -> int | None:
    for line in lines:
        if _READY in line:
            return int(line.rpartition(" ")[2])
        sys.stderr.write(line)
    return None


def _drain(lines: IO[str]) -> None:
    for line in lines:
        if line.startswith("E:"):
            sys.stderr.write(f"storescp: {line}")


def transfer(headers: Sequence[FileHeader], folder: Path, port: int) -> list[Result]:
    """Send objects one by one; compare each before the next, as some share their UIDs.

    Parameters
    ----------
    headers : sequence of FileHeader
        The objects.
    folder : Path
        Where the receiver writes.
    port : int
        Where it listens on this machine.
    """
    args = storescu.make_parser().read(["127.0.0.1", str(port), "-aet", "DEMO", str(folder)])
    requestor = Requestor(args)
    results: list[Result] = []
    for load in plan(headers):
        results.extend(_send_load(requestor, load, folder))
    return results


def _send_load(requestor: Requestor, load: Load, folder: Path) -> Iterator[Result]:
    assoc = requestor.associate(load.proposal())
    for index, header in enumerate(load.headers):
        if assoc is None or not assoc.is_established:
            yield Result(header, 0.0, "not sent: there is no association")
            continue
        began = time.perf_counter()
        outcome = send(assoc, header, index % 0xFFFF + 1)
        seconds = time.perf_counter() - began
        text = compare(header, folder) if outcome.was_sent else outcome.text
        yield Result(header, seconds, text)
    if assoc is not None:
        requestor.leave(assoc)


def compare(header: FileHeader, folder: Path) -> str:
    """Compare an object with the one file in a folder, remove that file, and say what differs."""
    received = list(folder.iterdir())
    try:
        if len(received) != 1:
            return f"{len(received)} files arrived"
        header_received = read_header(received[0])
        padded = header_received.length == header.length + 1
        return difference(header, header_received) or (PADDED if padded else IDENTICAL)
    finally:
        for path in received:
            path.unlink()


def difference(sent: FileHeader, received: FileHeader) -> str:
    """Say how a received file differs from the one sent, empty when it does not.

    The data sets are compared byte by byte, but for the byte that makes an odd length even; the
    file meta information is the receiver's own, but for its UIDs.
    """
    uids = ("sop_class_uid", "sop_instance_uid", "transfer_syntax_uid")
    for name in uids:
        if getattr(sent, name) != getattr(received, name):
            return f"another {name.replace('_', ' ')}: {getattr(received, name)}"
    if sent.length + sent.length % 2 != received.length:
        return f"{received.length} bytes instead of {sent.length}"
    with sent.path.open("rb") as one, received.path.open("rb") as other:
        one.seek(sent.offset)
        other.seek(received.offset)
        for start in range(0, sent.length, _CHUNK):
            piece = one.read(_CHUNK)
            if piece != other.read(len(piece)):
                return f"differs in the {len(piece)} bytes from byte {start}"
        return "" if other.read() in (b"", b"\0") else "ends in another byte"


# -- what is shown -----------------------------------------------------------------------------


def _row(result: Result, root: Path) -> Row:
    header = result.header
    return Row(
        str(header.path.relative_to(root)),
        name_of(header.sop_class_uid),
        name_of(header.transfer_syntax_uid),
        f"{header.length:,}",
        f"{result.seconds * 1e3:.1f}",
        result.text,
        result.text in GOOD,
    )


def conclude(
    headers: Sequence[FileHeader], results: Sequence[Result], left_out: int, seconds: float
) -> Exit:
    """Print what the table comes to; return the exit code."""
    good = sum(result.text in GOOD for result in results)
    size = sum(header.length for header in headers) / 1e6
    classes = len({header.sop_class_uid for header in headers})
    syntaxes = len({header.transfer_syntax_uid for header in headers})
    print(
        f"\n{good} of {len(headers)} objects arrived with every byte as it was sent: "
        f"{classes} SOP classes, {syntaxes} transfer syntaxes, {size:.1f} MB in {seconds:.1f} s; "
        f"{left_out} left out"
    )
    return Exit.DONE if headers and good == len(headers) else Exit.FAILED


if __name__ == "__main__":
    sys.exit(main())
