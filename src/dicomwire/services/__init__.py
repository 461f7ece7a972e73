"""Conversations, each written once: what is said, in which order, whoever moves the bytes."""
