"""What DICOM says, as tables: UIDs, services, status codes, the state machine. Imports nothing."""
