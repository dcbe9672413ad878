"""The worker: a Faust app with three agents, `ingest`, `traces` and `sessions`, and one checkpoint.

Read `ingest.py`, `traces.py` and `sessions.py` for the way of a span; `stage.py` for how a batch is taken and
`checkpoint.py` for when it is safe.
"""
