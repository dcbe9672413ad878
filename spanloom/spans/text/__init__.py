"""Attribute values and JSON as text."""
