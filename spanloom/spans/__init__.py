"""Pure functions about spans: OTLP bytes to the span table, the conventions, and the folds.

Nothing in here knows Kafka, ClickHouse or asyncio: every rule about spans is a function of values.
"""
