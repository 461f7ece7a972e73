"""Print management with DCMTK: dcmprscp as the printer, dcmprscu as who prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import pytest
from pydicom import Dataset, dcmread

from dicomwire import AE, Association, build_context, evt
from dicomwire.protocol.errors import Released
from tests.peers import LOOPBACK, Serving, run_well, serving
from tests.peers.exchanges import FILM, FILM_SESSION, SESSION, THERE
from tests.peers.ours import WAIT
from tests.peers.scripts.managed import (
    FILM_BOX,
    IMAGE_BOX,
    NO_SUCH_INSTANCE,
    PRINT_META,
    PRINTER,
    PROCESSING_FAILURE,
    SUCCESS,
    THE_PRINTER,
    Managed,
    item,
)

TITLE = "PRINTER"
ROWS = 24
PIXELS = bytes(range(256)) * (ROWS * 32 // 256)
# What dcmprscp is, or what dcmprscu believes of us
CONFIGURATION = """\
[[GENERAL]]
[PRINT]
Directory = {folder}
[DATABASE]
Directory = {folder}
[LUT]
Directory = {folder}
[[COMMUNICATION]]
[{title}]
Type = {kind}
Aetitle = {title}
Description = A printer
Hostname = 127.0.0.1
Port = {port}
MaxPDU = 32768
DisplayFormat=1,1\\2,1
FilmSizeID = 8INX10IN\\14INX17IN
FilmDestination = MAGAZINE\\PROCESSOR
MagnificationType = REPLICATE\\NONE
MediumType = PAPER\\BLUE FILM
ResolutionID = STANDARD\\HIGH
BorderDensity = BLACK\\WHITE
EmptyImageDensity = BLACK\\WHITE
MinDensity = 20
MaxDensity = 320
Supports12Bit = false
SupportsPresentationLUT = false
"""

Program = Callable[[str], str]


def configured(folder: Path, kind: str, port: int) -> Path:
    """Write the configuration of a printer that keeps what it has in a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}.cfg"
    path.write_text(CONFIGURATION.format(folder=folder, title=TITLE, kind=kind, port=port))
    return path


class Printer(NamedTuple):
    """dcmprscp while it runs, and where it writes."""

    process: Serving
    folder: Path


@pytest.fixture(scope="module")
def printer(peer_program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printer]:
    """dcmprscp: it keeps the images of a film (HG_*), and the film (SP_*)."""
    program = peer_program("dcmprscp")
    folder = tmp_path_factory.mktemp("dcmprscp")
    with serving(
        lambda port: [program, "-v", "-c", configured(folder, "LOCALPRINTER", port), "-p", TITLE],
        folder / "dcmprscp.log",
    ) as process:
        yield Printer(process, folder)


def image() -> Dataset:
    """Make the content of an image box."""
    pixels = item(
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", Rows=ROWS, Columns=32,
        PixelAspectRatio=[1, 1], BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0,
    )  # fmt: skip
    pixels.add_new(0x7FE00010, "OW", PIXELS)
    return item(ImageBoxPosition=1, BasicGrayscaleImageSequence=[pixels])


@contextmanager
def at_the_printer(printer: Printer) -> Iterator[Association]:
    """Ask for an association, and release it when the block is left."""
    contexts = [build_context(PRINT_META)]
    with AE("OURS").associate(LOOPBACK, printer.process.port, contexts, TITLE) as assoc:
        assert assoc.is_established, assoc.ended
        yield assoc
    assert assoc.is_released, assoc.ended


def print_film(assoc: Association) -> None:
    """Print a film with one image."""

    def done(answer: tuple[Dataset, Dataset | None]) -> tuple[str, Dataset]:
        status, data = answer
        assert status.Status == SUCCESS
        assert data is not None
        return str(status.get("AffectedSOPInstanceUID")), data

    session, _ = done(assoc.send_n_create(SESSION, FILM_SESSION, meta_uid=PRINT_META))
    of = item(ReferencedSOPClassUID=FILM_SESSION, ReferencedSOPInstanceUID=session)
    film = item(ReferencedFilmSessionSequence=[of])
    film.update(FILM)
    box, created = done(assoc.send_n_create(film, FILM_BOX, meta_uid=PRINT_META))
    assert created.FilmSizeID == FILM.FilmSizeID
    (image_box,) = created.ReferencedImageBoxSequence
    assert image_box.ReferencedSOPClassUID == IMAGE_BOX
    where = IMAGE_BOX, image_box.ReferencedSOPInstanceUID
    done(assoc.send_n_set(image(), *where, meta_uid=PRINT_META))
    done(assoc.send_n_action(None, 1, FILM_BOX, box, meta_uid=PRINT_META))
    assert assoc.send_n_delete(FILM_BOX, box, meta_uid=PRINT_META).Status == SUCCESS
    assert assoc.send_n_delete(FILM_SESSION, session, meta_uid=PRINT_META).Status == SUCCESS
    again = assoc.send_n_delete(FILM_SESSION, session, meta_uid=PRINT_META)
    assert again.Status == NO_SUCH_INSTANCE


@pytest.fixture(scope="module")
def printed(printer: Printer) -> Path:
    """The film that we have printed, as dcmprscp has stored it."""
    with at_the_printer(printer) as assoc:
        print_film(assoc)
    (film,) = printer.folder.glob("SP_*.dcm")
    return film


