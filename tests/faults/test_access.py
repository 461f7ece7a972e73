"""Turns peers that may not come in into refusals, and secrets into nothing that a log shows."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, Limits, Options, evt
from dicomwire.apps import echoscp, qrscp, requesting, storescp, wlmscp
from dicomwire.apps.output import belongs
from dicomwire.network.attempts import Attempts
from dicomwire.pdu_primitives import UserIdentityNegotiation
from dicomwire.protocol.errors import Rejected
from dicomwire.protocol.items import UserIdentity, UserIdentityResponse
from tests.faults.two_servers import KINDS, served
from tests.network import certificates
from tests.network.ends import LOCAL, VERIFICATION, Box, dial, entity, lines
from tests.protocol import pairs

both = pytest.mark.parametrize("kind", KINDS)
every = pytest.mark.parametrize("kind", [*KINDS, "workers"])


def rejected(ended: Any) -> tuple[int, int, int]:
    assert isinstance(ended, Rejected), ended
    return ended.result, ended.source, ended.reason


@every
@pytest.mark.parametrize(
    ("networks", "let_in"),
    [
        (("192.0.2.0/24", "2001:db8::/32"), False),
        (("192.0.2.0/24", "127.0.0.0/8"), True),
        (("::ffff:127.0.0.0/104",), True),
    ],
)
def test_peers_of_other_networks_are_not_let_in(
    kind: str, networks: tuple[str, ...], let_in: bool
) -> None:
    opened = Box()
    ae = entity("SCP", VERIFICATION, networks=networks)
    with served(kind, ae, (evt.EVT_CONN_OPEN, opened.put)) as port:
        assoc = entity("SCU", VERIFICATION).associate(LOCAL, port)
        assert assoc.is_established is let_in
        assoc.release()
        if not let_in:
            with dial(port) as peer:
                assert peer.rest() == []  # nothing was awaited
            assert opened.things == []


@both
def test_who_is_not_let_in_gives_one_line(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with served(kind, entity("SCP", networks=("192.0.2.1",))) as port, dial(port) as peer:
        assert peer.rest() == []
    found = [line for line in lines(caplog, logging.WARNING) if "Options.networks" in line]
    assert len(found) == 1
    assert found[0].startswith("127.0.0.1 port ")


@both
def test_titles_are_looked_at(kind: str) -> None:
    """N08, N09: the same for both kinds of servers."""
    ae = entity("SCP", VERIFICATION)
    ae.require_calling_aet, ae.require_called_aet = ["KNOWN"], True
    with served(kind, ae) as port:

        def asked(calling: str, called: str) -> Any:
            return entity(calling, VERIFICATION).associate(LOCAL, port, ae_title=called)

        assert rejected(asked("OTHER", "SCP").ended) == (1, 1, 3)
        assert rejected(asked("KNOWN", "OTHER").ended) == (1, 1, 7)
        assoc = asked("KNOWN", "SCP")
        assert assoc.is_established
        assoc.release()


@both
@pytest.mark.parametrize(
    ("title", "known", "answer"),
    [
        ("CT_1", (), None),
        ("ct1.example", (), None),  # an alternative name
        ("CT_3", (), (1, 1, 3)),
        ("CT_1", ("CT_1", "MR_1"), None),
        ("ct1.example", ("CT_1", "MR_1"), (1, 1, 3)),
        ("MR_1", ("CT_1", "MR_1"), (1, 1, 3)),
    ],
)
def test_a_title_has_to_be_in_the_certificate(
    kind: str, title: str, known: tuple[str, ...], answer: tuple[int, int, int] | None
) -> None:
    """X11."""
    ends = certificates.contexts(mutual=True, ours=None)
    ours = certificates.authority("").issue_cert("ct1.example", common_name="CT_1")
    ours.configure_cert(ends.client)
    ae = AE("SCP", Options(titles_in_certificates=True))
    ae.add_supported_context(VERIFICATION)
    ae.require_calling_aet = list(known)
    with served(kind, ae, ssl_context=ends.server) as port:
        assoc = entity(title, VERIFICATION).associate(
            LOCAL, port, tls_args=(ends.client, "localhost")
        )
        if answer is None:
            assert assoc.is_established, assoc.ended
            assoc.release()
        else:
            assert rejected(assoc.ended) == answer


@both
def test_without_a_certificate_no_title_is_good(kind: str) -> None:
    ae = AE("SCP", Options(titles_in_certificates=True))
    ae.add_supported_context(VERIFICATION)
    with served(kind, ae) as port:
        assert rejected(entity("SCU", VERIFICATION).associate(LOCAL, port).ended) == (1, 1, 3)


@every
@pytest.mark.parametrize(
    ("title", "let_in"), [("CT_1", True), ("MR_1", True), ("US_1", False), ("OTHER", True)]
)
def test_a_title_has_to_come_from_its_networks(
    kind: str, title: str, let_in: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """N14."""
    titles = {"CT_1": ("127.0.0.1",), " MR_1 ": ("192.0.2.0/24", "127.0.0.0/8")}
    ae = entity("SCP", VERIFICATION, title_networks={**titles, "US_1": ("192.0.2.0/24",)})
    with served(kind, ae) as port:
        assoc = entity(title, VERIFICATION).associate(LOCAL, port)
        assert assoc.is_established is let_in
        assoc.release()
    if not let_in:
        assert rejected(assoc.ended) == (1, 1, 3)
        if kind != "workers":  # whose lines are those of other processes
            (line,) = [each for each in lines(caplog, logging.WARNING) if "is refused" in each]
            assert line.startswith("127.0.0.1 port ")
            assert "(US_1)" in line
            assert line.endswith("Setting: Options.title_networks")


@both
def test_a_title_from_its_networks_may_still_be_unknown(kind: str) -> None:
    ae = entity("SCP", VERIFICATION, title_networks={"CT_1": (LOCAL,), "MR_1": (LOCAL,)})
    ae.require_calling_aet = ["CT_1"]
    with served(kind, ae) as port:
        assert rejected(entity("MR_1").associate(LOCAL, port).ended) == (1, 1, 3)
        assoc = entity("CT_1").associate(LOCAL, port)
        assert assoc.is_established
        assoc.release()


@pytest.mark.no_socket
@pytest.mark.parametrize(
    "titles", [{"CT_1": ()}, {"CT_1": "192.0.2.7"}, {"": (LOCAL,)}, {"CT_1": ("192.0.2.7/24",)}]
)
def test_titles_that_nobody_could_have_are_wrong(titles: Any) -> None:
    with pytest.raises(ValueError, match=r"title|network"):
        Options(title_networks=titles)
    assert hash(Options(title_networks={"CT_1": (LOCAL,)}))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("host", "networks", "warns"), [("", (), 1), ("", ("127.0.0.0/8",), 0), (LOCAL, (), 0)]
)
def test_a_server_for_everybody_says_so_once(
    workers: int,
    host: str,
    networks: tuple[str, ...],
    warns: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ae = entity("SCP", VERIFICATION, networks=networks)
    server = ae.start_server((host, 0), block=False, workers=workers)
    assert server is not None
    port = server.server_address[1]
    assoc = entity("SCU", VERIFICATION).associate(LOCAL, port)
    assert assoc.is_established
    assoc.release()
    ae.shutdown()
    found = [line for line in lines(caplog, logging.WARNING) if "Anybody" in line]
    assert len(found) == warns


# -- user identity ---------------------------------------------------------------------------------


def identified(port: int, identity: Any, title: str = "SCU") -> Any:
    """What became of an association with an identity."""
    return entity(title, VERIFICATION).associate(LOCAL, port, ext_neg=[identity])


def response_of(assoc: Any) -> bytes | None:
    """The answer to the identity (59H), None without."""
    items = assoc.connection.answer.user_information
    found = [each for each in items if isinstance(each, UserIdentityResponse)]
    return found[0].server_response if found else None


@both
@pytest.mark.parametrize(
    ("kind_of", "answer", "expected"),
    [
        (1, None, b""),  # N42
        (2, None, b""),
        (3, b"their ticket", b"their ticket"),
        (4, b"their assertion", b"their assertion"),
        (5, None, None),
        (9, None, None),  # N41: no handler is asked
    ],
)
def test_each_type_of_identity_and_its_answer(
    kind: str, kind_of: int, answer: bytes | None, expected: bytes | None
) -> None:
    asked = Box()

    def verify(event: Any) -> tuple[bool, bytes | None]:
        asked.put(event.user_id_type)
        return True, answer

    with served(kind, entity("SCP", VERIFICATION), (evt.EVT_USER_ID, verify)) as port:
        secret = b"passcode" if kind_of == 2 else b""
        assoc = identified(port, UserIdentity(kind_of, True, b"who", secret))
        assert assoc.is_established
        assert response_of(assoc) == expected
        assoc.release()
    assert asked.things == ([kind_of] if kind_of < 9 else [])


@both
@pytest.mark.parametrize(
    ("passcode", "let_in"), [(b"right", True), (b"wrong", False), (b"", False)]
)
def test_a_passcode_is_compared(kind: str, passcode: bytes, let_in: bool) -> None:
    """N43."""

    def verify(event: Any) -> tuple[bool, None]:
        assert not event.is_encrypted
        assert event.has_passcode(b"right") is event.has_passcode("right")
        return event.has_passcode("right"), None

    with served(kind, entity("SCP", VERIFICATION), (evt.EVT_USER_ID, verify)) as port:
        assoc = identified(port, UserIdentity(2, False, b"ada", passcode))
        if let_in:
            assert assoc.is_established
            assoc.release()
        else:
            assert rejected(assoc.ended) == (1, 2, 1)


@both
def test_a_name_alone_is_no_passcode(kind: str) -> None:
    def verify(event: Any) -> tuple[bool, None]:
        return event.has_passcode(""), None

    with served(kind, entity("SCP", VERIFICATION), (evt.EVT_USER_ID, verify)) as port:
        assert rejected(identified(port, UserIdentity(1, False, b"ada")).ended) == (1, 2, 1)


@both
def test_a_handler_knows_whether_anybody_could_read_the_passcode(kind: str) -> None:
    """N44."""
    ends, seen = certificates.contexts(), Box()

    def verify(event: Any) -> tuple[bool, None]:
        seen.put(event.is_encrypted)
        return event.is_encrypted, None

    ae = entity("SCP", VERIFICATION)
    with served(kind, ae, (evt.EVT_USER_ID, verify), ssl_context=ends.server) as port:
        assoc = entity("SCU", VERIFICATION).associate(
            LOCAL, port, ext_neg=[UserIdentity(2, False, b"a", b"b")],
            tls_args=(ends.client, "localhost"),
        )  # fmt: skip
        assert assoc.is_established
        assoc.release()
    assert seen.things == [True]


GUESSES = 5  # that may fail in a minute
GUESSER = "127.0.0.2"


def judged(port: int, title: str, passcode: bytes, host: str = GUESSER) -> tuple[int, ...] | None:
    """How an association was rejected that is asked for from an address; None if it was not."""
    assoc = entity(title, VERIFICATION).associate(
        LOCAL, port, ext_neg=[UserIdentity(2, False, b"ada", passcode)], bind_address=(host, 0)
    )
    if assoc.is_established:
        assoc.release()
        return None
    return rejected(assoc.ended)


@every
@pytest.mark.parametrize("what", ["titles", "passcodes"])
def test_who_guesses_is_refused_for_a_while(
    kind: str, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """X13."""
    asked = Box()

    def verify(event: Any) -> tuple[bool, None]:
        asked.put(event.primary_field)
        return event.has_passcode("right"), None

    ae = entity("SCP", VERIFICATION, limits=Limits(failures_per_minute=GUESSES))
    ae.require_calling_aet = ["KNOWN"]
    now = [100.0]
    ae.attempts = Attempts(clock=lambda: now[0])
    wrong = ("GUESS", b"right") if what == "titles" else ("KNOWN", b"wrong")
    answer = (1, 1, 3) if what == "titles" else (1, 2, 1)
    with served(kind, ae, (evt.EVT_USER_ID, verify)) as port:
        assert [judged(port, "KNOWN", b"right") for _ in range(3)] == [None] * 3
        assert [judged(port, *wrong) for _ in range(GUESSES)] == [answer] * GUESSES
        before = len(asked.things)
        assert judged(port, *wrong) == (2, 3, 1)
        assert judged(port, "KNOWN", b"right") == (2, 3, 1)  # nobody learns what is right
        assert len(asked.things) == before
        assert judged(port, "KNOWN", b"right", LOCAL) is None  # others go on
        if kind == "workers":  # whose lines and clocks are those of other processes
            return
        (_, line) = [each for each in lines(caplog, logging.WARNING) if "is refused" in each]
        assert line.startswith("127.0.0.2 port ")
        assert line.endswith("Setting: Limits.failures_per_minute")
        now[0] += 60 / GUESSES + 0.1
        assert judged(port, "KNOWN", b"right") is None
        now[0] += 60
        assert [judged(port, *wrong) for _ in range(GUESSES)] == [answer] * GUESSES


@both
def test_guesses_may_be_without_limit(kind: str) -> None:
    ae = entity("SCP", VERIFICATION, limits=Limits(failures_per_minute=None))
    ae.require_calling_aet = ["KNOWN"]
    with served(kind, ae) as port:
        for _ in range(350):
            with dial(port) as peer:
                peer.send(pairs.request())
                answer = peer.read()
                assert (answer.source, answer.reason) == (1, 3)  # type: ignore[union-attr]


@both
def test_what_is_refused_for_another_reason_is_no_guess(kind: str) -> None:
    ae = entity("SCP", VERIFICATION, limits=Limits(failures_per_minute=2))
    ae.maximum_associations = 1
    with served(kind, ae) as port:
        standing = entity("SCU", VERIFICATION).associate(LOCAL, port)
        for _ in range(5):
            assert rejected(entity("SCU").associate(LOCAL, port).ended) == (2, 3, 2)
        standing.release()


@every
@pytest.mark.parametrize("kind_of", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("needed", [False, True])
def test_a_secret_without_tls_is_not_looked_at(
    kind: str, kind_of: int, needed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """N44."""
    asked = Box()

    def verify(event: Any) -> tuple[bool, None]:
        asked.put(event.user_id_type)
        return True, None

    ae = entity("SCP", VERIFICATION, secrets_need_tls=needed)
    is_refused = needed and kind_of in SECRETS and kind_of > 1
    with served(kind, ae, (evt.EVT_USER_ID, verify)) as port:
        secret = b"Pass-Code-2" if kind_of == 2 else b""
        assoc = identified(port, UserIdentity(kind_of, False, b"Token-5", secret))
        assert assoc.is_established is not is_refused
        assoc.release()
    if is_refused:
        assert rejected(assoc.ended) == (1, 2, 1)
    if kind == "workers":  # whose lines and lists are those of other processes
        return
    assert asked.things == ([] if is_refused or kind_of == 9 else [kind_of])
    found = [each for each in lines(caplog, logging.WARNING) if "is refused" in each]
    assert len(found) == is_refused
    assert all(each.endswith("Setting: Options.secrets_need_tls") for each in found)


@both
def test_a_secret_over_tls_is_looked_at(kind: str) -> None:
    """N44."""
    ends = certificates.contexts()
    verify = (evt.EVT_USER_ID, lambda event: (event.has_passcode("right"), None))
    ae = entity("SCP", VERIFICATION, secrets_need_tls=True)
    with served(kind, ae, verify, ssl_context=ends.server) as port:
        for passcode in (b"right", b"wrong"):
            assoc = entity("SCU", VERIFICATION).associate(
                LOCAL, port, ext_neg=[UserIdentity(2, False, b"a", passcode)],
                tls_args=(ends.client, "localhost"),
            )  # fmt: skip
            assert assoc.is_established is (passcode == b"right")
            assoc.release()


SECRETS = {1: "", 2: "Pass-Code-2", 3: "Ticket-3", 4: "Assertion-4", 5: "Token-5"}


@both
@pytest.mark.parametrize("let_in", [True, False])
@pytest.mark.parametrize("kind_of", SECRETS)
def test_no_log_and_no_repr_shows_a_secret(
    kind: str, kind_of: int, let_in: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """X17: everything that is said, at every level, by either side; and what a debugger shows."""
    secret = SECRETS[kind_of]
    primary = b"ada" if kind_of in (1, 2) else secret.encode()
    secondary = secret.encode() if kind_of == 2 else b""
    shown: list[str] = []

    def verify(event: Any) -> tuple[bool, bytes]:
        shown.extend(text(each) for each in (event, event.user_identity, event.assoc.requestor))
        if not let_in and kind_of == 5:
            raise ValueError("the token is not good")
        return let_in, b"Answer-of-ours"

    def requested(event: Any) -> None:
        assoc = event.assoc
        shown.extend(text(each) for each in (assoc.requestor.primitive, assoc.connection.request))
        shown.extend(text(each) for each in assoc.requestor.extended_negotiation)

    caplog.set_level(logging.DEBUG)
    handlers = ((evt.EVT_USER_ID, verify), (evt.EVT_REQUESTED, requested))
    with served(kind, entity("SCP", VERIFICATION), *handlers) as port:
        given = UserIdentityNegotiation()
        given.user_identity_type = kind_of
        given.primary_field = primary
        if secondary:
            given.secondary_field = secondary
        given.positive_response_requested = True
        shown.append(text(given))
        assoc = identified(port, given)
        shown.extend(text(each) for each in (assoc, assoc.ended, assoc.acceptor, assoc.requestor))
        shown.append(text(assoc.acceptor.user_identity))
        assoc.release()
    shown.extend(record.getMessage() for record in caplog.records)
    assert any("User Identity" in each for each in shown)
    everything = "\n".join(shown) + caplog.text
    for each in filter(None, (secret, "Answer-of-ours")):
        hexadecimal = each.encode().hex(" ")
        for form in (each, hexadecimal, hexadecimal.replace(" ", ""), each.encode().hex(":")):
            assert form.lower() not in everything.lower()


def text(thing: Any) -> str:
    return f"{thing!r} {thing!s}"


# -- options of the tools --------------------------------------------------------------------------


@pytest.mark.no_socket
@pytest.mark.parametrize("tool", [echoscp, storescp, wlmscp])
def test_the_tools_that_serve_have_options_for_it(tool: Any) -> None:
    argv = ["--allow", "192.0.2.0/24, 2001:db8::/32", "--max-associations", "7"]
    argv += ["--max-per-address", "2", "--stall-timeout", "5", "--min-rate", "0"]
    argv += ["--keepalive", "9", "--max-failures", "0"]
    argv += ["--peer", "CT_1=192.0.2.7", "--peer", "MR 1=192.0.2.8,2001:db8::/32"]
    argv += ["--peer", "CT_1=192.0.2.9"]
    args = tool.make_parser().read([*argv, "--title-in-certificate", "104"])
    ae = requesting.entity("SCP", args)
    assert ae.options.networks == ("192.0.2.0/24", "2001:db8::/32")
    assert ae.options.title_networks == {
        "CT_1": ("192.0.2.7", "192.0.2.9"),
        "MR 1": ("192.0.2.8", "2001:db8::/32"),
    }
    assert ae.options.titles_in_certificates
    assert ae.maximum_associations == 7
    limits = Limits(
        associations_per_address=2, failures_per_minute=None, stall=5.0, rate=0, keepalive=9.0
    )
    assert ae.options.limits == limits
    usual = requesting.entity("SCP", tool.make_parser().read(["104"]))
    assert usual.options == Options()
    assert usual.maximum_associations == 100


@pytest.mark.no_socket
def test_an_archive_may_have_its_networks_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "qrscp.toml"
    settings = 'networks = "192.0.2.0/24"\nmax_associations = 3\n'
    ct = '[[peer]]\ntitle = "CT_1"\nhost = "ct1"\nport = 104\nnetworks = "192.0.2.7"\n'
    mr = '[[peer]]\ntitle = "MR_1"\nhost = "mr1"\nport = 104\n'
    file.write_text(settings + ct + mr)
    argv = ["-c", str(file), "--peer", "US_1=192.0.2.9"]
    args, _ = qrscp.settled(qrscp.make_parser().read(argv))
    ae = requesting.entity("SCP", args)
    assert ae.options.networks == ("192.0.2.0/24",)
    assert ae.options.title_networks == {"CT_1": ("192.0.2.7",), "US_1": ("192.0.2.9",)}
    assert ae.maximum_associations == 3


@pytest.mark.no_socket
def test_what_is_no_network_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        echoscp.make_parser().read(["--allow", "192.0.2.7/24", "104"])
    assert "192.0.2.0/24" in capsys.readouterr().err


@pytest.mark.no_socket
@pytest.mark.parametrize("text", ["CT_1", "CT_1=", "=192.0.2.7", "CT_1=ct1.example"])
def test_what_binds_no_title_is_wrong_use(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        echoscp.make_parser().read(["--peer", text, "104"])
    assert "--peer" in capsys.readouterr().err


@pytest.mark.no_socket
def test_the_tools_show_who_was_refused_and_who_may_come_in() -> None:
    record = logging.LogRecord("dicomwire.server", logging.WARNING, "", 0, "who", (), None)
    assert belongs(record, debug=False)
