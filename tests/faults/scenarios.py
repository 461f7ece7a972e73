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
    "a_port_scan": Scenario("T15", "500 connections that are closed at once", "nothing is kept"),
    "a_port_scan_in_the_log": Scenario(
        "T15",
        "500 connections that are closed at once, in the log",
        "fewer lines than connections",
        "a line each",
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
}
"""Scenarios that tests elsewhere play, by the test."""

LEFT_OUT: dict[str, tuple[str, str]] = {
    "T10": (
        "a peer that vanishes without a word",
        "a network that drops packets is not to be had in a test; the deadlines of T03, T05, T07 "
        "and T11 end such a line",
    ),
    "T16": ("a connection every second for a day", "T15 is the same in short"),
    "T21": ("clocks that step", "all deadlines are on the monotonic clock, which does not"),
    "N14": ("a known AE title from another address", "addresses are not compared"),
    "N44": ("a passcode without TLS", "for a handler of EVT_USER_ID to judge"),
    "N45": ("a token that is expired, unsigned, for somebody else", "likewise"),
    "N49": ("too many associations of one peer", "there is no limit for each peer"),
}
"""Rows that are not tried: the fault, and why not."""

SCENARIOS = [
    *TRANSPORT.values(),
    *BEGINNINGS.values(),
    *MESSAGES.values(),
    *REQUESTORS.values(),
    *IN_MEMORY.values(),
]
