"""Turns data sets and files into what arrives at the other end, byte for byte."""

from __future__ import annotations

import errno
import itertools
import resource
import signal
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import UID

from dicomwire import AE, Association, Options, evt
from dicomwire.dataset.convert import convert_file
from dicomwire.dataset.part10 import encode_file_meta, read_header
from dicomwire.protocol.errors import Aborted, LocalError
from dicomwire.services.sending import context_for, outgoing
from tests.dataset.samples import parsed, plain, shipped_files
from tests.network.ends import (
    BIG_ENDIAN,
    CT,
    CT_FILE,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    LOCAL,
    MR,
    VERIFICATION,
    Box,
    Peer,
    dialled,
    entity,
    image,
    lines,
    port_of,
    saved,
    scripted,
    serving,
)
from tests.protocol import pairs
from tests.services.stage import associated_for

pytestmark = pytest.mark.socket

UNCOMPRESSED = [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN]
NAMES = {IMPLICIT: "implicit", EXPLICIT: "explicit", DEFLATED: "deflated", BIG_ENDIAN: "big"}
JPEG = "1.2.840.10008.1.2.4.50"
RLE = "1.2.840.10008.1.2.5"


def raw(path: Path) -> bytes:
    """The encoded data set of a file."""
    header = read_header(path)
    return path.read_bytes()[header.offset :]


