"""Faults that take more than bytes: when, how many at once, how fast; and the answer to each.

The name of a scenario is that of its test: `test_<name>` in the file that its group says.
"""

from __future__ import annotations

from tests.faults.rows import CLOSED, Scenario

TRANSPORT: dict[str, Scenario] = {
    "silence": Scenario("T01", "a connection on which nothing is sent", CLOSED),
    "many_silent_connections": Scenario(
        "T02", "3, 200 and 1,000 silent connections at once", "C-ECHO of others goes on"
    ),
    "a_request_that_stops": Scenario(
        "T03", "each possible part of a request, then silence", CLOSED
    ),
    "a_request_byte_by_byte": Scenario(
        "T04", "a request at a byte every now and then", f"{CLOSED} at the same deadline"
    ),
    "a_message_that_stops": Scenario(
        "T05", "each possible part of a message, then silence", "ABORT"
    ),
    "half_a_pdu": Scenario("T05", "half a P-DATA-TF, then silence", "ABORT(2,0)"),
    "a_data_set_byte_by_byte": Scenario(
        "T06", "a P-DATA-TF at a byte every now and then", "ABORT(2,0)"
    ),
    "an_idle_association": Scenario(
        "T07", "an association on which nothing is asked", "ABORT(0,0)"
    ),
    "resets_at_each_byte": Scenario(
        "T08", "a reset after each byte of a request and a message", "nothing is kept"
    ),
    "ends_at_each_byte": Scenario(
        "T09", "the end of the stream after each byte of them", "nothing is kept"
    ),
    "who_does_not_read": Scenario(
        "T11", "requests from a peer that reads no answer", f"{CLOSED} at the network time-out"
    ),
    "requests_without_end": Scenario(
        "T11", "requests without end from such a peer", "less than 5 MB is held"
    ),
    "who_reads_a_byte_now_and_then": Scenario(
        "T12", "requests from a peer that reads a byte every now and then", CLOSED
    ),
    "dicom_to_a_tls_port": Scenario("T14", "DICOM on the port for TLS", CLOSED),
    "a_silent_tls_client": Scenario(
        "T14", "connections to the port for TLS on which nothing is sent", CLOSED
    ),
    "a_port_scan": Scenario(
        "T15",
        "10,000 connections that are closed at once",
        "nothing is kept; ten lines in the log, then one a second that counts",
    ),
    "no_descriptors_left": Scenario(
        "T17", "more connections than descriptors", "they wait; associations go on"
    ),
    "byte_by_byte": Scenario("T18", "a whole association, each byte for itself", "as at once"),
    "at_once": Scenario("T18", "many messages and a release in one segment", "all are answered"),
    "who_reads_little_by_little": Scenario(
        "T19", "little room for what is sent", "all of it is sent"
    ),
    "ipv6": Scenario("T20", "IPv6", "as over IPv4"),
    "a_server_that_is_stopped": Scenario(
        "T23", "SIGTERM in the middle of a data set", "it is stored and acknowledged"
    ),
}

BEGINNINGS: dict[str, Scenario] = {
    "an_unknown_called_title": Scenario("N08", "a called AE title that is not ours", "RJ(1,1,7)"),
    "an_unknown_calling_title": Scenario("N09", "a calling AE title unknown", "RJ(1,1,3)"),
    "a_user_is_confirmed": Scenario(
        "N42", "user identity type 1, a response requested", "AC with an empty item 59H"
    ),
    "a_wrong_passcode": Scenario("N43", "user identity type 2 that is not verified", "RJ(1,2,1)"),
    "too_many_associations": Scenario("N48", "one association more than there may be", "RJ(2,3,2)"),
    "aborted_beginnings": Scenario("N51", "25 connections that begin with A-ABORT", CLOSED),
    "a_second_request": Scenario("N52", "A-ASSOCIATE-RQ after the release", f"ReleaseRP {CLOSED}"),
}

MESSAGES: dict[str, Scenario] = {
    "a_data_set_that_never_comes": Scenario(
        "P28", "a command whose data set never comes", "ABORT(0,0)"
    ),
    "words_after_the_release": Scenario(
        "P33", "a message after the release", f"ReleaseRP {CLOSED}"
    ),
    "an_abort_while_a_handler_runs": Scenario(
        "P36", "A-ABORT while a handler runs", f"{CLOSED}, no response"
    ),
    "a_query_is_cancelled": Scenario("P39", "C-CANCEL during a C-FIND", "C-FIND-RSP FE00"),
    "a_handler_that_raises": Scenario("P40", "a handler that raises", "C-STORE-RSP C211"),
    "a_handler_that_says_nothing": Scenario(
        "P40", "a handler that returns None", "C-STORE-RSP C002"
    ),
    "a_handler_that_says_rubbish": Scenario(
        "P40", "a handler that returns no status", "C-STORE-RSP C002"
    ),
    "a_handler_that_aborts": Scenario("P40", "a handler that aborts its association", "ABORT(0,0)"),
}

