"""The version of this package and the edition of the DICOM standard its tables follow."""

__version__ = "0.1.0"
__dicom_version__ = "2025b"
