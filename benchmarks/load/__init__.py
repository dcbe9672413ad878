"""The load: realistic and hostile spans, the same for the same seed."""
