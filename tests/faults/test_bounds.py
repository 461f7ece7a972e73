"""Turns peers that take what they can get into refusals, one line of the log, and served others."""

from __future__ import annotations

import contextlib
import itertools
import logging
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, Association, Limits, evt
from dicomwire.protocol.command import encode_command
from dicomwire.protocol.errors import Aborted, IdleTimedOut, LimitReached, Rejected
from dicomwire.protocol.pdus import Abort, AnyPDU
from dicomwire.services.wants import Timer
from tests.conftest import LEFT_OUT
from tests.faults.two_servers import KINDS, served
from tests.network import certificates
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    dial,
    entity,
    image,
    keys,
    until,
)
from tests.protocol import pairs

TOP = Path(__file__).parents[2]
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
LONG = {"stall": 600.0, "grace": 600.0}  # so that nothing but what a test is about can pass

both = pytest.mark.parametrize("kind", KINDS)
every = pytest.mark.parametrize("kind", [*KINDS, "workers"])


def limited(*uids: str, **limits: Any) -> AE:
    """An AE that serves under these limits, and whose time-outs do not matter."""
    ae = entity("SCP", *uids, limits=Limits(**{**LONG, **limits}))
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = None
    return ae


def echo_works(port: int) -> bool:
    """Whether somebody else is served."""
    scu = entity("SCU", VERIFICATION)
    assoc = scu.associate(LOCAL, port)
    status = assoc.send_c_echo() if assoc.is_established else None
    assoc.release()
    return status is not None and status.get("Status") == 0


@contextmanager
def dialled(port: int) -> Iterator[Peer]:
    """A raw connection on which an association for C-ECHO, C-STORE and C-FIND is asked for."""
    with dial(port) as peer:
        peer.send(pairs.request())
        assert type(peer.read()).__name__ == "AssociateAC"
        yield peer


