"""Our sender and DCMTK's receivers: storescp and dcmrecv."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydicom import dcmread

from dicomwire import AE, build_context
from dicomwire.network.transport import PlainTransport
from dicomwire.protocol.errors import Aborted, Rejected
from dicomwire.protocol.items import UserIdentity
from dicomwire.sop_class import Verification
from tests.peers import LOOPBACK
from tests.peers.conftest import Start
from tests.peers.objects import UNCOMPRESSED, Object, contents, write_image
from tests.peers.ours import ask, echo, send

NODELAY = {"TCP_NODELAY": "1"}  # DCMTK leaves Nagle's algorithm on unless told otherwise


@pytest.fixture
def everything(objects: list[Object], tmp_path: Path) -> list[str | Path]:
    """The options that let dcmrecv take the objects: without, it takes C-ECHO only."""
    return ["-xf", profile(objects, tmp_path / "dcmrecv.cfg"), "Everything"]


def profile(objects: Iterable[Object], path: Path) -> Path:
    """Write an association negotiation profile of DCMTK for C-ECHO and all the objects."""
    syntaxes = sorted({each.syntax for each in objects} | UNCOMPRESSED)
    classes = sorted({each.sop_class for each in objects} | {Verification})
    lines = ["[[TransferSyntaxes]]", "[Any]"]
    lines += [f"TransferSyntax{n} = {uid}" for n, uid in enumerate(syntaxes, 1)]
    lines += ["[[PresentationContexts]]", "[All]"]
    lines += [f"PresentationContext{n} = {uid}\\Any" for n, uid in enumerate(classes, 1)]
    lines += ["[[Profiles]]", "[Everything]", "PresentationContexts = All"]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.conformance("C-ECHO", "SCU", "DCMTK")
@pytest.mark.parametrize("environment", [{}, NODELAY], ids=["Nagle", "no delay"])
@pytest.mark.parametrize("name", ["storescp", "dcmrecv"])
def test_echo(dcmtk_scp: Start, name: str, environment: dict[str, str]) -> None:
    with dcmtk_scp(name, **environment) as peer:
        echo(peer.port)
        echo(peer.port, max_pdu=0)
    assert "Association Release" in peer.output


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
@pytest.mark.parametrize("environment", [{}, NODELAY], ids=["Nagle", "no delay"])
def test_storescp_keeps_every_byte(
    dcmtk_scp: Start,
    objects: list[Object],
    received: Callable[[], dict[str, bytes]],
    environment: dict[str, str],
) -> None:
    with dcmtk_scp("storescp", "+xa", "+B", **environment) as peer:
        send(peer.port, objects)
    assert received() == {each.instance: each.data for each in objects}


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_dcmrecv_keeps_every_byte(
    dcmtk_scp: Start,
    objects: list[Object],
    everything: list[str],
    received: Callable[[], dict[str, bytes]],
) -> None:
    with dcmtk_scp("dcmrecv", "+B", *everything) as peer:
        send(peer.port, objects)
    assert received() == {each.instance: each.data for each in objects}


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_what_storescp_decodes_is_what_was_sent(
    dcmtk_scp: Start,
    objects: list[Object],
    received: Callable[[], dict[str, bytes]],
    as_dcmtk_writes: Callable[[Object], Object],
) -> None:
    with dcmtk_scp("storescp", "+xa") as peer:
        send(peer.port, objects)
    assert received() == {each.instance: as_dcmtk_writes(each).data for each in objects}


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_what_dcmrecv_decodes_is_what_was_sent(
    dcmtk_scp: Start,
    objects: list[Object],
    everything: list[str],
    received_objects: Callable[[], list[Object]],
) -> None:
    with dcmtk_scp("dcmrecv", *everything) as peer:
        send(peer.port, objects)
    assert contents(received_objects()) == contents(objects)


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
@pytest.mark.parametrize("prefers", ["+xi", "+xe", "+xb", "+xd"])
def test_conversion_to_what_storescp_prefers(
    dcmtk_scp: Start,
    objects: list[Object],
    received_objects: Callable[[], list[Object]],
    prefers: str,
) -> None:
    plain = [each for each in objects if each.syntax in UNCOMPRESSED]
    with dcmtk_scp("storescp", prefers, "+B") as peer:
        classes = dict.fromkeys(each.sop_class for each in plain)
        send(peer.port, plain, contexts=[build_context(uid, [*UNCOMPRESSED]) for uid in classes])
    arrived = received_objects()
    assert len({each.syntax for each in arrived}) == 1
    assert contents(arrived) == contents(plain)


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
@pytest.mark.parametrize("size", [4096, 16384, 131072])
@pytest.mark.parametrize("name", ["storescp", "dcmrecv"])
def test_pdu_sizes(
    dcmtk_scp: Start,
    large: Object,
    objects: list[Object],
    tmp_path: Path,
    received: Callable[[], dict[str, bytes]],
    name: str,
    size: int,
) -> None:
    some = [large, *objects[:2]]
    options: dict[str, list[str | Path]] = {
        "storescp": ["+xa"],
        "dcmrecv": ["-xf", profile(some, tmp_path / "dcmrecv.cfg"), "Everything"],
    }
    with dcmtk_scp(name, "+B", "-pdu", str(size), *options[name]) as peer:
        send(peer.port, some, max_pdu=0)
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_lengths_around_a_fragment(
    dcmtk_scp: Start, tmp_path: Path, received: Callable[[], dict[str, bytes]]
) -> None:
    base = len(write_image(tmp_path / "base.dcm", 1, 1, 1).data) - 2
    fragment = 16384 - 6 - 6  # what DCMTK's default leaves of a PDU, rounded to even
    sizes = [each - base for each in (*range(fragment - 4, fragment + 6, 2), 2 * fragment)]
    some = [write_image(tmp_path / f"{size}.dcm", 1, 1, size // 2, number=size) for size in sizes]
    with dcmtk_scp("storescp", "+xa", "+B") as peer:
        send(peer.port, some)
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-ECHO", "SCU", "DCMTK")
def test_many_echoes_to_a_peer_with_nagle_on(
    dcmtk_scp: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a peer sends the rest of a response only once its start is acknowledged."""
    expected: list[bool] = []
    receive = PlainTransport.receive

    def spy(self: PlainTransport, buffer: memoryview, timeout: float | None, soon: bool) -> int:
        expected.append(soon)
        return receive(self, buffer, timeout, soon)

    monkeypatch.setattr(PlainTransport, "receive", spy)
    with dcmtk_scp("storescp") as peer, ask(peer.port) as assoc:
        assert {assoc.send_c_echo().Status for _ in range(100)} == {0}
        assert len(expected) > 100
        assert all(expected)  # each wait for a response asks for acknowledgements at once


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_several_at_once(
    dcmtk_scp: Start, tmp_path: Path, received: Callable[[], dict[str, bytes]]
) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 1, 701, 999, number=n) for n in range(8)]
    with (
        dcmtk_scp("storescp", "+xa", "+B", "--fork") as peer,
        ThreadPoolExecutor(4) as pool,
    ):
        list(pool.map(lambda part: send(peer.port, part), [some[n::4] for n in range(4)]))
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_128_contexts(dcmtk_scp: Start, objects: list[Object]) -> None:
    private = [f"1.2.3.{number}" for number in range(126)]
    contexts = [build_context(uid) for uid in [Verification, *private, objects[0].sop_class]]
    with dcmtk_scp("storescp", "-pm") as peer, ask(peer.port, contexts=contexts) as assoc:
        assert len(assoc.accepted_contexts) == 128
        assert assoc.send_c_echo().Status == 0
        assert assoc.send_c_store(objects[0].path).Status == 0


