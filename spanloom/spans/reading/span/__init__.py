"""What one span says, out of its fields: contents, usage, cost, status, times."""
