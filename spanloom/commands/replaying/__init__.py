"""`spanloom replay`: stored spans, and archives of OTLP files, go through the workers once more."""
