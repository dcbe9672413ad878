"""What the SDKs of observability platforms call things."""
