"""What `import pynetdicom` itself brings.

boxes: 1.1 1.2 1.5 1.6 1.7 1.8 1.9 1.10 1.11 1.12
"""

import contextlib
import io
import logging

import pynetdicom
from pydicom.uid import UID, UID_dictionary
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    DEFAULT_TRANSFER_SYNTAXES,
    PYNETDICOM_IMPLEMENTATION_UID,
    PYNETDICOM_IMPLEMENTATION_VERSION,
    PYNETDICOM_UID_PREFIX,
    Association,
    ae,
    association,
    build_context,
    build_role,
    debug_logger,
    events,
    evt,
    presentation,
    register_uid,
    sop_class,
)

# silent until a program asks for more
root = logging.getLogger("pynetdicom")
silent = io.StringIO()
with contextlib.redirect_stderr(silent):
    AE().maximum_associations = 0
assert not silent.getvalue() or root.handlers == [], silent.getvalue()

assert isinstance(pynetdicom.__version__, str)
assert PYNETDICOM_UID_PREFIX == "1.2.826.0.1.3680043.9.3811."
assert isinstance(PYNETDICOM_IMPLEMENTATION_UID, UID)
assert PYNETDICOM_IMPLEMENTATION_UID.is_valid
assert 1 <= len(PYNETDICOM_IMPLEMENTATION_VERSION) <= 16
assert AE().implementation_class_uid == PYNETDICOM_IMPLEMENTATION_UID
assert AE().implementation_version_name == PYNETDICOM_IMPLEMENTATION_VERSION
assert AE is ae.ApplicationEntity
assert Association is association.Association
assert evt is events
assert build_context is presentation.build_context
assert build_role is presentation.build_role
assert register_uid is sop_class.register_uid

assert isinstance(ALL_TRANSFER_SYNTAXES, list)
assert len(ALL_TRANSFER_SYNTAXES) >= 44  # the standard grows
assert ALL_TRANSFER_SYNTAXES[:4] == DEFAULT_TRANSFER_SYNTAXES
assert DEFAULT_TRANSFER_SYNTAXES == [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
]
lists = [name for name in dir(presentation) if name.endswith("PresentationContexts")]
assert len(lists) == 24, lists
for name in lists:
    ready = getattr(pynetdicom, name)
    assert ready is getattr(presentation, name)
    assert all(isinstance(each, presentation.PresentationContext) for each in ready)
    assert all(each.transfer_syntax == DEFAULT_TRANSFER_SYNTAXES for each in ready)
sizes = {"AllStorage": 170, "Storage": 120, "QueryRetrieve": 13, "PrintManagement": 11}
for name, size in sizes.items():
    assert len(getattr(pynetdicom, name + "PresentationContexts")) == size, name

debug_logger()
debug_logger()
assert [type(each) for each in root.handlers] == [logging.StreamHandler]
assert root.level == logging.DEBUG
heard = io.StringIO()
root.handlers[0].setStream(heard)
logging.getLogger("pynetdicom.ae").debug("a line")
assert heard.getvalue() == "D: a line\n"

# pydicom's names for these come with the import
for uid in ("4.110", "4.111", "4.112", "8.1"):
    known = UID("1.2.840.10008.1.2." + uid)
    assert known in UID_dictionary
    assert known.type == "Transfer Syntax"
    assert known.name != str(known)