REQUESTORS: dict[str, Scenario] = {
    "a_context_never_proposed": Scenario("N53", "AC with a context never proposed", "ABORT(2,6)"),
    "a_result_that_is_none": Scenario("N53", "AC with result 7", "ABORT(2,6)"),
    "a_syntax_never_offered": Scenario(
        "N53", "AC with a transfer syntax never offered", "ABORT(2,6)"
    ),
    "no_context_answered": Scenario("N54", "AC without a context", "ABORT(0,0)"),
    "a_rejection_of_reserved_codes": Scenario("N55", "RJ with undefined codes", "is reported"),
    "no_answer": Scenario("N56", "a peer that connects and never answers", "ABORT(0,0)"),
    "a_response_to_another_request": Scenario(
        "P27", "a response to another Message ID", "ABORT(0,0)"
    ),
    "a_response_of_another_kind": Scenario("P27", "a response of another kind", "ABORT(0,0)"),
}
"""Asked of the blocking API, the asyncio API and echoscu; the answer is what they say to it."""

IN_MEMORY: dict[str, Scenario] = {
    "tests/services/test_association.py::test_both_sides_can_release_at_once": Scenario(
        "P34", "both sides release at once", "both are released (Sta9 to Sta12)"
    ),
    "tests/services/test_association.py::test_a_message_during_a_release_is_ignored_and_told": (
        Scenario(
            "P35", "a message while a release is awaited", "read, told, and the release goes on"
        )
    ),
    "tests/network/test_server.py::test_a_server_that_shuts_down_leaves_its_associations": Scenario(
        "T22", "the listening socket is closed under associations", "they go on"
    ),
    "tests/faults/test_bounds.py::test_one_association_too_many_is_rejected": Scenario(
        "N49", "one association more than an address may have", "RJ(2,3,2)"
    ),
}
"""Scenarios that tests elsewhere play, by the test."""

_TLS, _ACCESS, _TRANSPORT, _RENEWAL, _FLOODS, _TOKENS = (
    f"tests/faults/test_{name}.py::test_"
    for name in ("tls", "access", "transport", "renewal", "floods", "tokens")
)
SECURED: dict[str, Scenario] = {
    f"{_ACCESS}a_secret_without_tls_is_not_looked_at": Scenario(
        "N44",
        "a passcode, a ticket, an assertion or a token without TLS",
        "RJ(1,2,1), and no handler is asked, if asked for",
    ),
    f"{_TOKENS}tokens_that_are_no_good": Scenario(
        "N45",
        "a token that is expired, unsigned, for somebody else, rubbish or 65,000 bytes long",
        "RJ(1,2,1)",
    ),
    f"{_TOKENS}handlers_that_raise_show_no_token": Scenario(
        "N45", "a handler that raises, whatever it says", "RJ(1,2,1), and no log shows the token"
    ),
    f"{_TOKENS}a_token_of_100_kb": Scenario("N45", "a token of 100 kB", "ABORT(0,0)"),
    f"{_ACCESS}a_title_has_to_come_from_its_networks": Scenario(
        "N14", "a known AE title from another address", "RJ(1,1,3), if asked for"
    ),
    f"{_TLS}old_versions_are_refused": Scenario("X01", "TLS 1.0 and 1.1", "a TLS alert"),
    f"{_TLS}weak_suites_are_refused": Scenario(
        "X02", "only suites without encryption, 3DES, CBC, static RSA or anonymous", "a TLS alert"
    ),
    f"{_TLS}each_suite_of_the_profile_works": Scenario(
        "X03", "each suite of PS3.15 B.12, TLS 1.2 and 1.3", "an association"
    ),
    f"{_TLS}clients_that_are_not_let_in": Scenario(
        "X04", "no certificate, one of another authority, expired, not yet valid", "a TLS alert"
    ),
    f"{_TLS}a_revoked_client_is_not_let_in": Scenario("X04", "one that was revoked", "a TLS alert"),
    f"{_TLS}servers_that_are_not_trusted": Scenario(
        "X05", "as SCU: another name, another authority, self-signed, expired", "no association"
    ),
    f"{_TRANSPORT}a_silent_tls_client": Scenario(
        "X06", "silence, or half a ClientHello, on a TLS port", "closed; C-ECHO of others goes on"
    ),
    f"{_TLS}the_newest_version_is_taken_and_nothing_old_with_it": Scenario(
        "X07", "renegotiation, compression, session tickets", "none is offered"
    ),
    f"{_RENEWAL}a_session_of_before_helps_nobody": Scenario(
        "X08",
        "a session of before, when its authority was removed or its certificate revoked",
        "a TLS alert: it is verified anew",
    ),
    f"{_RENEWAL}a_certificate_may_expire_while_its_session_lasts": Scenario(
        "X08", "a TLS 1.2 session taken up when its certificate has expired", "closed"
    ),
    f"{_RENEWAL}a_tool_whose_authority_is_replaced": Scenario(
        "X08", "another authority, and SIGHUP", "clients of the old one: a TLS alert"
    ),
    f"{_RENEWAL}new_connections_get_the_new_certificate": Scenario(
        "X09",
        "another key and certificate, and `renew_tls`",
        "connections to come get it; associations go on",
    ),
    f"{_RENEWAL}what_cannot_be_used_changes_nothing": Scenario(
        "X09",
        "a file that is missing, wrong, expired or for everybody to read, and `renew_tls`",
        "one warning names it; the old ones are kept",
    ),
    f"{_RENEWAL}a_server_that_gets_sighup": Scenario(
        "X09", "another key and certificate, a bad one, and SIGHUP", "the same"
    ),
    f"{_TLS}a_line_cut_within_a_data_set_loses_it": Scenario(
        "X10", "the end of TCP without that of TLS in a data set", "nothing is kept"
    ),
    f"{_ACCESS}a_title_has_to_be_in_the_certificate": Scenario(
        "X11", "a calling AE title that the certificate does not name", "RJ(1,1,3), if asked for"
    ),
    f"{_TLS}what_is_wrong_with_files": Scenario(
        "X12", "a key that everybody may read", "the server does not start"
    ),
    f"{_ACCESS}who_guesses_is_refused_for_a_while": Scenario(
        "X13",
        "more wrong titles and passcodes from an address than may be in a minute",
        "RJ(2,3,1), and no handler is asked; other addresses are served",
    ),
    f"{_FLOODS}a_thousand_guesses_keep_nobody_waiting": Scenario(
        "X13", "1,000 of them as fast as they come", "few are judged, and few lines are in the log"
    ),
    f"{_ACCESS}a_server_for_everybody_says_so_once": Scenario(
        "X18",
        "a server beyond this machine with neither TLS nor networks",
        "a warning names it and what to do; it serves",
    ),
    f"{_ACCESS}no_log_and_no_repr_shows_a_secret": Scenario(
        "X17", "passcodes, tickets, assertions and tokens", "no log at any level shows them"
    ),
}
"""Rows of TLS and identity, by the test that plays them."""

