"""The command that has data forgotten."""
