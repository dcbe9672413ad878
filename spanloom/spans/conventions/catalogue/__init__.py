"""One module a convention: what it calls things. Whose word counts is said in `precedence`."""
