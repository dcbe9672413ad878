"""What the keyed stages remember: open traces, open session windows, the stream clock, what ClickHouse gives back."""
