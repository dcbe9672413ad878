"""One module a convention: its keys, in order of precedence."""
