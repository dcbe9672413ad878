"""The command line, the settings and the local stack: puts the parts together."""
