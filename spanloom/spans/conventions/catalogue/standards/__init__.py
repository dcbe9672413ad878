"""What standards, and instrumentations of many SDKs, call things."""
