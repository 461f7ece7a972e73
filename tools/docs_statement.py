"""The tables of the standard and the defaults of the code into docs/conformance-statement.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from dicomwire import AE, Options
from dicomwire.apps.exits import MEANINGS
from dicomwire.apps.main import TOOLS
from dicomwire.archive.attributes import ATTRIBUTES, UNIQUE_KEYS
from dicomwire.network.options import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION
from dicomwire.network.tls import CIPHERS
from dicomwire.standard import statuses
from dicomwire.standard.service_classes import SERVICE_CLASSES, ServiceClass
from dicomwire.standard.transfer_syntaxes import TRANSFER_SYNTAXES, is_uncompressed
from dicomwire.standard.uids import INSTANCES, SOP_CLASSES
from tools.docs_tables import code, table

# Which annex of PS3.4 a service class is in.
ANNEX = {
    "Verification": "A", "Storage": "B", "QueryRetrieve": "C", "ProcedureStep": "F",
    "PrintManagement": "H", "StorageCommitment": "J", "BasicWorklistManagement": "K",
    "ApplicationEventLogging": "P", "RelevantPatientInformationQuery": "Q",
    "InstanceAvailabilityNotification": "R", "MediaCreationManagement": "S",
    "HangingProtocolQueryRetrieve": "U", "SubstanceAdministrationQuery": "V",
    "ColorPaletteQueryRetrieve": "X", "ImplantTemplateQueryRetrieve": "BB",
    "UnifiedProcedureStep": "CC", "RTMachineVerification": "DD", "DisplaySystemManagement": "EE",
    "NonPatientObjectStorage": "GG", "DefinedProcedureProtocolQueryRetrieve": "HH",
    "ProtocolApprovalQueryRetrieve": "II", "InventoryQueryRetrieve": "JJ",
    "StorageManagement": "KK",
}  # fmt: skip

# The tools that are SCU and SCP of a service class, as far as there are such tools.
BY_TOOL: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Verification": (("echoscu", "doctor"), ("echoscp", "storescp", "qrscp", "wlmscp")),
    "Storage": (("storescu", "qrscp"), ("storescp", "getscu", "movescu", "qrscp")),
    "QueryRetrieve": (("findscu", "getscu", "movescu"), ("qrscp",)),
    "BasicWorklistManagement": (("findscu",), ("wlmscp",)),
    "ProcedureStep": (("mppsscu",), ()),
    "StorageCommitment": (("stgcmtscu",), ()),
    "NonPatientObjectStorage": (("storescu", "qrscp"), ("storescp", "getscu", "movescu", "qrscp")),
}

# How many associations a tool opens and accepts at once, where that is not one and none (for who
# requests) or none and what the library allows (for who accepts).
_LIMIT = str(AE().maximum_associations)
INITIATED = {"storescu": "1, or `--jobs`", "qrscp": "1 for each C-MOVE", "movescu": "1"}
ACCEPTED = {
    "movescu": f"{_LIMIT} with `+P` or `--store`",
    "stgcmtscu": f"{_LIMIT} with `+P`",
}

# Which services the DIMSE-N SCU sends, as words of the table of status codes.
_TABLES = {
    name.removesuffix("_STATUS"): value
    for name, value in vars(statuses).items()
    if name.endswith("_STATUS")
}
_ONLY_GENERAL = "the general ones only"


def _short(service_class: type[ServiceClass]) -> str:
    return service_class.__name__.removesuffix("ServiceClass")


def _words(name: str) -> str:
    """Return a name of PS3.6's kind in words: QueryRetrieve is Query Retrieve."""
    spaced = "".join(
        f" {char}" if char.isupper() and at and not name[at - 1].isupper() else char
        for at, char in enumerate(name)
    )
    return spaced.replace("RTMachine", "RT Machine").strip()


def _there(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names if name in TOOLS)


