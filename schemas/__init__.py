"""The contracts: messages that travel between the stages, and the tables and views readers query.

`facts_pb2` is generated from `facts.proto`, `otlp_pb2` from `otlp.proto` by `make generate`; `clickhouse/` holds
the migrations. Nothing in here computes anything.
"""
