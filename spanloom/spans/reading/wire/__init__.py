"""What stands on the wire: OTLP in JSON, attributes, and messages that cannot be read."""
