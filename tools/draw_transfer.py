"""A real transfer between our two tools into the picture at the top of the README."""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from pydicom.data import get_testdata_file
from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).parent.parent / "docs" / "images" / "transfer.svg"
FILES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "reportsi.dcm", "JPEG2000.dcm")


def transfer(folder: Path) -> tuple[str, str]:
    """Send some files from storescu to storescp; return what each of them said."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = str(sock.getsockname()[1])
    tool = [sys.executable, "-m", "dicomwire"]
    scp = subprocess.Popen(
        [*tool, "storescp", port, "-od", "inbox", "-v"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert scp.stderr is not None
    received = scp.stderr.readline()  # it listens
    for name in FILES:
        source = get_testdata_file(name)
        (folder / name).write_bytes(Path(str(source)).read_bytes())
    scu = subprocess.run(
        [*tool, "storescu", "127.0.0.1", port, *FILES, "-v"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    scp.terminate()
    return received + scp.stderr.read(), scu.stderr


def draw(received: str, sent: str) -> None:
    """Write both as one terminal, one below the other."""
    console = Console(record=True, width=106, file=io.StringIO())
    for command, said in (
        ("dicomwire storescp 11112 -od inbox -v", re.sub(r"port \d+", "port 11112", received)),
        (f"dicomwire storescu 127.0.0.1 11112 {' '.join(FILES)} -v", sent),
    ):
        text = Text(f"$ {command}\n", style="bold")
        for line in said.splitlines():
            text.append(line + "\n", style="not bold green" if "Success" in line else "not bold")
        console.print(text)
    picture = console.export_svg(title="storescp receives what storescu sends")
    # no font from elsewhere: a picture in a README may not load anything
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    TARGET.write_text(picture.replace("Fira Code, monospace", "monospace"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        draw(*transfer(Path(scratch)))
