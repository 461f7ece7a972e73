"""A sender: files into C-STORE requests, or C-ECHO requests without any, by pynetdicom.

Prints a line of JSON: the statuses, whether the association was accepted, how it ended.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
from pathlib import Path

from pydicom import dcmread
from pynetdicom import AE, Association, _config, build_context, evt
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import Verification


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--raw", action="store_true", help="send files undecoded")
    parser.add_argument("--called", default="ANY-SCP")
    parser.add_argument("--pdu", type=int, default=16382)
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "AUTHORITY"))
    parser.add_argument("--user", help="user:password")
    parser.add_argument("--abort", action="store_true", help="abort instead of releasing")
    return parser.parse_intermixed_args()


def identity(user: str) -> UserIdentityNegotiation:
    """Make the item for a user and password."""
    item = UserIdentityNegotiation()
    item.user_identity_type = 2
    name, _, password = user.partition(":")
    item.primary_field, item.secondary_field = name.encode(), password.encode()
    return item


def hold_reactor(assoc: Association) -> None:
    """Keep the association's second thread from taking responses that the first waits for.

    pynetdicom pauses that thread for each request, but may go on before it has really stopped; a
    fast response is then lost, and the request times out.
    """
    checkpoint = assoc._reactor_checkpoint
    checkpoint.clear()
    checkpoint.set = lambda: None
    while not checkpoint._cond._waiters:
        assoc.join(0.001)


def main() -> None:
    """Send, and say how it went."""
    args = arguments()
    _config.STORE_SEND_CHUNKED_DATASET = args.raw
    pairs = {}
    for path in args.files:
        ds = dcmread(path, stop_before_pixels=True)
        pairs[ds.SOPClassUID, ds.file_meta.TransferSyntaxUID] = None
    contexts = [build_context(Verification), *(build_context(*pair) for pair in pairs)]
    tls = None
    if args.tls:
        certificate, key, authority = args.tls
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority)
        context.load_cert_chain(certificate, key)
        tls = (context, "localhost")
    received = []
    assoc = AE("PYNETDICOM").associate(
        "127.0.0.1",
        args.port,
        contexts,
        ae_title=args.called,
        max_pdu=args.pdu,
        ext_neg=[identity(args.user)] if args.user else None,
        tls_args=tls,
        evt_handlers=[(evt.EVT_PDU_RECV, lambda event: received.append(type(event.pdu)))],
    )
    accepted, statuses = assoc.is_established, []
    if accepted:
        hold_reactor(assoc)
        answers = [assoc.send_c_store(path) for path in args.files] or [assoc.send_c_echo()]
        statuses = [answer.get("Status") for answer in answers]
        if args.abort:
            assoc.abort()
        else:
            assoc.release()
    # A rejection faster than its first thread looks makes pynetdicom take the connection for failed
    # and say "aborted"; what came in is what counts.
    rejected = A_ASSOCIATE_RJ in received
    flags = ("released", "aborted")
    ended = ["rejected"] if rejected else [flag for flag in flags if getattr(assoc, f"is_{flag}")]
    json.dump({"accepted": accepted, "statuses": statuses, "ended": ended}, sys.stdout)


if __name__ == "__main__":
    main()
