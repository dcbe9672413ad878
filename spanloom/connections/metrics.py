"""The metrics of connections: a catalogue. `server` is otlp_http, dashboard, clickhouse or probes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

OPEN = Gauge("spanloom_connections", "Connections that are open.", ["server"])
CLOSED = Counter(
    "spanloom_connections_refused",
    "Connections closed by the server: full (too many), address (too many of one address), slow (no head in time).",
    ["server", "reason"],
)
