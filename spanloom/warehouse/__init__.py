"""ClickHouse over HTTP: connect, migrate, write, read. The same code for a laptop, a server and a cluster."""
