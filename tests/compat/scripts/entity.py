"""The settings of an AE, and its lists of contexts.

boxes: 2.t 2.1 2.2 2.3 2.17
"""

import warnings

from pynetdicom import AE, build_context
from pynetdicom.presentation import VerificationPresentationContexts
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, Verification


def refused(kinds, what, *args, **kwargs):
    """Whether a call raises one of some errors."""
    try:
        what(*args, **kwargs)
    except kinds:
        return True
    return False


IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"

ae = AE()
assert ae.ae_title == "PYNETDICOM"
assert (ae.acse_timeout, ae.dimse_timeout, ae.network_timeout) == (30, 30, 60)
assert ae.connection_timeout is None
assert ae.maximum_associations == 10
assert ae.maximum_pdu_size == 16382
assert ae.require_calling_aet == []
assert ae.require_called_aet is False
assert ae.active_associations == []

ae.ae_title = " ODD NAME "
assert ae.ae_title == " ODD NAME "
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    ae.ae_title = b"OLD"
assert [each.category for each in seen] == [DeprecationWarning]
assert ae.ae_title == "OLD"
for wrong in ("", "    ", "A" * 17, "BACK\\SLASH", "LINE\n"):
    assert refused(ValueError, setattr, ae, "ae_title", wrong), wrong
assert refused(TypeError, setattr, ae, "ae_title", 17)
assert refused((TypeError, ValueError), setattr, ae, "ae_title", None)
assert refused(ValueError, AE, "A" * 17)

for name, default in (("acse_timeout", 30), ("dimse_timeout", 30), ("network_timeout", 60)):
    for good in (None, 0, 1.5, 20):
        setattr(ae, name, good)
        assert getattr(ae, name) == good
    for wrong in (-1, "20", []):
        setattr(ae, name, wrong)
        assert getattr(ae, name) == default, (name, wrong)
ae.connection_timeout = 2.5
assert ae.connection_timeout == 2.5
for wrong in (0, -1, "x"):
    ae.connection_timeout = wrong
    assert ae.connection_timeout is None
ae.maximum_associations = 3
assert ae.maximum_associations == 3
for wrong in (0, -1, "many", 2.5):
    ae.maximum_associations = wrong
    assert ae.maximum_associations == 1
ae.maximum_pdu_size = 0
ae.maximum_pdu_size = -1
assert ae.maximum_pdu_size == 0
ae.require_calling_aet = ["ONE", "TWO"]
assert ae.require_calling_aet == ["ONE", "TWO"]
assert refused(ValueError, setattr, ae, "require_calling_aet", [""])
ae.require_called_aet = True
assert ae.require_called_aet is True
ae.implementation_class_uid = "1.2.3"
assert ae.implementation_class_uid == "1.2.3"
assert refused(ValueError, setattr, ae, "implementation_class_uid", "not.a.uid")
assert refused(ValueError, setattr, ae, "implementation_class_uid", "")
assert refused(TypeError, setattr, ae, "implementation_class_uid", None)
ae.implementation_version_name = None
assert ae.implementation_version_name is None
ae.implementation_version_name = "NAME"
assert refused(ValueError, setattr, ae, "implementation_version_name", "")
assert refused(ValueError, setattr, ae, "implementation_version_name", "V" * 17)

# requested contexts are appended, and never merged
ae = AE()
ae.add_requested_context(Verification)
ae.add_requested_context(str(Verification), EXPLICIT)
ae.add_requested_context(CTImageStorage, [EXPLICIT, IMPLICIT])
assert [len(each.transfer_syntax) for each in ae.requested_contexts] == [4, 1, 2]
assert ae.requested_contexts[0].abstract_syntax == Verification
ae.remove_requested_context(CTImageStorage, EXPLICIT)
assert ae.requested_contexts[2].transfer_syntax == [IMPLICIT]
ae.remove_requested_context(CTImageStorage, [IMPLICIT])
ae.remove_requested_context(Verification)
ae.remove_requested_context(MRImageStorage)
assert ae.requested_contexts == []
for number in range(128):
    ae.add_requested_context(f"1.2.3.{number}")
assert refused(ValueError, ae.add_requested_context, Verification)
assert len(ae.requested_contexts) == 128
ae.requested_contexts = []
assert ae.requested_contexts == []
ae.requested_contexts = VerificationPresentationContexts
assert [each.abstract_syntax for each in ae.requested_contexts] == [Verification]
assert refused(ValueError, setattr, ae, "requested_contexts", ["1.2.3"])
many = [build_context(f"1.2.3.{number}") for number in range(129)]
assert refused(ValueError, setattr, ae, "requested_contexts", many)

# supported contexts are merged, and sorted
ae = AE()
ae.add_supported_context(MRImageStorage, EXPLICIT)
ae.add_supported_context(CTImageStorage, EXPLICIT)
ae.add_supported_context(CTImageStorage, [EXPLICIT, IMPLICIT], scu_role=False, scp_role=True)
assert [each.abstract_syntax for each in ae.supported_contexts] == [CTImageStorage, MRImageStorage]
ct = ae.supported_contexts[0]
assert ct.transfer_syntax == [EXPLICIT, IMPLICIT]
assert (ct.scu_role, ct.scp_role) == (False, True)
ae.add_supported_context(CTImageStorage)
assert (ae.supported_contexts[0].scu_role, ae.supported_contexts[0].scp_role) == (None, None)
assert refused(TypeError, ae.add_supported_context, Verification, None, 1, 0)
ae.remove_supported_context(MRImageStorage, IMPLICIT)
ae.remove_supported_context(MRImageStorage, EXPLICIT)
ae.remove_supported_context(Verification)
ae.remove_supported_context(CTImageStorage, EXPLICIT)
assert EXPLICIT not in ae.supported_contexts[0].transfer_syntax
ae.remove_supported_context(CTImageStorage)
assert "1.2.840.10008.5.1.4.1.1.2" not in [each.abstract_syntax for each in ae.supported_contexts]
ae.supported_contexts = []
for number in range(200):
    ae.add_supported_context(f"1.2.3.{number}")
assert len(ae.supported_contexts) == 200
ae.supported_contexts = []
assert ae.supported_contexts == []

ae.ae_title = "SHOWN"
ae.require_calling_aet = ["ONE", "TWO"]
ae.add_requested_context(Verification, IMPLICIT)
shown = str(ae).splitlines()
assert shown[0] == ""
assert "Application Entity SHOWN" in shown[1], shown
for part in (
    "\tVerification SOP Class",
    "\t\tImplicit VR Little Endian",
    "ACSE timeout: 30",
    "Network timeout: 60",
    "Connection timeout: None",
    "ONE",
    "Require called AE title: False",
    "Association(s): 0/10",
):
    assert any(part in line for line in shown), (part, shown)
