"""Spans column by column: the fast way."""
