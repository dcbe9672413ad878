"""The trace fold: from the facts of a trace's spans to its row."""
