"""What a peer may cost us, as one frozen value: bytes, seconds and counts."""

from __future__ import annotations

from dicomwire.protocol.fields import Settings

KIB, MIB = 1 << 10, 1 << 20


class Limits(Settings):
    """Bounds on what a peer can make this side hold, do or wait for.

    Each has a default that honest peers do not reach. Who reaches one is refused, and one line at
    level WARNING names the peer, what was reached and the setting. Time-outs of silence and
    `maximum_associations` are settings of the AE.

    Parameters
    ----------
    associations_per_address : int or None
        Associations that one address may have with a server at once; more are rejected with
        (2, 3, 2), local limit exceeded. None: as many as there are, because many devices may be
        behind one address.
    failures_per_minute : int or None
        Calling and called AE titles, and user identities, of one address that may be refused in a
        minute. Beyond that, right or wrong, each is rejected with (2, 3, 1), temporary congestion,
        and no handler is asked. Failures are forgotten at an even pace, all within a minute. An
        IPv6 address counts as its /64. None: any number.
    negotiations : int
        Connections on which no association stands yet. One more closes the oldest of the address
        that has the most, so that whoever comes to speak is served.
    negotiation_memory : int
        Bytes that the association requests which are on their way take, all together, as far as
        one is longer than 8 KiB. One more closes the connection with the longest.
    associate_length : int
        Bytes of an A-ASSOCIATE PDU; a longer claim is aborted when its header is read.
    pdu_length : int
        Bytes of a P-DATA-TF that is held whole: only for a handler of EVT_PDU_RECV or
        EVT_DATA_RECV, and where no maximum was announced. Elsewhere it is parsed as it arrives.
    command_set : int
        Bytes of a command set.
    empty_fragments : int
        Fragments without a byte in one message.
    waiting : int
        Messages that have come before they could be looked at. Their command sets may have about
        `memory` bytes together. Responses to a requestor may be more: as many as one read brings.
    memory : int
        Bytes of a data set in memory. What is longer goes on in a file without a name, in the
        folder for temporary files; a longer identifier of C-FIND, C-GET or C-MOVE is refused
        as out of resources, 0xA700 or 0xA701. C-STORE with `Options.store_directory` holds none.
    inflated : int
        Bytes that a deflated data set may have once it is inflated, to be decoded.
    inflated_ratio : int
        How many times its deflated length it may have then, once it is longer than `memory`.
    depth : int
        Sequences within each other, in a data set that is decoded.
    stall : float or None
        Seconds without a byte in the middle of a PDU or of a message, in either direction: then
        the association is aborted with (2, 0). None leaves that to the other time-outs.
    rate : int
        Bytes a second that a peer has to send in the middle of a message, and to take while we
        wait for it to; who is slower over `grace` seconds is aborted with (2, 0). 0: any.
    grace : float
        Seconds over which that is measured.
    keepalive : float or None
        Seconds after which a connection is over whose peer's system does not answer any more: half
        of them in silence, then three probes (of whole seconds: 4 at least). It counts even where
        no other time-out does, and ends no peer that is only silent. None: as the system is set.

    Raises
    ------
    ValueError
        When one is negative, or is 0 and cannot be.
    """

    associations_per_address: int | None = None
    failures_per_minute: int | None = 300
    negotiations: int = 1000
    negotiation_memory: int = MIB + MIB // 2
    associate_length: int = MIB
    pdu_length: int = 64 * MIB
    command_set: int = 64 * KIB
    empty_fragments: int = 1000
    waiting: int = 1000
    memory: int = 2 * MIB
    inflated: int = 256 * MIB
    inflated_ratio: int = 200
    depth: int = 32
    stall: float | None = 30.0
    rate: int = 500
    grace: float = 30.0
    keepalive: float | None = 60.0

    def _check(self) -> None:
        for name, value in self.as_dict().items():
            if value is None and name in _MAY_BE_NONE:
                continue
            least = 0 if name in _MAY_BE_ZERO else 1
            kinds = int | float if name in _SECONDS else int
            if not isinstance(value, kinds) or not value >= least:
                raise ValueError(f"Limits.{name} cannot be {value!r}")


_MAY_BE_NONE = {"associations_per_address", "failures_per_minute", "stall", "keepalive"}
_MAY_BE_ZERO = {"rate", "empty_fragments", "stall", "grace"}
_SECONDS = {"stall", "grace", "keepalive"}

DEFAULT = Limits()
