"""The receiver: OTLP over gRPC and HTTP goes in, and is appended to `otlp_spans`. Success means stored.

It reads no spans: what arrives is appended unchanged, with the project in a header. Read it in this order:
`export.py` (what happens to a request), `http_server.py` and `grpc_server.py` (how it arrives), `append.py` (Kafka).
"""
