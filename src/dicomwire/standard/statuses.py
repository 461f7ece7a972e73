"""Status codes of DIMSE responses into category and meaning: interval rows per service class."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias


class Category(Enum):
    """What a status says about its operation (PS3.7 9.1, C.1 to C.3)."""

    SUCCESS = "Success"
    FAILURE = "Failure"
    WARNING = "Warning"
    CANCEL = "Cancel"
    PENDING = "Pending"
    UNKNOWN = "Unknown"


SUCCESS, FAILURE, WARNING = Category.SUCCESS, Category.FAILURE, Category.WARNING
CANCEL, PENDING, UNKNOWN = Category.CANCEL, Category.PENDING, Category.UNKNOWN


class StatusRow(NamedTuple):
    """The codes from `first` to `last`, both included, and what they say."""

    first: int
    last: int
    category: Category
    text: str


StatusTable: TypeAlias = tuple[StatusRow, ...]
"""The first row that has a code counts: what is special stands before what is general."""


def _page(text: str) -> StatusTable:
    """Rows from lines of: first code, perhaps the last one, category, meaning."""
    rows = []
    for line in text.strip().splitlines():
        codes, category, *words = line.split()
        first, _, last = codes.partition("-")
        meaning = " ".join(words)
        rows.append(StatusRow(int(first, 16), int(last or first, 16), Category(category), meaning))
    return tuple(rows)


def _table(page: str) -> StatusTable:
    """The rows of a service class, and the general ones."""
    return _page(page) + GENERAL_STATUS


# PS3.7 Annex C: what the first digits say when no service class says more.
RANGES = (
    (0x0000, 0x0000, SUCCESS),
    (0xFF00, 0xFF01, PENDING),
    (0x0001, 0x0001, WARNING),
    (0x0107, 0x0107, WARNING),
    (0x0116, 0x0116, WARNING),
    (0x0105, 0x0106, FAILURE),
    (0x0110, 0x0119, FAILURE),
    (0x0120, 0x0124, FAILURE),
    (0x0210, 0x0213, FAILURE),
    (0xA000, 0xAFFF, FAILURE),
    (0xB000, 0xBFFF, WARNING),
    (0xC000, 0xCFFF, FAILURE),
    (0xFE00, 0xFE00, CANCEL),
)

# PS3.7 C.4, C.5
GENERAL_STATUS = _page("""
    0000       Success
    0105       Failure  No Such Attribute
    0106       Failure  Invalid Attribute Value
    0107       Warning  Attribute List Error
    0110       Failure  Processing Failure
    0111       Failure  Duplicate SOP Instance
    0112       Failure  No Such SOP Instance
    0113       Failure  No Such Event Type
    0114       Failure  No Such Argument
    0115       Failure  Invalid Argument Value
    0116       Warning  Attribute Value Out of Range
    0117       Failure  Invalid Object Instance
    0118       Failure  No Such SOP Class
    0119       Failure  Class-Instance Conflict
    0120       Failure  Missing Attribute
    0121       Failure  Missing Attribute Value
    0122       Failure  Refused: SOP Class Not Supported
    0123       Failure  No Such Action
    0124       Failure  Refused: Not Authorised
    0210       Failure  Duplicate Invocation
    0211       Failure  Unrecognised Operation
    0212       Failure  Mistyped Argument
    0213       Failure  Resource Limitation
    FE00       Cancel
""")

# PS3.4 Annex A
VERIFICATION_SERVICE_CLASS_STATUS = GENERAL_STATUS

# PS3.4 B.2.3
STORAGE_SERVICE_CLASS_STATUS = _table("""
    A700-A7FF  Failure  Refused: Out of Resources
    A900-A9FF  Failure  Data Set Does Not Match SOP Class
    B000       Warning  Coercion of Data Elements
    B006       Warning  Element Discarded
    B007       Warning  Data Set Does Not Match SOP Class
    C000-CFFF  Failure  Cannot Understand
""")

# PS3.4 C.4.1.1.4
QR_FIND_SERVICE_CLASS_STATUS = _table("""
    A700       Failure  Refused: Out of Resources
    A710       Failure  Invalid Prior Record Key
    A900       Failure  Identifier Does Not Match SOP Class
    B001       Warning  Matching reached response limit, subsequent request may return additional \
                        matches
    FF00       Pending  Matches are continuing, current match supplied
    FF01       Pending  Matches are continuing, warning
    C000-CFFF  Failure  Unable to Process