_LINES = "tests/faults/test_lost_lines.py::test_"
OUTSIDE: dict[str, Scenario] = {
    f"{_LINES}a_lost_line_is_given_up_in_time": Scenario(
        "T10", "the network loses all: idle, receiving, sending", "closed at the time-outs"
    ),
    f"{_LINES}keepalive_ends_what_no_time_out_ends": Scenario(
        "T10", "the same, and the time-outs are long", "closed after `Limits.keepalive`"
    ),
    f"{_LINES}a_response_that_is_lost_with_the_line": Scenario(
        "T10",
        "as SCU: the network loses all before the response",
        "over at the time-out, or after `Limits.keepalive`",
    ),
    "tests/faults/test_health_checks.py::test_a_day_of_health_checks": Scenario(
        "T16", "22,000 connections that are closed at once, one after the other", "nothing is kept"
    ),
    "tests/faults/test_clocks.py::test_no_deadline_is_early": Scenario(
        "T21", "the clock steps by an hour, both ways: idle, in a request, in a PDU", "all go on"
    ),
    "tests/faults/test_clocks.py::test_no_deadline_is_late": Scenario(
        "T21", "the same, and time-outs that end them", "ended in time"
    ),
}
"""Rows about what is around the server, its network and its clock, by the test that plays them."""

FUZZED: dict[str, Scenario] = {
    "tests/fuzz/test_targets.py::test_replay": Scenario(
        "L11", "bytes that nobody thought of", "documented errors only"
    ),
    "tests/faults/test_replay.py::test_replayed": Scenario(
        "L12",
        "recorded associations of other programs, changed and replayed over TCP",
        "each connection ends, and nothing else suffers",
    ),
}
"""What is not played but searched for, by the test that plays what was found."""

LEFT_OUT: dict[str, tuple[str, str]] = {
    "X14": ("an audit collector that is down", "for the archive; nothing is audited yet"),
    "X15": ("audit messages with odd text", "likewise"),
    "X16": ("an audit message for each event", "likewise"),
    "L04": ("72 hours of soak", '`make soak ARGS="--minutes 4320"`; a short one is a test'),
    "L07": ("an object of 1,000,000 elements in an archive", "for the archive"),
    "L08": ("a disk that takes 2 s for each flush", "for the archive"),
    "L09": (
        "kills, pauses and cuts while 20 clients store",
        "for the archive; kills are tried here",
    ),
    "L10": ("upgrade and downgrade of an archive", "for the archive"),
}
"""Rows that are not tried: the fault, and why not."""

SCENARIOS = [
    *TRANSPORT.values(),
    *BEGINNINGS.values(),
    *MESSAGES.values(),
    *REQUESTORS.values(),
    *IN_MEMORY.values(),
    *SECURED.values(),
    *OUTSIDE.values(),
    *FUZZED.values(),
]
