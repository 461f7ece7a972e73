"""Turns peers that may not come in into refusals, and secrets into nothing that a log shows."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, Limits, Options, evt
from dicomwire.apps import echoscp, qrscp, requesting, storescp, wlmscp
from dicomwire.apps.output import belongs
from dicomwire.protocol.errors import Rejected
from tests.faults.two_servers import KINDS, served
from tests.network import certificates
from tests.network.ends import LOCAL, VERIFICATION, Box, dial, entity, lines

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
    with served(kind, entity("SCP", networks=("192.0.2.1",))) as port:
        for _ in range(3):
            with dial(port) as peer:
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


# -- options of the tools --------------------------------------------------------------------------


@pytest.mark.no_socket
@pytest.mark.parametrize("tool", [echoscp, storescp, wlmscp])
def test_the_tools_that_serve_have_options_for_it(tool: Any) -> None:
    argv = ["--allow", "192.0.2.0/24, 2001:db8::/32", "--max-associations", "7"]
    argv += ["--max-per-address", "2", "--stall-timeout", "5", "--min-rate", "0"]
    args = tool.make_parser().read([*argv, "--title-in-certificate", "104"])
    ae = requesting.entity("SCP", args)
    assert ae.options.networks == ("192.0.2.0/24", "2001:db8::/32")
    assert ae.options.titles_in_certificates
    assert ae.maximum_associations == 7
    limits = Limits(associations_per_address=2, stall=5.0, rate=0)
    assert ae.options.limits == limits
    usual = requesting.entity("SCP", tool.make_parser().read(["104"]))
    assert usual.options == Options()
    assert usual.maximum_associations == 100


@pytest.mark.no_socket
def test_an_archive_may_have_its_networks_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "qrscp.toml"
    file.write_text('networks = "192.0.2.0/24"\nmax_associations = 3\n')
    args, _ = qrscp.settled(qrscp.make_parser().read(["-c", str(file)]))
    ae = requesting.entity("SCP", args)
    assert ae.options.networks == ("192.0.2.0/24",)
    assert ae.maximum_associations == 3


@pytest.mark.no_socket
def test_what_is_no_network_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        echoscp.make_parser().read(["--allow", "192.0.2.7/24", "104"])
    assert "192.0.2.0/24" in capsys.readouterr().err


@pytest.mark.no_socket
def test_the_tools_show_who_was_refused_and_who_may_come_in() -> None:
    record = logging.LogRecord("dicomwire.server", logging.WARNING, "", 0, "who", (), None)
    assert belongs(record, debug=False)
