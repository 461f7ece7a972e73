"""Bytes into meaning and back: PDUs, command sets, negotiation, the state machine, Connection."""
