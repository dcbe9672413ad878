"""What one more span costs, as a trace or a session grows."""
