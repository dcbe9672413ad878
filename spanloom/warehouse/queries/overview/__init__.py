"""What a list holds as a whole: its histogram and the values to filter by."""
