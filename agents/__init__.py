"""The worker: a Faust app with three agents, `ingest`, `traces` and `sessions`, and one checkpoint.

To follow a span, read `ingest.py`, `traces.py` and `sessions.py` in `stages/`; `stage.py` there takes a batch, and
`checkpoint.py` makes it safe.
"""
