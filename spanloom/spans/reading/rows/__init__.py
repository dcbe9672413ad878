"""Spans row by row: the plain way, which says why each row is as it is, and which `columns` is compared with."""
