"""The tables and views of this version: made, kept as they should be, and looked at."""