def abort_of(peer: Peer) -> AnyPDU | None:
    """The A-ABORT that comes; what came before it does not matter."""
    found = peer.rest()
    return found[-1] if found else None


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that say who reached a limit."""
    return [
        record.getMessage()
        for record in caplog.records
        if " is refused: " in record.getMessage() and record.levelno == logging.WARNING
    ]


def one_line(caplog: pytest.LogCaptureFixture, setting: str) -> None:
    """There is one line, which names the peer and the setting."""
    until(lambda: bool(warnings(caplog)))
    (line,) = warnings(caplog)
    assert line.startswith("127.0.0.1 port ")
    assert f"Limits.{setting}" in line


STORE_COMMAND = encode_command({**pairs.STORE, "CommandDataSetType": 1})
MIDDLES = {  # what leaves the acceptor in the middle of something
    "the header of a PDU": pairs.values((1, 1, bytes(60)))[:3],
    "a PDU": pairs.values((1, 1, bytes(60)))[:40],
    "a command set": pairs.values((1, 1, encode_command({**pairs.ECHO})[:20])),
    "a message": pairs.values((3, 3, STORE_COMMAND)),
    "a data set": pairs.values((3, 3, STORE_COMMAND)) + pairs.values((3, 0, bytes(500))),
}


@both
@pytest.mark.parametrize("middle", MIDDLES)
def test_silence_in_the_middle_of_something_ends(
    kind: str, middle: str, caplog: pytest.LogCaptureFixture
) -> None:
    with served(kind, limited(stall=0.1)) as port, dialled(port) as peer:
        peer.send(MIDDLES[middle])
        assert abort_of(peer) == Abort(2, 0)
        one_line(caplog, "stall")
        assert echo_works(port)


@both
def test_silence_between_messages_does_not_count(kind: str) -> None:
    ends = Box()
    ae = limited(stall=0.05)
    with served(kind, ae, (evt.EVT_ABORTED, ends.put)) as port:
        with dialled(port) as idle:
            with dialled(port) as busy:
                busy.send(MIDDLES["a PDU"])
                assert abort_of(busy) == Abort(2, 0)  # so it has been longer than that
            idle.send(pairs.message(1, pairs.ECHO))
            assert idle.command()["Status"] == 0
        assert len(ends.wait(1)) >= 1


@both
@pytest.mark.parametrize("network_timeout", [0.05, 0.1, 0.25])
def test_silence_between_messages_ends_by_its_own_time_out(
    kind: str, network_timeout: float
) -> None:
    """Also where it is longer than that within a message, or the same."""
    ended = Box()
    ae = limited(stall=0.1)
    ae.network_timeout = network_timeout
    handler = (evt.EVT_ABORTED, lambda event: ended.put(event.assoc.ended))
    with served(kind, ae, handler) as port, dialled(port) as peer:
        peer.send(pairs.message(1, pairs.ECHO))
        assert peer.command()["Status"] == 0
        assert abort_of(peer) == Abort(0, 0)
        (why,) = ended.wait()
        assert isinstance(why.__cause__, IdleTimedOut)
        assert why.__cause__.seconds == network_timeout


@both
def test_the_shorter_network_time_out_counts(kind: str) -> None:
    ae = limited(stall=500.0)
    ae.network_timeout = 0.1
    with served(kind, ae) as port, dialled(port) as peer:
        peer.send(MIDDLES["a PDU"])
        assert abort_of(peer) == Abort(0, 0)


@both
def test_a_trickle_is_too_slow(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with served(kind, limited(rate=1 << 40, grace=0.1)) as port, dialled(port) as peer:
        peer.send(MIDDLES["a message"])
        peer.send(bytes((4, 0)) + (16000).to_bytes(4, "big"))
        peer.send((15996).to_bytes(4, "big") + bytes((3, 0)))
        over = threading.Event()

        def trickle() -> None:
            for _ in range(15990):
                try:
                    peer.send(b"x")
                except OSError:
                    break
                if over.wait(0.01):
                    break

        sending = threading.Thread(target=trickle)
        sending.start()
        try:
            assert abort_of(peer) == Abort(2, 0)
        finally:
            over.set()
            sending.join(WAIT)
        one_line(caplog, "rate")


@both
def test_a_fast_peer_is_measured_too_and_goes_on(kind: str) -> None:
    stored = Box()
    ae = limited(rate=1, grace=0.0)
    with served(kind, ae, (evt.EVT_C_STORE, stored.put)) as port, dialled(port) as peer:
        peer.send(MIDDLES["a message"])
        for _ in range(100):
            peer.send(pairs.values((3, 0, bytes(4000))))
        peer.send(pairs.values((3, 2, b"")))
        assert "Status" in peer.command()
    assert len(stored.wait()) == 1


def endless(event: Any) -> Iterator[Any]:
    """Answer a query with more than any buffer between two sockets takes."""
    while True:
        yield 0xFF00, keys(PatientComments="x" * 10000)


def small_window(port: int) -> socket.socket:
    """A connection that takes little before it is read from."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(WAIT)
    sock.connect((LOCAL, port))
    return sock


def find_request() -> tuple[bytes, bytes]:
    """An association request for C-FIND, and a query."""
    context = pairs.ProposedContext(1, FIND, (pairs.IMPLICIT,))
    command = {
        "AffectedSOPClassUID": FIND,
        "CommandField": 0x0020,
        "MessageID": 1,
        "Priority": 0,
    }
    identifier = bytes.fromhex("0800520006000000") + b"STUDY "
    return pairs.request(contexts=[context]).encode(), pairs.message(1, command, identifier)


@contextmanager
def querying(port: int) -> Iterator[Peer]:
    """A connection that takes little, on which a C-FIND was asked for."""
    with small_window(port) as sock:
        peer = Peer(sock)
        asking, query = find_request()
        peer.send(asking)
        assert type(peer.read()).__name__ == "AssociateAC"
        peer.send(query)
        yield peer


