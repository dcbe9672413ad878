"""A ClickHouse server for one person: the engine in this process behind ClickHouse's HTTP interface."""
