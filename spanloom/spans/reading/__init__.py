"""From OTLP bytes to the span table."""
