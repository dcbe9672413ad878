"""The dashboard's questions on a big database."""
