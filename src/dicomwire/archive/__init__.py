"""The archive: stored objects into files, an index, and answers to queries and retrievals."""
