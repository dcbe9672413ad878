"""What `spanloom sessions`, `session`, `trace` and `models` ask and print."""
