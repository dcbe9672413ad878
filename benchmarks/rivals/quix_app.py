"""A Quix Streams application that folds OTLP messages into traces and sessions, as its own documentation teaches.

    otlp_spans ─▶ [read_message] ─▶ quix-facts, by trace ─▶ [TraceFold] ─▶ quix-turns, by session ─▶ [SessionFold]

Each step keeps what it needs in Quix's state (RocksDB, with a changelog), and its rows go to ClickHouse through a
`BatchingSink`, before offsets are committed. It is written with care: facts travel as one message a trace and batch,
a session moves by the difference that one trace makes, and of a batch only the newest row of a trace is written.

RIVAL_MODE chooses what it promises:

* `sets`: a trace keeps the facts of each span by its ID, a session what each of its traces adds. A span that comes
  twice, or is read again after a crash, counts once. A trace is read and written whole for every message of it.
* `sums`: both keep sums only. Cheaper, and what comes twice counts twice.

In both, a trace stays with the first session that it names; previews, tags, metadata, and other conventions than the
load's are left out; and usage counts on LLM spans only, which is all that the load needs.

Start: `python -m benchmarks.rivals.quix_app`, with the environment of `benchmarks.rivals.setting`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from quixstreams import Application
from quixstreams.models.serializers.protobuf import ProtobufDeserializer
from quixstreams.sinks import BatchingSink, SinkBatch

from benchmarks.baseline.rules import SPAN_COLUMNS
from benchmarks.rivals.folds import SUMS_COLUMNS, SessionFold, TraceFold


class ClickHouseSink(BatchingSink):  # type: ignore[misc]  # quixstreams is not installed beside mypy
    """Writes what a checkpoint has brought to one table, before the checkpoint is committed."""

    def __init__(self, table: str, columns: Iterable[str]) -> None:
        super().__init__()
        self._table = table
        self._columns = list(columns)
        self._client: Client

    def setup(self) -> None:
        """Connect; Quix calls it at the start."""
        self._client = clickhouse_connect.get_client(
            dsn=os.environ["RIVAL_CLICKHOUSE"],
            database=os.environ["RIVAL_DATABASE"],
            autogenerate_session_id=False,
            compress="lz4" if os.environ["RIVAL_COMPRESSION"] == "lz4" else False,
        )

    def write(self, batch: SinkBatch) -> None:
        """Insert the rows of a partition."""
        self._client.insert(self._table, self.rows(batch), column_names=self._columns)

    def rows(self, batch: SinkBatch) -> list[list[Any]]:
        """The rows of a batch whose values are lists of rows."""
        return [row for item in batch for row in item.value]


class NewestSink(ClickHouseSink):
    """The same, of the sums of traces or sessions: the newest of each key is enough."""

    def rows(self, batch: SinkBatch) -> list[list[Any]]:
        """The rows of a batch whose values are sums."""
        newest = {item.key: item.value for item in batch}
        return [[key.decode(), *(sums[name] for name in SUMS_COLUMNS[1:])] for key, sums in newest.items()]


class Ready(logging.Handler):
    """Tells the benchmark that partitions are being assigned, which Quix tells nobody but its log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Look at what is logged."""
        if "assigning partitions" in record.msg:
            Path(os.environ["RIVAL_READY"]).touch()


def application() -> Application:
    """The application, its three steps connected."""
    exact = {"sets": True, "sums": False}[os.environ["RIVAL_MODE"]]
    app = Application(
        broker_address=os.environ["RIVAL_BROKER"],
        consumer_group="quix",
        auto_offset_reset="earliest",
        state_dir=os.environ["RIVAL_DATA"],
        # The broker has one group with one member; the defaults would wait half a minute for others.
        consumer_extra_config={"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000},
        # The local broker gives no producer an ID.
        producer_extra_config={"enable.idempotence": os.environ.get("RIVAL_IDEMPOTENT", "true") == "true"},
        loglevel="INFO",
    )
    request = ProtobufDeserializer(ExportTraceServiceRequest, to_dict=False)
    facts, turns = app.topic("quix-facts"), app.topic("quix-turns")
    traces, sessions = TraceFold(exact), SessionFold(exact)

    messages = app.dataframe(app.topic("otlp_spans", value_deserializer=request)).apply(traces.read_message)
    # The first branch gets the batch itself, the second a copy without rows.
    messages.apply(lambda batch: batch.rows).sink(ClickHouseSink("spans", SPAN_COLUMNS))
    by_trace = messages.apply(lambda batch: batch.facts, expand=True)
    by_trace.to_topic(facts, key=lambda new: new["trace_id"].encode())

    folded = app.dataframe(facts).apply(traces.fold, stateful=True)
    folded.sink(NewestSink("traces", SUMS_COLUMNS))
    by_session = folded.apply(lambda trace: trace["turn"]).filter(lambda turn: turn is not None)
    by_session.to_topic(turns, key=lambda turn: turn["session_id"].encode())

    app.dataframe(turns).apply(sessions.fold, stateful=True).sink(NewestSink("sessions", SUMS_COLUMNS))
    return app


if __name__ == "__main__":
    for_ready = logging.getLogger("quixstreams.app")
    for_ready.setLevel(logging.DEBUG)
    for_ready.addHandler(Ready())
    application().run()
