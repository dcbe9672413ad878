"""What the pages, the API and the commands ask: read-only, within limits."""