@both
@pytest.mark.parametrize("talks", [False, True])
def test_a_peer_that_does_not_read_ends(
    kind: str, talks: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ended = Box()
    ae = limited(FIND, stall=0.2)
    over = threading.Event()
    handlers = ((evt.EVT_C_FIND, endless), (evt.EVT_ABORTED, lambda e: ended.put(e.assoc.ended)))
    with served(kind, ae, *handlers) as port, querying(port) as peer:

        def talk() -> None:  # what it says is no sign that it reads
            cancel = pairs.message(1, {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 77})
            while not over.wait(0.01):
                try:
                    peer.send(cancel)
                except OSError:
                    return

        talking = threading.Thread(target=talk)
        if talks:
            talking.start()
        try:
            (why,) = ended.wait()
        finally:
            over.set()
            if talks:
                talking.join(WAIT)
        assert isinstance(why, Aborted)
        assert (why.source, why.reason) == (2, 0)
        assert isinstance(why.__cause__, LimitReached)
        one_line(caplog, "stall")


@both
def test_a_peer_that_reads_too_slowly_ends(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    ended = Box()
    ae = limited(FIND, rate=1 << 40, grace=0.1)
    handlers = ((evt.EVT_C_FIND, endless), (evt.EVT_ABORTED, lambda e: ended.put(e.assoc.ended)))
    with served(kind, ae, *handlers) as port, querying(port) as peer:
        nobody = threading.Event()
        with contextlib.suppress(OSError):
            while not ended.things and peer.socket.recv(65536):
                nobody.wait(0.002)
        (why,) = ended.wait()
        assert isinstance(why.__cause__, LimitReached), why
        one_line(caplog, "rate")


@both
def test_a_flood_of_requests_from_who_does_not_read_ends(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended = Box()
    ae = limited(FIND, waiting=50)
    handlers = ((evt.EVT_C_FIND, endless), (evt.EVT_ABORTED, lambda e: ended.put(e.assoc.ended)))
    with served(kind, ae, *handlers) as port, querying(port) as peer:
        with contextlib.suppress(OSError):  # reset or broken, as the system likes
            while not ended.things:
                peer.send(find_request()[1] * 50)
        (why,) = ended.wait()
        assert isinstance(why.__cause__, LimitReached), why
        one_line(caplog, "waiting")


# -- negotiating -------------------------------------------------------------------------------


def negotiating(**limits: Any) -> AE:
    """An AE whose time-out of a negotiation is short."""
    ae = limited(**limits)
    ae.acse_timeout = 0.3
    return ae


@both
@pytest.mark.parametrize("start", [0, 1, 5, 6, 30, 80])
def test_a_negotiation_that_stops_is_closed(kind: str, start: int) -> None:
    with served(kind, negotiating()) as port, dial(port) as peer:
        peer.send(pairs.request().encode()[:start])
        assert peer.rest() == []  # closed without a word (AA-2)
        assert echo_works(port)


@both
def test_a_trickle_does_not_put_the_end_of_a_negotiation_off(kind: str) -> None:
    with served(kind, negotiating()) as port, dial(port) as peer:
        peer.socket.settimeout(0.02)
        for byte in pairs.request().encode():  # it would take 4 s
            try:
                peer.send(bytes((byte,)))
                if not peer.socket.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("the request was awaited")
        assert echo_works(port)


# -- how many ----------------------------------------------------------------------------------


def asked(port: int, title: str = "SCU") -> Association:
    """Ask for an association that may be refused."""
    return entity(title, VERIFICATION).associate(LOCAL, port)


def rejection(assoc: Association) -> tuple[int, int, int]:
    ended = assoc.ended
    assert isinstance(ended, Rejected), ended
    return ended.result, ended.source, ended.reason


@every
@pytest.mark.parametrize("setting", ["AE.maximum_associations", "Limits.associations_per_address"])
def test_one_association_too_many_is_rejected(kind: str, setting: str) -> None:
    per_address = setting.startswith("Limits")
    ae = limited(associations_per_address=2 if per_address else None)
    ae.maximum_associations = 50 if per_address else 2
    with heard() as lines, served(kind, ae) as port:
        standing = [asked(port) for _ in range(2)]
        assert all(each.is_established for each in standing)
        assert rejection(asked(port, "ONE_MORE")) == (2, 3, 2)
        standing[0].release()

        def may_again() -> bool:  # the acceptor learns of the end a moment later
            assoc = asked(port)
            assoc.release()
            return assoc.is_released

        until(may_again)
        standing[1].release()
    if kind != "workers":  # whose lines are those of other processes
        assert "127.0.0.1 port " in lines[0]
        assert "(ONE_MORE) is refused" in lines[0]
        assert f"Setting: {setting}" in lines[0]


@both
def test_the_oldest_silent_connection_makes_room(kind: str) -> None:
    ae = limited(negotiations=3)
    with heard() as lines, served(kind, ae) as port, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(dial(port)) for _ in range(6)]
        for peer in silent[:3]:
            assert peer.rest() == []
        assert echo_works(port)
        assert silent[3].rest() == []  # for which a fourth one had to go
        silent[5].send(pairs.request())
        assert type(silent[5].read()).__name__ == "AssociateAC"
        until(lambda: len(lines) == 4)  # a line for each that had to go
    for line in lines:
        assert "127.0.0.1 port " in line
        assert line.endswith("Setting: Limits.negotiations")


@both
def test_associations_that_stand_make_no_room(kind: str) -> None:
    with served(kind, limited(negotiations=2)) as port, contextlib.ExitStack() as stack:
        peer = stack.enter_context(dialled(port))
        for _ in range(8):
            stack.enter_context(dial(port))
        peer.send(pairs.message(1, pairs.ECHO))
        assert peer.command()["Status"] == 0


@both
def test_the_longest_request_on_its_way_makes_room(kind: str) -> None:
    def claim(size: int) -> bytes:
        return bytes((1, 0)) + size.to_bytes(4, "big") + bytes(100)

    ae = limited(negotiation_memory=100_000)
    with heard() as lines, served(kind, ae) as port, dial(port) as long, dial(port) as longer:
        long.send(claim(90_000))
        with dial(port) as first:  # it has been read once something after it was answered
            first.send(pairs.request())
            assert type(first.read()).__name__ == "AssociateAC"
        until(lambda: held(ae) == 90_000)
        longer.send(claim(99_000))
        assert longer.rest() in ([Abort(0, 0)], [])  # cut off before it could be read
        one = [line for line in lines if "Limits.negotiation_memory" in line]
        assert len(one) == 1
        many = [pairs.ProposedContext(n, CT, (pairs.IMPLICIT,) * 40) for n in range(1, 21, 2)]
        with dial(port) as honest:
            honest.send(pairs.request(contexts=many))  # 10 KB
            assert type(honest.read()).__name__ == "AssociateAC"
        with dial(port) as other:
            other.send(claim(50_000))
            assert long.rest() == []


def held(ae: AE) -> int:
    """Bytes that the association requests on their way may take."""
    return sum(each.held for each in ae.negotiations._callers.values())


@contextmanager
def heard() -> Iterator[list[str]]:
    """The lines that say who was refused, from whichever thread, until the end of the block."""
    found: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if " is refused: " in record.getMessage():
                found.append(record.getMessage())

    handler = Listening(logging.WARNING)
    logging.getLogger("dicomwire").addHandler(handler)
    try:
        yield found
    finally:
        logging.getLogger("dicomwire").removeHandler(handler)


# -- others are served ---------------------------------------------------------------------------

MANY = 1000


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Room for both ends of many connections in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MANY if before[1] == resource.RLIM_INFINITY else min(4 * MANY, before[1])
    if wanted < 2 * MANY + 200:
        pytest.skip(f"{LEFT_OUT}more descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@every
def test_a_thousand_connections_that_never_speak_keep_nobody_waiting(
    kind: str, many_descriptors: None
) -> None:
    with served(kind, limited()) as port, contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(socket.create_connection((LOCAL, port), WAIT))
        assert echo_works(port)  # none of them ends by itself: no time-out is set


@every
@pytest.mark.parametrize("start", [1, 6, 60])
def test_three_stalled_peers_keep_nobody_waiting(kind: str, start: int) -> None:
    with served(kind, limited()) as port, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(dial(port)).send(pairs.request().encode()[:start])
        assert echo_works(port)


@every
@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"])
def test_a_peer_stalled_within_the_tls_handshake_keeps_nobody_waiting(
    kind: str, said: bytes
) -> None:
    ends = certificates.contexts(mutual=True)
    with served(kind, limited(), ssl_context=ends.server) as port, dial(port) as silent:
        silent.send(said)
        scu = entity("SCU", VERIFICATION)
        assoc = scu.associate(LOCAL, port, tls_args=(ends.client, "localhost"))
        assert assoc.send_c_echo().Status == 0
        assoc.release()


@both
def test_a_handshake_and_the_negotiation_have_one_deadline(kind: str) -> None:
    ends, seen = certificates.contexts(), Box()

    def opened(event: Any) -> None:  # the handshake is over
        seen.put((time.monotonic(), event.assoc.driver._accepted_at))

    def requested(event: Any) -> None:
        driver = event.assoc.driver
        if driver._deadline is None:  # asyncio: the request was there before it was awaited
            driver._timer = Timer.ACSE
            driver._due()
        seen.put(driver._deadline)

    ae = limited()
    ae.acse_timeout = 40.0
    handlers = ((evt.EVT_CONN_OPEN, opened), (evt.EVT_REQUESTED, requested))
    with served(kind, ae, *handlers, ssl_context=ends.server) as port:
        scu = entity("SCU", VERIFICATION)
        scu.associate(LOCAL, port, tls_args=(ends.client, "localhost")).release()
    (shaken, accepted), deadline = seen.wait(2)
    assert accepted < shaken
    assert deadline == accepted + 40.0


# -- memory ------------------------------------------------------------------------------------

MEGABYTES, MOST_MEGABYTES = 400, 5


PROCESSES = ("storescp", "echoscp", "asyncio")


@contextmanager
def process(kind: str, folder: Path) -> Iterator[tuple[int, Callable[[], float]]]:
    """A server in a process of its own: its port, and what says how many MB it has resident."""
    commands = {
        "storescp": ["-m", "dicomwire", "storescp", "-v", "-ba", LOCAL, "-od", str(folder), "0"],
        "echoscp": ["-m", "dicomwire", "echoscp", "-v", "-ba", LOCAL, "0"],
        "asyncio": ["-m", "tests.faults.asyncio_store", str(folder)],
    }
    running = subprocess.Popen(
        [sys.executable, *commands[kind]], cwd=TOP,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    says = running.stdout
    port = next(words[-1] for words in map(str.split, says) if words and words[-1].isdigit())
    reading = threading.Thread(target=says.read)  # who is not read stops in the end
    reading.start()

    def resident() -> float:
        status = Path(f"/proc/{running.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    try:
        yield int(port), resident
    finally:
        running.kill()
        running.wait(WAIT)
        reading.join(WAIT)
        says.close()


def store_of(size: int, whole: bool) -> Iterator[bytes]:
    """A C-STORE, with its data set in P-DATA-TF of 16 KiB."""
    yield pairs.values((3, 3, STORE_COMMAND))
    part = pairs.values((3, 0, bytes(16376))) * 64
    for _ in range(0, size, 1 << 20):
        yield part
    if whole:
        yield pairs.values((3, 2, b""))


def attack(name: str) -> Iterator[Iterator[bytes]]:
    """What is sent, connection by connection: 400 MB in all, of small things a part of that."""
    megabyte = bytes(1 << 20)
    size = MEGABYTES << 20
    asking = pairs.request().encode()
    if name == "rubbish":
        yield iter([megabyte] * MEGABYTES)
    elif name == "a P-DATA-TF before any association":
        yield iter([bytes((4, 0)) + size.to_bytes(4, "big"), *[megabyte] * MEGABYTES])
    elif name == "association requests of 1 MiB, all but the last byte":
        claim = bytes((1, 0)) + (1 << 20).to_bytes(4, "big")
        for _ in range(MEGABYTES):
            yield iter([claim + megabyte[:-1]])
    elif name == "a data set that never ends":
        yield itertools.chain([asking], store_of(size, whole=False))
    elif name == "a data set":
        yield itertools.chain([asking], store_of(size, whole=True))
    elif name == "a C-ECHO with a data set":
        echo = encode_command({**pairs.ECHO, "CommandDataSetType": 1})
        part = pairs.values((1, 0, bytes(16376))) * 64
        yield iter([asking, pairs.values((1, 3, echo)), *[part] * MEGABYTES])
    elif name == "C-ECHO by C-ECHO":
        echoes = pairs.message(1, pairs.ECHO) * 1000
        yield itertools.chain([asking], [echoes] * 200)  # more would only take longer
    else:
        assert name == "fragments of one byte"
        yield itertools.chain([asking, pairs.values((3, 3, STORE_COMMAND))],
            [pairs.values((3, 0, b"x")) * 50000] * 20)  # fmt: skip


@pytest.mark.parametrize("kind", PROCESSES)
@pytest.mark.parametrize(
    "name",
    [
        "rubbish",
        "a P-DATA-TF before any association",
        "association requests of 1 MiB, all but the last byte",
        "a data set that never ends",
        "a data set",
        "a C-ECHO with a data set",
        "C-ECHO by C-ECHO",
        "fragments of one byte",
    ],
)
def test_400_megabytes_from_anybody_take_little(kind: str, name: str, tmp_path: Path) -> None:
    with process(kind, tmp_path) as (port, resident), contextlib.ExitStack() as stack:
        for _ in range(3):  # what everybody costs
            assert echo_works(port)
        before, most = resident(), 0.0
        for sent in attack(name):
            sock = stack.enter_context(socket.create_connection((LOCAL, port), WAIT))
            with contextlib.suppress(OSError):
                for part in sent:
                    sock.sendall(part)
            most = max(most, resident())
        assert echo_works(port)
        most = max(most, resident())
        assert most - before < MOST_MEGABYTES, f"{before:.1f} MB became {most:.1f} MB"


@both
def test_an_identifier_that_is_too_long_is_refused(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Box()
    ae = limited(FIND, memory=1000)
    with served(kind, ae, (evt.EVT_C_FIND, seen.put)) as port, dial(port) as peer:
        asking, _ = find_request()
        peer.send(asking)
        assert type(peer.read()).__name__ == "AssociateAC"
        command = {
            "AffectedSOPClassUID": FIND,
            "CommandField": 0x0020,
            "MessageID": 1,
            "Priority": 0,
        }
        peer.send(pairs.message(1, command, bytes(1001)))
        assert peer.command()["Status"] == 0xA700
        assert seen.things == []
        one_line(caplog, "memory")


@both
def test_a_long_data_set_comes_whole_to_a_handler_by_way_of_a_file(kind: str) -> None:
    stored = Box()

    def store(event: Any) -> int:
        sink = event._message.data
        return stored.put((sink.is_in_memory, event.encoded_dataset(False), event.dataset))

    ae = limited(memory=1000)
    with served(kind, ae, (evt.EVT_C_STORE, store)) as port:
        assoc = entity("SCU", CT).associate(LOCAL, port)
        small, long = image(), image("1.2.3.5", size=50_000)
        for each in (small, long):
            assert assoc.send_c_store(each).Status == 0
        assoc.release()
    (first, _, _), (second, encoded, decoded) = stored.wait(2)
    assert (first, second) == (True, False)
    assert encoded.endswith(long.PixelData)
    assert decoded.PixelData == long.PixelData
