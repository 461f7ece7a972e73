"""pynetdicom's names of the seven PDUs, for handlers of EVT_PDU_RECV and EVT_PDU_SENT."""

from __future__ import annotations

from dicomwire.protocol.pdus import Abort as A_ABORT_RQ
from dicomwire.protocol.pdus import AssociateAC as A_ASSOCIATE_AC
from dicomwire.protocol.pdus import AssociateRJ as A_ASSOCIATE_RJ
from dicomwire.protocol.pdus import AssociateRQ as A_ASSOCIATE_RQ
from dicomwire.protocol.pdus import PDataTF as P_DATA_TF
from dicomwire.protocol.pdus import ReleaseRP as A_RELEASE_RP
from dicomwire.protocol.pdus import ReleaseRQ as A_RELEASE_RQ

__all__ = [
    "A_ABORT_RQ",
    "A_ASSOCIATE_AC",
    "A_ASSOCIATE_RJ",
    "A_ASSOCIATE_RQ",
    "A_RELEASE_RP",
    "A_RELEASE_RQ",
    "P_DATA_TF",
]
