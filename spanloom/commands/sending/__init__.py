"""Producing to the source topic: files, and dead letters once more."""
