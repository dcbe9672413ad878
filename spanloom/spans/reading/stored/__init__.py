"""Stored spans, read again: rows as OTLP messages (`messages`), and what was cut of them (`kept`)."""