@pytest.mark.conformance("Association refused", "SCU", "DCMTK")
def test_refused(dcmtk_scp: Start) -> None:
    with dcmtk_scp("storescp", "--refuse") as peer:
        assoc = ask(peer.port)
        assert assoc.is_rejected
        assert not assoc.is_established
        assert isinstance(assoc.ended, Rejected)
        assert (assoc.ended.result, assoc.ended.source, assoc.ended.reason) == (1, 1, 1)
        assert "Check:" in str(assoc.ended)


@pytest.mark.conformance("Association refused", "SCU", "DCMTK")
def test_no_context_that_the_peer_knows(dcmtk_scp: Start) -> None:
    with dcmtk_scp("storescp") as peer:
        assoc = ask(peer.port, contexts=[build_context("1.2.3.4")])
        assert assoc.is_aborted
        assert "presentation context" in str(assoc.ended)
        echo(peer.port)
    assert "Association Abort" in peer.output


@pytest.mark.conformance("Association aborted", "SCU", "DCMTK")
@pytest.mark.parametrize("when", ["--abort-after", "--abort-during"])
def test_abort_by_storescp(dcmtk_scp: Start, large: Object, when: str) -> None:
    with dcmtk_scp("storescp", "+xa", when) as peer:
        assoc = ask(peer.port, [large])
        assert not assoc.send_c_store(large.path)  # an empty Dataset
        assert assoc.is_aborted
        assert isinstance(assoc.ended, Aborted)
        with pytest.raises(RuntimeError, match="must be established"):
            assoc.send_c_echo()


@pytest.mark.conformance("Association aborted", "SCU", "DCMTK")
def test_our_abort(dcmtk_scp: Start) -> None:
    with dcmtk_scp("storescp") as peer:
        assoc = ask(peer.port)
        assoc.abort()
        assert assoc.is_aborted
        echo(peer.port)
    assert "Association Aborted" in peer.output


@pytest.mark.conformance("User identity", "SCU", "DCMTK")
def test_user_identity_is_understood(dcmtk_scp: Start) -> None:
    with dcmtk_scp("storescp", "-d") as peer:
        identity = UserIdentity(2, False, b"alice", b"s3cret")
        echo(peer.port, ext_neg=[identity])
    assert "alice" in peer.output


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
def test_a_dataset_in_memory(
    dcmtk_scp: Start, large: Object, received_objects: Callable[[], list[Object]]
) -> None:
    with dcmtk_scp("storescp", "+xi", "+B") as peer:
        ae = AE()
        ae.add_requested_context(large.sop_class)
        with ae.associate(LOOPBACK, peer.port) as assoc:
            assert assoc.send_c_store(dcmread(large.path)).Status == 0
    assert contents(received_objects()) == contents([large])
