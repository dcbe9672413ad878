"""Facts of spans to traces, contributions of traces to session windows, and both to rows."""
