"""Traces: the list, and one trace as a tree."""
