"""Bytes that nobody thought of into faults that a test then keeps away: `make fuzz`."""
