"""The local stack: everything `spanloom up` starts on a laptop, and the tests start on loopback.

`clickhouse` serves ClickHouse's engine (chDB, in-process) on ClickHouse's HTTP port, `broker` finds and
probes Tansu (a Kafka-compatible broker in one binary), `supervisor` runs named child processes, and
`stack` puts them together. All other parts of spanloom only see a Kafka broker and a ClickHouse server,
so nothing outside this folder may import it except the command line.
"""
