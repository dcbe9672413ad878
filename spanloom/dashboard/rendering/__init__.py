"""Texts of strangers as HTML that executes nothing, loads nothing and ends in bounded time."""