""")

# PS3.4 C.4.2.1.5, C.4.3.1.4, Annex Y
_RETRIEVE = _page("""
    A701       Failure  Refused: Out of resources, unable to calculate number of matches
    A702       Failure  Refused: Out of resources, unable to perform sub-operations
    A900       Failure  Identifier does not match SOP class
    AA00       Failure  None of the frames requested were found in the SOP instance
    AA01       Failure  Unable to create new object for this SOP class
    AA02       Failure  Unable to extract frames
    AA03       Failure  Time-based request received for a non-time-based original SOP Instance
    AA04       Failure  Invalid request
    FF00       Pending  Sub-operations are continuing
    C000-CFFF  Failure  Unable to Process
""")

QR_MOVE_SERVICE_CLASS_STATUS = _RETRIEVE + _table("""
    A801       Failure  Move destination unknown
    B000       Warning  Sub-operations completed, one or more failures
""")

QR_GET_SERVICE_CLASS_STATUS = _RETRIEVE + _table("""
    B000       Warning  Sub-operations complete, one or more failures or warnings
""")

# PS3.4 K.4.1.1.4
MODALITY_WORKLIST_SERVICE_CLASS_STATUS = _table("""
    A700       Failure  Refused: Out of resources
    A900       Failure  Identifier does not match SOP class
    FF00       Pending  Matches are continuing - current match is supplied and any Optional Keys \
                        were supported in the same manner as Required Keys
    FF01       Pending  Matches are continuing - warning that one or more Optional Keys were not \
                        supported for existence for this Identifier
    C000-CFFF  Failure  Unable to Process
""")

# PS3.4 Annex Q
RELEVANT_PATIENT_SERVICE_CLASS_STATUS = _table("""
    A700       Failure  Out of resources
    A900       Failure  Identifier doesn't match SOP Class
    C000       Failure  Unable to process
    C100       Failure  More than one match found
    C200       Failure  Unable to support requested template
    FF00       Pending  Current match is supplied
""")

# PS3.4 Annex V
SUBSTANCE_ADMINISTRATION_SERVICE_CLASS_STATUS = _table("""
    A700       Failure  Out of resources
    A900       Failure  Data set doesn't match SOP Class
    FF00       Pending  Matches are continuing - current match is supplied and any Optional Keys \
                        were supported in the same manner as Required Keys
    FF01       Pending  Matches are continuing - warning that one or more Optional Keys were not \
                        supported for existence for this Identifier
    C000-CFFF  Failure  Unable to Process
""")

# PS3.4 Annex GG
NON_PATIENT_SERVICE_CLASS_STATUS = _table("""
    A700       Failure  Out of resources
    A900       Failure  Data set doesn't match SOP Class
    C000       Failure  Cannot understand
""")

# PS3.4 Annex F
PROCEDURE_STEP_STATUS = _table("""
    0001       Warning  Requested optional attributes are not supported
""")

# PS3.4 Annex H
PRINT_JOB_MANAGEMENT_SERVICE_CLASS_STATUS = _table("""
    B600       Warning  Memory allocation not supported
    B601       Warning  Film session printing (collation) is not supported
    B602       Warning  Film Session SOP Instance hierarchy does not contain Image Box SOP \
                        Instances (empty page)
    B603       Warning  Film Box SOP Instance hierarchy does not contain Image Box SOP Instances \
                        (empty page)
    B604       Warning  Image size is larger than image box size, the image has been demagnified
    B605       Warning  Requested Min Density or Max Density outside of printer's operating range; \
                        the printer uses its own minimum or maximum
    B609       Warning  Image size is larger than the image box size, the image has been cropped \
                        to fit
    B60A       Warning  Image size or Combined Print Image size is larger than the image box size, \
                        the image or combined print image has been decimated to fit
    C600       Failure  Film Session SOP Instance hierarchy does not contain Film Box SOP \
                        Instances
    C601       Failure  Unable to create Print Job SOP Instance; print queue is full
    C602       Failure  Unable to create Print Job SOP Instance; print queue is full
    C603       Failure  Image size is larger than image box size
    C605       Failure  Insufficient memory in printer to store the image
    C613       Failure  Combined Print Image size is larger than the image box size
    C616       Failure  An existing Film Box has not been printed and N-ACTION at the Film Session \
                        level is not supported: no new Film Box is created before it has been
""")

# PS3.4 Annex J
STORAGE_COMMITMENT_SERVICE_CLASS_STATUS = GENERAL_STATUS

# PS3.4 Annex KK
STORAGE_MANAGEMENT_SERVICE_CLASS_STATUS = _table("""
    B010       Warning  Attribute list error - one or more Key Attributes are not supported for \
                        matching