def services() -> str:
    """Return the overview: each service class, who is SCU and SCP of it."""
    rows = []
    for service_class in SERVICE_CLASSES[1:]:
        name = _short(service_class)
        mine = [row for row in SOP_CLASSES if row.service_class == service_class.__name__]
        retired = sum(row.retired for row in mine)
        count = f"{len(mine) - retired}" + (f" and {retired} retired" if retired else "")
        users, providers = BY_TOOL.get(name, ((), ()))
        rows.append(
            (
                f"{_words(name)} (PS3.4 {ANNEX[name]})",
                count,
                ", ".join(service_class.operations),
                "yes",
                "yes",
                _there(users),
                _there(providers),
            )
        )
    head = ("service class", "SOP classes", "DIMSE services", "library as SCU", "library as SCP")
    return table((*head, "tools as SCU", "tools as SCP"), rows)


def sop_classes() -> str:
    """Return every SOP class by its service class."""
    order = {each.__name__: number for number, each in enumerate(SERVICE_CLASSES)}
    rows = [
        (
            row.name + (" (retired)" if row.retired else ""),
            f"`{row.uid}`",
            _words(row.service_class.removesuffix("ServiceClass")) or "(media only)",
        )
        for row in sorted(SOP_CLASSES, key=lambda row: (order[row.service_class], row.name))
    ]
    rows += [(row.name, f"`{row.uid}`", "well-known SOP instance") for row in INSTANCES]
    return table(("SOP class", "UID", "service class"), rows)


def transfer_syntaxes() -> str:
    """Return every transfer syntax, and what is done with data sets in it."""
    rows = [
        (
            row.name,
            f"`{row.uid}`",
            "converted to and from the other uncompressed ones"
            if is_uncompressed(row.uid)
            else "carried as it is",
        )
        for row in TRANSFER_SYNTAXES
    ]
    return table(("transfer syntax", "UID", "data sets"), rows)


def policies() -> str:
    """Return what the library does unless told otherwise."""
    ae, options = AE(), Options()
    invoked, performed = options.asynchronous_operations
    rows: list[tuple[str, object, str]] = [
        ("AE title", f"`{ae.ae_title}`", "`AE(ae_title)`"),
        ("Implementation Class UID", f"`{IMPLEMENTATION_UID}`", "`ae.implementation_class_uid`"),
        ("Implementation Version Name", f"`{IMPLEMENTATION_VERSION}`",
         "`ae.implementation_version_name`"),
        ("Maximum length received (bytes of a P-DATA-TF)", ae.maximum_pdu_size,
         "`ae.maximum_pdu_size`; 0 is no limit"),
        ("Maximum length sent", "as the peer announces", ""),
        ("Associations accepted at once", ae.maximum_associations, "`ae.maximum_associations`"),
        ("Associations requested at once", "no limit", ""),
        ("Operations invoked, performed at once", f"{invoked}, {performed} (not negotiated)",
         "`Options.asynchronous_operations`"),
        ("Calling AE titles accepted", "any", "`ae.require_calling_aet`"),
        ("Called AE titles accepted", "any", "`ae.require_called_aet`"),
        ("Association negotiation, release (s)", f"{ae.acse_timeout:g}", "`ae.acse_timeout`"),
        ("Wait for a response (s)", f"{ae.dimse_timeout:g}", "`ae.dimse_timeout`"),
        ("Silence before the association is aborted (s)", f"{ae.network_timeout:g}",
         "`ae.network_timeout`"),
        ("ARTIM timer after the last PDU (s)", f"{options.linger:g}", "`Options.linger`"),
    ]  # fmt: skip
    return table(("", "unless told otherwise", "set by"), rows)


class Entity(NamedTuple):
    """The application entity that a tool is."""

    tool: str
    title: str
    port: object
    longest: int
    initiates: bool


