"""What frameworks and their own telemetry call things."""