@pytest.mark.conformance("Print management", "SCU", "DCMTK")
@pytest.mark.conformance("N-GET", "SCU", "DCMTK")
def test_the_printer_says_how_it_is(printer: Printer) -> None:
    wanted = ["PrinterStatus", "PrinterStatusInfo"]
    with at_the_printer(printer) as assoc:
        status, said = assoc.send_n_get(wanted, PRINTER, THE_PRINTER, meta_uid=PRINT_META)
        unknown = assoc.send_n_get(wanted, PRINTER, "1.2.3", meta_uid=PRINT_META)
    assert status.Status == SUCCESS
    assert said == item(PrinterStatus="NORMAL", PrinterStatusInfo="NORMAL")
    assert (unknown[0].Status, unknown[1]) == (NO_SUCH_INSTANCE, None)


@pytest.mark.conformance("Print management", "SCU", "DCMTK")
@pytest.mark.conformance("N-CREATE", "SCU", "DCMTK")
@pytest.mark.conformance("N-SET", "SCU", "DCMTK")
@pytest.mark.conformance("N-ACTION", "SCU", "DCMTK")
@pytest.mark.conformance("N-DELETE", "SCU", "DCMTK")
def test_a_film_is_printed_there(printer: Printer, printed: Path) -> None:
    film = dcmread(printed)
    assert film.FilmBoxContentSequence[0].FilmSizeID == FILM.FilmSizeID
    (stored,) = printer.folder.glob("HG_*.dcm")
    assert dcmread(stored).PixelData == PIXELS


# -- our printer ----------------------------------------------------------------------------------


class Ours:
    """Our printer while it runs.

    Attributes
    ----------
    port : int
        Where it listens.
    sent : list of (str, Dataset)
        What came with N-CREATE and N-SET, by event.
    """

    def __init__(self, refusal: int | None) -> None:
        self.port = 0
        self.sent: list[tuple[str, Dataset]] = []
        self._ends: SimpleQueue[Any] = SimpleQueue()
        self._managed = Managed(lambda assoc, report: None, THERE)
        self._refusal = refusal

    def create(self, event: Any) -> Any:
        """Note what is created."""
        self.sent.append(("N-CREATE", deepcopy(event.attribute_list)))
        return self._managed.n_create(event)

    def change(self, event: Any) -> Any:
        """Note what is set."""
        self.sent.append(("N-SET", event.modification_list))
        return self._managed.n_set(event)

    def act(self, event: Any) -> Any:
        """Print, unless the film is to be refused."""
        return self._managed.n_action(event) if self._refusal is None else (self._refusal, None)

    def end(self, event: Any) -> None:
        """Note that an association is over."""
        self._ends.put(event.assoc.ended)

    def next_end(self) -> Any:
        """Wait for the end of an association; return why it ended."""
        return self._ends.get(timeout=WAIT)

    def handlers(self) -> list[Any]:
        """Return what to bind."""
        return [
            (evt.EVT_N_GET, self._managed.n_get),
            (evt.EVT_N_CREATE, self.create),
            (evt.EVT_N_SET, self.change),
            (evt.EVT_N_ACTION, self.act),
            (evt.EVT_N_DELETE, self._managed.n_delete),
            (evt.EVT_RELEASED, self.end),
            (evt.EVT_ABORTED, self.end),
        ]


@contextmanager
def our_printer(refusal: int | None = None) -> Iterator[Ours]:
    """Serve print management until the block is left and the associations are over."""
    ours, ae = Ours(refusal), AE(TITLE)
    ae.add_supported_context(PRINT_META)
    server = ae.start_server((LOOPBACK, 0), block=False, evt_handlers=ours.handlers())
    ours.port = server.server_address[1]
    try:
        yield ours
    finally:
        ae.shutdown()


def dcmprscu(program: str, film: Path, port: int, *options: str) -> str:
    """Let dcmprscu print a stored film with us; what it says. Its return code is always 0."""
    configuration = configured(film.parent, "PRINTER", port)
    return run_well([program, "-v", "-c", configuration, "-p", TITLE, *options, film])


@pytest.mark.conformance("Print management", "SCP", "DCMTK")
@pytest.mark.conformance("N-GET", "SCP", "DCMTK")
@pytest.mark.conformance("N-CREATE", "SCP", "DCMTK")
@pytest.mark.conformance("N-SET", "SCP", "DCMTK")
@pytest.mark.conformance("N-ACTION", "SCP", "DCMTK")
@pytest.mark.conformance("N-DELETE", "SCP", "DCMTK")
def test_dcmprscu_prints_here(peer_program: Program, printed: Path) -> None:
    options = ["--label", "FILM", "--copies", "2", "--medium-type", "PAPER"]
    with our_printer() as ours:
        said = dcmprscu(peer_program("dcmprscu"), printed, ours.port, *options)
        assert isinstance(ours.next_end(), Released)
    assert "unable to print" not in said
    assert [name for name, _ in ours.sent] == ["N-CREATE", "N-CREATE", "N-SET"]
    session, film, box = [data for _, data in ours.sent]
    assert session == item(NumberOfCopies=2, MediumType="PAPER", FilmSessionLabel="FILM")
    assert film.ImageDisplayFormat == FILM.ImageDisplayFormat
    assert box.BasicGrayscaleImageSequence[0].PixelData == PIXELS


@pytest.mark.conformance("Print management", "SCP", "DCMTK")
@pytest.mark.conformance("N-ACTION", "SCP", "DCMTK")
def test_dcmprscu_is_told_that_we_cannot_print(peer_program: Program, printed: Path) -> None:
    with our_printer(PROCESSING_FAILURE) as ours:
        said = dcmprscu(peer_program("dcmprscu"), printed, ours.port)
    assert "unable to print" in said
