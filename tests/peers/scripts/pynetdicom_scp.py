"""A receiver: what comes over C-STORE into files, byte for byte, by pynetdicom."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path

from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    debug_logger,
    evt,
)
from pynetdicom.sop_class import Verification


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pdu", type=int, default=16382)
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "AUTHORITY"))
    parser.add_argument("--user", help="the user:password that is required")
    parser.add_argument("--title", help="the called AE title that is required")
    parser.add_argument("--abort", action="store_true", help="abort instead of storing")
    parser.add_argument("--syntax", nargs="*", default=ALL_TRANSFER_SYNTAXES)
    parser.add_argument("--debug", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Serve until the process is ended."""
    args = arguments()
    if args.debug:
        debug_logger()
    ae = AE(args.title or "PYNETDICOM")
    ae.maximum_pdu_size = args.pdu
    ae.require_called_aet = bool(args.title)
    ae.add_supported_context(Verification)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, args.syntax)

    def store(event: evt.Event) -> int:
        if args.abort:
            event.assoc.abort()
            return 0xA700
        name = f"{event.request.AffectedSOPInstanceUID}.dcm"
        (args.folder / name).write_bytes(event.encoded_dataset())
        return 0x0000

    def identify(event: evt.Event) -> tuple[bool, bytes | None]:
        given = b":".join([event.primary_field, event.secondary_field or b""])
        return given.decode() == args.user, None

    handlers = [(evt.EVT_C_STORE, store)]
    if args.user:
        handlers.append((evt.EVT_USER_ID, identify))
    context = None
    if args.tls:
        certificate, key, authority = args.tls
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificate, key)
    ae.start_server(("127.0.0.1", args.port), ssl_context=context, evt_handlers=handlers)


if __name__ == "__main__":
    main()
