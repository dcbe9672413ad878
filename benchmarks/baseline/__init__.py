"""What spanloom is measured against."""