@contextmanager
def storing(
    contexts: list[tuple[str, list[str]]], box: Box | None = None, **options: Any
) -> Iterator[tuple[Association, Box]]:
    """An association for these contexts, each proposed and supported, and what was stored."""
    box = box or Box()

    def on_store(event: Any) -> int:
        return box.put((event.context.transfer_syntax, event.encoded_dataset(include_meta=False)))

    scp, scu = AE("SCP", Options(linger=0.5, **options)), AE("SCU", Options(linger=0.5))
    for sop_class, syntaxes in contexts:
        scp.add_supported_context(sop_class, syntaxes)
        for syntax in syntaxes:
            scu.add_requested_context(sop_class, syntax)
    with (
        serving(scp, (evt.EVT_C_STORE, on_store)) as server,
        scu.associate(LOCAL, port_of(server)) as assoc,
    ):
        yield assoc, box


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same image in each of the uncompressed transfer syntaxes."""
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for syntax in UNCOMPRESSED:
        header = read_header(CT_FILE)
        path = folder / NAMES[syntax]
        if syntax == header.transfer_syntax_uid:
            path.write_bytes(CT_FILE.read_bytes())
        else:
            with convert_file(header, syntax) as stream:
                data = b"".join(map(bytes, stream.chunks()))
            meta = encode_file_meta(
                header.sop_class_uid, header.sop_instance_uid, syntax, "1.2.3", ""
            )
            path.write_bytes(meta + data)
        made[syntax] = path
    return made


FORMS = ["path", "str", "header", "dataset"]


def form_of(path: Path, form: str) -> Any:
    forms = {"path": Path, "str": str, "header": read_header, "dataset": dcmread}
    return forms[form](path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("syntax", UNCOMPRESSED, ids=NAMES.get)
def test_every_form_goes_over_in_its_own_syntax_when_it_may(
    files: dict[str, Path], form: str, syntax: str
) -> None:
    with storing([(CT, [syntax])]) as (assoc, box):
        assert assoc.send_c_store(form_of(files[syntax], form)).Status == 0
    ((got, data),) = box.things
    assert got == syntax
    expected = raw(files[syntax])
    if form == "dataset" and syntax == DEFLATED:
        assert len(data) % 2 == 0  # deflated anew: the bytes need not be the same
    else:
        assert data == expected + b"\0" * (len(expected) % 2)


PAIRS = list(itertools.permutations(UNCOMPRESSED, 2))


@pytest.mark.parametrize("form", ["path", "dataset"])
@pytest.mark.parametrize(
    ("source", "target"), PAIRS, ids=[f"{NAMES[a]}-{NAMES[b]}" for a, b in PAIRS]
)
def test_an_uncompressed_object_is_converted_to_what_was_accepted(
    files: dict[str, Path], source: str, target: str, form: str
) -> None:
    with storing([(CT, [target])]) as (assoc, box):
        assert assoc.send_c_store(form_of(files[source], form)).Status == 0
    ((got, data),) = box.things
    assert got == target
    if target == DEFLATED:
        inflate = zlib.decompressobj(-15)
        data, target = inflate.decompress(data) + inflate.flush(), EXPLICIT
    expected = plain(parsed(raw(files[EXPLICIT]), EXPLICIT))
    assert plain(parsed(data, target), little=target != BIG_ENDIAN) == expected


def test_of_several_contexts_the_nearest_carries_it(files: dict[str, Path]) -> None:
    with storing([(CT, [BIG_ENDIAN]), (MR, [IMPLICIT])]) as (assoc, box):
        assert assoc.send_c_store(files[IMPLICIT]).Status == 0
        assert box.things[0][0] == BIG_ENDIAN  # MR's is no good for a CT


@pytest.mark.parametrize("form", ["path", "dataset"])
def test_a_compressed_object_only_goes_as_it_is(tmp_path: Path, form: str) -> None:
    ds = image(syntax=JPEG)
    ds.add_new(
        0x7FE00010, "OB", b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0\xff\xd8\xff\xd9"
    )
    ds["PixelData"].is_undefined_length = True
    path = saved(tmp_path / "jpeg", ds)
    with storing([(CT, [JPEG])]) as (assoc, box):
        assert assoc.send_c_store(form_of(path, form)).Status == 0
        assert box.things == [(JPEG, raw(path))]
    with storing([(CT, [*UNCOMPRESSED, RLE])]) as (assoc, box):
        with pytest.raises(ValueError, match=r"'CT Image Storage' .* 'JPEG Baseline"):
            assoc.send_c_store(form_of(path, form))
        assert assoc.is_established
        assert assoc.send_c_store(image()).Status == 0
    assert len(box.things) == 1


def test_every_file_that_pydicom_ships_arrives_byte_for_byte() -> None:
    headers = [read_header(path) for path in shipped_files()[::3]]
    contexts = sorted({(h.sop_class_uid, h.transfer_syntax_uid) for h in headers})[:128]
    with storing([(uid, [syntax]) for uid, syntax in contexts]) as (assoc, box):
        for header in headers:
            assert assoc.send_c_store(header).Status == 0, header.path
    for header, (_, data) in zip(headers, box.things, strict=True):
        expected = raw(header.path)
        assert data == expected + b"\0" * (len(expected) % 2), header.path


# -- what cannot be sent -------------------------------------------------------------------------


def without(keyword: str) -> Dataset:
    dataset = image()
    del dataset[keyword]
    return dataset


def no_meta() -> Dataset:
    dataset = image()
    del dataset.file_meta
    return dataset


def no_syntax() -> Dataset:
    dataset = image()
    del dataset.file_meta.TransferSyntaxUID
    return dataset


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (Dataset(), "SOPClassUID"),
        (without("SOPClassUID"), "SOPClassUID"),
        (without("SOPInstanceUID"), "SOPInstanceUID"),
        (no_meta(), "TransferSyntaxUID"),
        (no_syntax(), "TransferSyntaxUID"),
    ],
    ids=["empty", "class", "instance", "meta", "syntax"],
)
def test_a_data_set_that_lacks_what_it_takes_is_an_attribute_error(
    dataset: Dataset, words: str
) -> None:
    with storing([(CT, UNCOMPRESSED)]) as (assoc, box):
        with pytest.raises(AttributeError, match=words):
            assoc.send_c_store(dataset)
        assert assoc.is_established
    assert box.things == []


def test_a_data_set_that_cannot_be_encoded_is_a_value_error() -> None:
    dataset = image()
    dataset.add_new(0x00280010, "US", "no number")
    with storing([(CT, UNCOMPRESSED)]) as (assoc, _):
        with pytest.raises(ValueError, match="encode"):
            assoc.send_c_store(dataset)
        assert assoc.send_c_store(image()).Status == 0


def test_a_class_that_was_not_accepted_is_a_value_error(files: dict[str, Path]) -> None:
    with storing([(MR, UNCOMPRESSED)]) as (assoc, _):
        for thing in (files[EXPLICIT], image()):
            with pytest.raises(ValueError, match="'CT Image Storage' has been accepted by the pe"):
                assoc.send_c_store(thing)


@pytest.mark.parametrize("content", [None, b"", b"no DICOM at all" * 100])
def test_a_file_that_is_none_is_a_local_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with storing([(CT, UNCOMPRESSED)]) as (assoc, _):
        with pytest.raises(LocalError, match=str(path)) as caught:
            assoc.send_c_store(path)
        assert caught.value.check
        assert assoc.is_established
        assert assoc.send_c_store(image()).Status == 0


def test_a_file_without_its_uids_is_an_attribute_error(tmp_path: Path) -> None:
    path = saved(tmp_path / "file", image())
    data = path.read_bytes().replace(b"1.2.3.4\0", b"\0\0\0\0\0\0\0\0")
    path.write_bytes(data)
    with storing([(CT, UNCOMPRESSED)]) as (assoc, _):
        with pytest.raises(AttributeError, match="Instance UID"):
            assoc.send_c_store(path)
        assert assoc.is_established


def test_a_file_that_shrinks_while_it_is_sent_aborts(tmp_path: Path) -> None:
    path = saved(tmp_path / "file", image(size=5_000_000))
    header = read_header(path)
    with path.open("r+b") as file:
        file.truncate(2_000_000)
    with storing([(CT, UNCOMPRESSED)]) as (assoc, box):
        with pytest.raises(LocalError):
            assoc.send_c_store(header)
        assert assoc.is_aborted or assoc.is_established
    assert box.things == []


def test_something_else_cannot_be_sent() -> None:
    with storing([(CT, UNCOMPRESSED)]) as (assoc, _):
        with pytest.raises(TypeError):
            assoc.send_c_store(7)  # type: ignore[arg-type]
        assert assoc.is_established


# -- into files ------------------------------------------------------------------------------------


@contextmanager
def receiving(folder: Path, handler: Any) -> Iterator[Association]:
    """An association whose acceptor writes data sets into files."""
    scp = entity("SCP", VERIFICATION, CT, store_directory=folder)
    with (
        serving(scp, (evt.EVT_C_STORE, handler)) as server,
        entity().associate(LOCAL, port_of(server)) as assoc,
    ):
        yield assoc


@pytest.mark.parametrize("syntax", UNCOMPRESSED, ids=NAMES.get)
def test_a_data_set_goes_to_a_file_as_it_arrives(
    tmp_path: Path, files: dict[str, Path], syntax: str
) -> None:
    inbox, final = tmp_path / "inbox", tmp_path / "final.dcm"
    inbox.mkdir()
    names: list[str] = []
    opened: list[bytes] = []

    def on_store(event: Any) -> int:
        names.append(event.dataset_path.name)
        assert event.dataset_path.parent == inbox
        assert event.dataset.SOPInstanceUID == event.request.AffectedSOPInstanceUID
        with pytest.raises(AttributeError):
            event.encoded_dataset()
        with event.open_dataset() as written:
            assert written.offset + written.length == event.dataset_path.stat().st_size
            opened.append(written.read(written.length + 1))
        event.dataset_path.replace(final)
        return 0

    scp = AE("SCP", Options(store_directory=inbox, linger=0.5))
    scp.add_supported_context(CT, syntax)
    scu = entity()
    with (
        serving(scp, (evt.EVT_C_STORE, on_store)) as server,
        scu.associate(LOCAL, port_of(server)) as assoc,
    ):
        assert assoc.send_c_store(files[syntax]).Status == 0
    assert names[0].startswith(".dicomwire-")
    assert names[0].endswith(".part")
    assert list(inbox.iterdir()) == []
    expected = raw(files[syntax])
    assert raw(final) == expected + b"\0" * (len(expected) % 2)
    assert opened == [raw(final)]
    meta = dcmread(final).file_meta
    assert meta.TransferSyntaxUID == syntax
    assert meta.MediaStorageSOPInstanceUID == read_header(CT_FILE).sop_instance_uid


def raising(event: Any) -> int:
    raise KeyError("of a handler")


@pytest.mark.parametrize("handler", [lambda event: 0, lambda event: None, raising])
def test_no_temporary_file_is_left(tmp_path: Path, handler: Any) -> None:
    with receiving(tmp_path, handler) as assoc:
        for _ in range(3):
            assert "Status" in assoc.send_c_store(image(size=100_000))
            assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["abort", "close", "release"])
def test_no_temporary_file_is_left_by_half_a_data_set(tmp_path: Path, ending: str) -> None:
    box = Box()
    scp = entity("SCP", VERIFICATION, CT, store_directory=tmp_path)
    handlers = [(evt.EVT_C_STORE, box.put), (evt.EVT_CONN_CLOSE, box.put)]
    with serving(scp, *handlers) as server, dialled(port_of(server)) as peer:
        command = {**pairs.STORE, "CommandDataSetType": 1}
        peer.send(pairs.values((3, 3, pairs.encode_command(command))))
        peer.send(pairs.values((3, 0, bytes(10_000))) * 20)
        if ending == "abort":
            peer.send(pairs.Abort())
        elif ending == "release":
            peer.send(pairs.ReleaseRQ())
            assert peer.read() == pairs.ReleaseRP()
        peer.close()
        assert [event.event for event in box.wait()] == [evt.EVT_CONN_CLOSE]
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [{"AffectedSOPClassUID": MR}, {"AffectedSOPInstanceUID": ""}, {"CommandField": 0x7777}],
    ids=["class", "instance", "command"],
)
def test_no_temporary_file_is_left_by_what_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    scp = entity("SCP", VERIFICATION, CT, store_directory=tmp_path)
    with serving(scp) as server, dialled(port_of(server)) as peer:
        peer.send(pairs.message(3, {**pairs.STORE, **change}, bytes(1000)))
        assert peer.command()["Status"] in (0x0120, 0x0122, 0x0211)
        assert list(tmp_path.iterdir()) == []


def test_no_temporary_file_is_left_by_requests_that_nobody_waits_for(tmp_path: Path) -> None:
    box = Box()

    def abort(event: Any) -> int:
        event.assoc.abort()
        return 0

    scp = entity("SCP", VERIFICATION, CT, store_directory=tmp_path)
    handlers = [(evt.EVT_C_STORE, abort), (evt.EVT_CONN_CLOSE, box.put)]
    with serving(scp, *handlers) as server, dialled(port_of(server)) as peer:
        peer.send(pairs.message(3, pairs.STORE, bytes(1000)) * 5)  # all in one read
        peer.rest()
        peer.close()
        box.wait()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_arrives_while_we_release_leaves_no_file(tmp_path: Path) -> None:
    box = Box()

    def on_echo(event: Any) -> int:
        event.assoc.release()
        return box.put(True)

    scp = entity("SCP", VERIFICATION, CT, store_directory=tmp_path)
    with serving(scp, (evt.EVT_C_ECHO, on_echo)) as server, dialled(port_of(server)) as peer:
        peer.send(pairs.message(1, pairs.ECHO))
        assert peer.read() == pairs.ReleaseRQ()
        peer.send(pairs.message(3, pairs.STORE, bytes(1000)), pairs.ReleaseRP())
        peer.rest()
        box.wait()
    assert list(tmp_path.iterdir()) == []


# -- disks that fail -----------------------------------------------------------------------------


def out_of_resources(assoc: Association, size: int = 100_000) -> Dataset:
    status = assoc.send_c_store(image(size=size))
    assert status.Status == 0xA700
    assert status.ErrorComment
    return status


def test_a_folder_that_is_not_there_is_out_of_resources(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inbox, box = tmp_path / "later", Box()

    def on_store(event: Any) -> int:
        return box.put(event.dataset_path.exists())

    with receiving(inbox, on_store) as assoc:
        out_of_resources(assoc)
        assert len(lines(caplog, 30)) == 1
        inbox.mkdir()
        assert assoc.send_c_store(image()).Status == 0
    assert box.things == [True]
    assert list(inbox.iterdir()) == []


def test_a_full_disk_is_out_of_resources_and_the_association_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dicomwire.dataset import sinks

    real, full = sinks._write_some, [True]

    def writev(fd: int, buffers: Any) -> int:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(real(fd, buffers))

    monkeypatch.setattr(sinks, "_write_some", writev)
    box = Box()
    with receiving(tmp_path, box.put) as assoc:
        for _ in range(2):
            out_of_resources(assoc)
            assert list(tmp_path.iterdir()) == []
        assert assoc.send_c_echo().Status == 0
        full[0] = False
        assert assoc.send_c_store(image()).Status == 0
    assert len(box.things) == 1


def test_a_file_size_limit_of_the_system_is_out_of_resources(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    box = Box()
    try:
        with receiving(tmp_path, box.put) as assoc:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
            out_of_resources(assoc, 5_000_000)
            assert list(tmp_path.iterdir()) == []
            assert assoc.send_c_store(image()).Status == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert len(box.things) == 1


def test_uids_of_a_peer_never_reach_a_file_name(tmp_path: Path) -> None:
    names = Box()

    def on_store(event: Any) -> int:
        return names.put(event.dataset_path)

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    scp = entity("SCP", VERIFICATION, CT, store_directory=inbox)
    with serving(scp, (evt.EVT_C_STORE, on_store)) as server, dialled(port_of(server)) as peer:
        for uid in ("../../evil", "/etc/passwd", "1.2\n3", "9" * 200, "x" * 9_000):
            command = {**pairs.STORE, "AffectedSOPInstanceUID": uid}
            encoded = pairs.encode_command({**command, "CommandDataSetType": 1})
            for start in range(0, len(encoded), 10_000):
                control = 3 if start + 10_000 >= len(encoded) else 1
                peer.send(pairs.values((3, control, encoded[start : start + 10_000])))
            peer.send(pairs.values((3, 2, b"data")))
            assert peer.command()["Status"] == 0
    assert [path.parent for path in names.things] == [inbox] * 5
    assert [path.name for path in tmp_path.iterdir()] == ["inbox"]
    assert list(inbox.iterdir()) == []


# -- responses -------------------------------------------------------------------------------------


def test_a_status_brings_what_explains_it() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        while peer.command()["CommandDataSetType"] != 1:
            pass
        peer.read()
        response = {
            "AffectedSOPClassUID": CT,
            "CommandField": 0x8001,
            "MessageIDBeingRespondedTo": 1,
            "Status": 0xA900,
            "OffendingElement": [0x00080016, 0x00080018],
            "ErrorComment": "no",
            "AffectedSOPInstanceUID": "1.2.3",
        }
        peer.send(pairs.message(3, response))
        assert peer.read() == pairs.ReleaseRQ()
        peer.send(pairs.ReleaseRP())

    with scripted(script) as port, entity().associate(LOCAL, port) as assoc:
        status = assoc.send_c_store(image("1.2.3"))
    assert status.Status == 0xA900
    assert list(status.OffendingElement) == [0x00080016, 0x00080018]
    assert status.ErrorComment == "no"
    assert {e.keyword for e in status} == {"Status", "OffendingElement", "ErrorComment"}


@pytest.mark.parametrize(
    "change",
    [{"MessageIDBeingRespondedTo": 99}, {"CommandField": 0x8020}],
    ids=["another message", "another service"],
)
def test_an_answer_to_something_else_is_an_abort_and_an_empty_data_set(
    change: dict[str, Any],
) -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        response = {"AffectedSOPClassUID": VERIFICATION, "CommandField": 0x8030,
                    "MessageIDBeingRespondedTo": 1, "Status": 0, **change}  # fmt: skip
        peer.send(pairs.message(1, response))
        got.extend(peer.rest())

    with scripted(script) as port:
        assoc = entity(linger=0.1).associate(LOCAL, port)
        status = assoc.send_c_echo()
        assert status == Dataset()
        assert not status
        assert assoc.is_aborted  # at once, not a moment later
    assert got == [pairs.Abort(0, 0)]
    assert isinstance(assoc.ended, Aborted)


def test_a_uid_of_pydicom_will_do() -> None:
    box = Box()
    with storing([(UID(CT), UNCOMPRESSED)], box) as (assoc, _):
        assert assoc.send_c_store(image()).Status == 0
    assert len(box.wait()) == 1


# -- which context -------------------------------------------------------------------------

PUSH, WATCH, PULL = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in (1, 2, 3))


def test_a_step_may_go_over_the_context_of_another_of_its_classes() -> None:
    requestor, _ = associated_for(VERIFICATION, WATCH, PULL)  # PS3.4 CC.2
    assert context_for(requestor, PULL).context_id == 5
    assert context_for(requestor, PUSH).context_id == 3
    with pytest.raises(ValueError, match="'CT Image Storage' has been accepted"):
        context_for(requestor, CT)


def test_a_step_without_any_of_these_has_no_context() -> None:
    requestor, _ = associated_for(VERIFICATION)
    with pytest.raises(ValueError, match="has been accepted by the peer"):
        context_for(requestor, PUSH)


def test_a_context_in_the_other_role_is_no_good_unless_the_role_does_not_matter() -> None:
    requestor, _ = associated_for(CT)
    requestor.contexts[1] = requestor.contexts[1]._replace(as_scu=False)
    with pytest.raises(ValueError, match="for the SCU role"):
        context_for(requestor, CT)
    assert context_for(requestor, CT, any_role=True).context_id == 1


@pytest.mark.parametrize("form", ["dataset", "path", "header"])
@pytest.mark.parametrize("accepted", [RLE, EXPLICIT, JPEG])
def test_an_instance_is_decompressed_when_that_is_the_only_way(
    form: str, accepted: str, tmp_path: Path
) -> None:
    ds = dcmread(get_testdata_file("MR_small_RLE.dcm"))
    path = saved(tmp_path / "rle", ds)
    given = {"dataset": ds, "path": path, "header": read_header(path)}[form]
    requestor, _ = associated_for(MR, syntax=accepted)
    if accepted == JPEG:  # neither as it is nor without compression
        with (
            pytest.raises(ValueError, match="has been accepted"),
            outgoing(requestor, given, decompress=True),
        ):
            pass
        return
    with outgoing(requestor, given, decompress=True) as what:
        sent = b"".join(what.stream.chunks())
    if accepted == RLE:
        assert sent == raw(path)
    else:
        assert (
            parsed(sent, EXPLICIT).PixelData == dcmread(get_testdata_file("MR_small.dcm")).PixelData
        )
