"""What all projects share, and how it is shared out: request slots, bytes in flight, the thread for heavy work."""
