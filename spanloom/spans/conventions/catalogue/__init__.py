"""One module a convention: what it calls things. Which key wins is decided in `precedence`."""
