"""Everything that can be set about associations, as one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from dicomwire._version import __version__
from dicomwire.network.access import networks_of
from dicomwire.protocol.fields import Settings
from dicomwire.protocol.limits import Limits
from dicomwire.protocol.validate import is_valid_ae_title

# A UID of our own under the arc that ISO/IEC 9834-8 gives to everybody who makes a UUID.
UID_PREFIX = "2.25."
IMPLEMENTATION_UID = f"{UID_PREFIX}258558336711360665739169719712838664078"
IMPLEMENTATION_VERSION = "DICOMWIRE_" + "".join(__version__.split(".")[:3])

DEFAULT_MAXIMUM_LENGTH = 16382
MOST_ASSOCIATIONS = 100


class Options(Settings):
    """Settings of an AE that are not AE titles, contexts or time-outs.

    Parameters
    ----------
    store_directory : Path, optional
        Where the data sets of C-STORE requests are written as they arrive, each as a Part 10 file
        under a temporary name (`event.dataset_path`). A handler moves it to where it shall stay;
        it is removed when the handler leaves it. None keeps data sets in memory.
    drop_stores : bool
        Whether the data sets of C-STORE requests are read and dropped: a handler sees the request
        only. For tests of senders, and for speed without a disk.
    flush_stores : bool
        Whether `event.save_as` waits until the disk has the file and its name, so that the Success
        that a handler returns then is a promise that a power cut does not break. A handler that
        returns a function, which does this, lets the next objects come meanwhile.
    check_stores : bool
        Whether the data set of a C-STORE request is looked through before a handler sees it. One
        whose lengths do not fit, or whose sequences are nested deeper than `Limits.depth`, is
        refused with 0xC000; one that is not what the request says with 0xA900; a deflated one that
        inflates to more than `Limits.inflated` with 0xA700. No value is decoded.
    accept_any_storage : bool
        Accept storage, private and unknown SOP classes without their being listed as supported.
    linger : float
        Seconds that the peer is given to close the connection after the last PDU of an
        association (the ARTIM timer of PS3.8 9.1.5 in Sta13).
    log_messages : bool
        Whether PDUs and DIMSE messages go to the log (at level DEBUG).
    log_request_identifiers, log_response_identifiers : bool
        Whether the identifiers of C-FIND, C-GET and C-MOVE go to the log with them (at level
        INFO, and at DEBUG in the responses that we send). They are about patients.
    pad_titles : bool
        Whether AE titles in command sets are sent with spaces up to 16 characters.
    asynchronous_operations : (int, int)
        How many operations this side invokes, and performs, at once on one association, if the
        peer agrees (PS3.7 D.3.3.3); 0 is unlimited. (1, 1) is one after the other, and nothing
        is negotiated.
    counts_bind : bool
        Whether the number of sub-operations that a handler of C-GET or C-MOVE announces binds it:
        those that it then does not give count as failed. It may be more than 65,535, where the
        counts in the responses stop. False is as with pynetdicom: what is not given does not
        count, and more are refused with 0xC416 or 0xC516.
    pass_context : bool
        Whether the threads of servers and of their associations run in a copy of the context
        (`contextvars`) of who started the server.
    limits : Limits
        What a peer may cost.
    networks : tuple of str
        Where peers of a server may connect from: networks ("192.0.2.0/24", "2001:db8::/32") and
        addresses. Whoever comes from elsewhere is disconnected before anything is read. Empty
        takes everybody.
    title_networks : mapping of str to tuple of str
        From where a calling AE title may come, for those that are bound to networks or addresses:
        {"CT_1": ("192.0.2.7",)}. Who has such a title and comes from elsewhere is rejected with
        (1, 1, 3), calling AE title not recognised. What other titles may do, it does not say:
        `AE.require_calling_aet` does.
    titles_in_certificates : bool
        Whether the calling AE title has to be a common name, or an alternative DNS name, of the
        peer's certificate; else the association is rejected with (1, 1, 3), calling AE title not
        recognised. Servers without TLS then reject everybody.
    secrets_need_tls : bool
        Whether a user identity with a passcode, a ticket, an assertion or a token (PS3.7 Table
        D.3-14, types 2 to 5) is rejected with (1, 2, 1) on a connection without TLS, where anybody
        in between may have read it; no handler is asked. TLS that ends before, in a proxy, does
        not count.

    Raises
    ------
    ValueError
        When the numbers of operations do not fit 16 bits, or a network or a title is none.
    """

    store_directory: Path | None = None
    drop_stores: bool = False
    flush_stores: bool = False
    check_stores: bool = False
    accept_any_storage: bool = False
    linger: float = 2.0
    log_messages: bool = True
    log_request_identifiers: bool = True
    log_response_identifiers: bool = True
    pad_titles: bool = False
    asynchronous_operations: tuple[int, int] = (1, 1)
    counts_bind: bool = True
    pass_context: bool = False
    limits: Limits = Limits()
    networks: tuple[str, ...] = ()
    title_networks: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    titles_in_certificates: bool = False
    secrets_need_tls: bool = False

    def _check(self) -> None:
        if not all(0 <= number <= 0xFFFF for number in self.asynchronous_operations):
            raise ValueError(
                f"asynchronous_operations are 0 to 65535, not {self.asynchronous_operations}"
            )
        networks_of(tuple(self.networks))  # of a text alone each character would have to be one
        for title, networks in self.title_networks.items():
            if not is_valid_ae_title(title) or not networks_of(tuple(networks)):
                raise ValueError(f"title_networks: {title!r} is no AE title, or has no network")


class Defaults(NamedTuple):
    """What counts where nothing else is said.

    Parameters
    ----------
    options : Options
        Of an AE that was given none.
    enforce_uids : bool
        Whether a UID that a user gives has to be one of PS3.5 9.1, and not only 1 to 64 characters.
    judges_title, judges_uid : callable, optional
        Says instead whether an AE title, a UID that a user gives may be used, and if not, why.
    """

    options: Options = Options()
    enforce_uids: bool = False
    judges_title: Callable[[str], tuple[bool, str]] | None = None
    judges_uid: Callable[[str], tuple[bool, str]] | None = None


_OURS = Defaults()  # made once: each association asks for them many times

_source: list[Callable[[], Defaults]] = [lambda: _OURS]  # the last one counts


def defaults() -> Defaults:
    """Return what counts now where nothing else is said."""
    return _source[-1]()


def take_defaults_from(source: Callable[[], Defaults]) -> None:
    """Ask `source` for the defaults from now on, each time that they are needed."""
    _source[-1] = source
