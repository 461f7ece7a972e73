"""Benchmarks: the same work by dicomwire and by its peers, in turn, in one run."""
