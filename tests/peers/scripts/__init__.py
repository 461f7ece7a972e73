"""Programs that the tests run with pynetdicom, each in a process of its own."""
