"""Data sets and files into streams of fragments, and fragments into files and data sets."""