""")

# PS3.4 Annex P
APPLICATION_EVENT_LOGGING_SERVICE_CLASS_STATUS = _table("""
    B101       Warning  Specified Synchronization Frame of Reference UID doesn't match SCP's
    B102       Warning  Study Instance UID coercion; event logged under a different Study Instance \
                        UID
    B104       Warning  IDs inconsistent in matching a current study; event logged
    C101       Failure  Procedural logging not available for specified Study Instance UID
    C102       Failure  Event Information doesn't match template
    C103       Failure  Cannot match event to a current study
    C104       Failure  IDs inconsistent in matching a current study; event not logged
    C10E       Failure  Operator not authorised to add entry to Medication Administration Record
    C110       Failure  Patient cannot be identified from Patient ID (0010,0020) or Admission ID \
                        (0038,0010)
    C111       Failure  Update of Medication Administration Record failed
""")

# PS3.4 Annex S
MEDIA_CREATION_MANAGEMENT_SERVICE_CLASS_STATUS = _table("""
    0001       Warning  Requested optional attributes are not supported
    A510       Failure  An Initiate Media Creation action has already been received for this SOP \
                        Instance
    C201       Failure  Media creation request already completed
    C202       Failure  Media creation request already in progress and cannot be interrupted
    C203       Failure  Cancellation denied for unspecified reason
""")

# PS3.4 Annex CC
UNIFIED_PROCEDURE_STEP_SERVICE_CLASS_STATUS = _table("""
    0001       Warning  Requested optional attributes are not supported
    A700       Failure  Out of resources
    A900       Failure  Identifier doesn't match SOP Class
    B300       Warning  The UPS was created with modifications
    B301       Warning  Deletion lock not granted
    B304       Warning  The UPS is already in the requested state of CANCELED
    B305       Warning  Coerced invalid values to valid values
    B306       Warning  The UPS is already in the requested state of COMPLETED
    C300       Failure  The UPS may no longer be updated
    C301       Failure  The correct Transaction UID was not provided
    C302       Failure  The UPS is already IN PROGRESS
    C303       Failure  The UPS may only become SCHEDULED via N-CREATE, not N-SET or N-ACTION
    C304       Failure  The UPS has not met final state requirements for the requested state \
                        change
    C307       Failure  Specified SOP Instance UID does not exist or is not a UPS Instance managed \
                        by this SCP
    C308       Failure  Receiving AE-TITLE is unknown to this SCP
    C309       Failure  The provided value of UPS State was not SCHEDULED
    C310       Failure  The UPS is not yet in the IN PROGRESS state
    C311       Failure  The UPS is already COMPLETED
    C312       Failure  The performer cannot be contacted
    C313       Failure  Performer chooses not to cancel
    C314       Failure  Specified action is not appropriate for specified instance
    C315       Failure  SCP does not support Event Reports
    FF00       Pending  Matches are continuing - current match is supplied and any Optional Keys \
                        were supported in the same manner as Required Keys
    FF01       Pending  Matches are continuing - warning that one or more Optional Keys were not \
                        supported for existence for this Identifier
    C000-CFFF  Failure  Unable to Process
""")

# PS3.4 Annex DD
RT_MACHINE_VERIFICATION_SERVICE_CLASS_STATUS = _table("""
    C112       Failure  No such object instance - applicable Machine Verification instance not \
                        found
    C221       Failure  The Referenced Fraction Group Number does not exist in the referenced plan
    C222       Failure  No beams exist within the referenced fraction group
    C223       Failure  SCU already verifying and cannot currently process this request
    C224       Failure  Referenced Beam Number not found within the referenced Fraction Group
    C225       Failure  Referenced device or accessory not supported
    C226       Failure  Referenced device or accessory not found within the referenced beam
    C227       Failure  No such object instance - Referenced RT Plan not found
""")


def row_of(code: int, table: StatusTable) -> StatusRow | None:
    """Return the row that has a status code, or None when the table does not name it."""
    return next((row for row in table if row.first <= code <= row.last), None)


def category_of(code: int) -> Category:
    """Return what a status code says by itself, whatever the service class (PS3.7 Annex C).

    Parameters
    ----------
    code : int
        The Status (0000,0900).

    Returns
    -------
    Category
        `Category.UNKNOWN` for a code in none of the standard's ranges.
    """
    for first, last, category in RANGES:
        if first <= code <= last:
            return category
    return UNKNOWN


def describe(code: int, table: StatusTable = GENERAL_STATUS) -> tuple[Category, str]:
    """Return category and meaning of a status code in a service class.

    Parameters
    ----------
    code : int
        The Status (0000,0900).
    table : StatusTable
        The statuses of the service class.

    Returns
    -------
    tuple of (Category, str)
        For a code that the table does not name: its category by PS3.7, and "".
    """
    row = row_of(code, table)
    return (row.category, row.text) if row else (category_of(code), "")
