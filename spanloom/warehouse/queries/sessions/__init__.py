"""Sessions: the list, one session, its timeline, and the search in it."""