def _entities() -> Iterator[Entity]:
    """Yield those of all tools that talk to peers."""
    longest = AE().maximum_pdu_size
    for name in TOOLS:
        module = import_module(f"dicomwire.apps.{name}")
        parser = module.make_parser() if hasattr(module, "make_parser") else None
        # an option that a file may set too has its default in a table of its own
        rows = {dest: row.settings for dest, row in getattr(module, "SETTABLE", {}).items()}

        def default(dest: str, parser: Any = parser, rows: Any = rows) -> Any:
            return rows[dest].get("default") if dest in rows else parser.get_default(dest)

        if parser is None or not (default("calling_aet") or default("ae_title")):
            continue
        initiates = bool(default("calling_aet"))
        title, port = default("calling_aet") or default("ae_title"), default("port")
        port = "" if initiates else port or "as told"
        yield Entity(name, title, port, default("max_pdu") or longest, initiates)


def entities() -> str:
    """Return the application entity that each tool is."""
    rows = [
        (f"`{each.tool}`", TOOLS[each.tool], f"`{each.title}`", each.port) for each in _entities()
    ]
    return table(("tool", "what it does", "AE title (`-aet`)", "TCP port"), rows)


def associations() -> str:
    """Return what each tool's associations are like."""
    rows = []
    for each in _entities():
        initiated = INITIATED.get(each.tool, "1" if each.initiates else "none")
        accepted = ACCEPTED.get(each.tool, "none" if each.initiates else _LIMIT)
        rows.append((f"`{each.tool}`", initiated, accepted, 1, each.longest))
    head = ("tool", "initiated at once", "accepted at once", "outstanding operations")
    return table((*head, "maximum length (`-pdu`)"), rows)


def archive_keys() -> str:
    """Return the elements that `qrscp` matches and returns, by level."""
    rows = [
        (
            each.level.name,
            each.keyword,
            f"({each.tag >> 16:04X},{each.tag & 0xFFFF:04X})",
            each.vr,
            "unique" if UNIQUE_KEYS[each.level] == each.keyword else "optional",
        )
        for each in ATTRIBUTES
    ]
    return table(("level", "element", "tag", "VR", "key"), rows)


def status_codes() -> str:
    """Return the status codes of each service, beyond the general ones."""
    general = set(statuses.GENERAL_STATUS)
    rows = [("any service", *_status(row)) for row in statuses.GENERAL_STATUS]
    for name, found in _TABLES.items():
        if name == "GENERAL":
            continue
        words = name.removesuffix("_SERVICE_CLASS").replace("_", " ").capitalize()
        words = re.sub(r"Qr (\w+)", lambda found: f"Query/Retrieve C-{found[1].upper()}", words)
        words = words.replace("Rt ", "RT ")
        own = [row for row in found if row not in general]
        if not own:
            rows.append((words, "", "", _ONLY_GENERAL))
        rows += [(words, *_status(row)) for row in own]
    return table(("service", "status", "category", "meaning"), rows)


def _status(row: statuses.StatusRow) -> tuple[str, str, str]:
    span = code(row.first) if row.first == row.last else f"{code(row.first)} to {code(row.last)}"
    return span, row.category.value, row.text


def ciphers() -> str:
    """Return the ciphers of the tools."""
    return f"`{':'.join(CIPHERS)}`\n"


def tools() -> str:
    """Return the tools."""
    return table(
        ("tool", "what it does"), [(f"`dicomwire {n}`", what) for n, what in TOOLS.items()]
    )


def exits() -> str:
    """Return the exit codes."""
    return table(("code", "meaning"), [(each.value, text) for each, text in MEANINGS.items()])


TABLES: dict[str, Callable[[], str]] = {
    "services": services,
    "sop-classes": sop_classes,
    "transfer-syntaxes": transfer_syntaxes,
    "policies": policies,
    "entities": entities,
    "associations": associations,
    "archive-keys": archive_keys,
    "status-codes": status_codes,
    "ciphers": ciphers,
    "tools": tools,
    "exits": exits,
}
