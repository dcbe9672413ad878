"""A request's bytes: unpacked, measured, and split where the topic takes no larger message."""
