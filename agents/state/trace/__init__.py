"""One open trace: its facts, its pieces in the changelog, what is forgotten of it, and what a batch changed of it."""
