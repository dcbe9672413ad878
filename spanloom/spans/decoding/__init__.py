"""OTLP messages to the span table, column by column: what `spanloom.spans.reading` does row by row."""
