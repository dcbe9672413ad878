"""A plain consumer that writes rows of spans, and leaves all adding up to ClickHouse (`benchmarks.rivals.tables`).

A materialized view adds the spans of every insert to their traces (AggregatingMergeTree). Sessions are a view that
adds up traces when it is asked: a session ID stands on one span of a trace only, so no view on inserts can know
which session the other spans belong to. Each query of it therefore reads every trace that there is.

It lacks, next to spanloom: a span that is sent, or written, twice counts twice in `traces` and `sessions`; nothing
but the load's conventions is read; previews, tags and metadata are left out; and whatever needs two spans of a trace
to be seen together, as not counting usage that a wrapper repeats, has no place here (usage counts on LLM spans).

Offsets are committed after rows are written. Start: `python -m benchmarks.rivals.clickhouse_alone`.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import clickhouse_connect
from confluent_kafka import Consumer, KafkaException, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.baseline.rules import SPAN_COLUMNS
from benchmarks.rivals.otlp import read

_BYTES = 16 << 20  # of messages, of which an insert is made; as a spanloom stage takes
_WITHIN = 0.4  # seconds until an insert of fewer
_AT_ONCE = 16  # messages asked for at a time


class Work:
    """The loop: take messages, write their rows, commit."""

    def __init__(self) -> None:
        self._ended = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": os.environ["RIVAL_BROKER"],
                "group.id": "clickhouse-alone",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                # The broker has one group with one member; the defaults would wait half a minute for others.
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 1000,
            }
        )
        self._client = clickhouse_connect.get_client(
            dsn=os.environ["RIVAL_CLICKHOUSE"],
            database=os.environ["RIVAL_DATABASE"],
            autogenerate_session_id=False,
            compress="lz4" if os.environ["RIVAL_COMPRESSION"] == "lz4" else False,
        )

    def run(self) -> None:
        """Work until SIGTERM."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._consumer.subscribe(["otlp_spans"], on_assign=self._assigned)
        try:
            while not self._ended:
                if messages := self._take():
                    self._write(messages)
                    self._consumer.commit(asynchronous=False)
        finally:
            self._consumer.close()

    def _take(self) -> list[Message]:
        """Messages that come to 16 MiB, or what came within 0.4 s."""
        taken: list[Message] = []
        size, end = 0, time.monotonic() + _WITHIN
        while size < _BYTES and (left := end - time.monotonic()) > 0:
            for message in self._consumer.consume(_AT_ONCE, left):
                if message.error():
                    raise KafkaException(message.error())
                taken.append(message)
                size += len(message.value())
        return taken

    def _write(self, messages: list[Message]) -> None:
        rows = [
            span.row
            for message in messages
            for span in read(ExportTraceServiceRequest.FromString(message.value()))
        ]
        self._client.insert("spans", rows, column_names=SPAN_COLUMNS)

    def _assigned(self, *_: Any) -> None:
        Path(os.environ["RIVAL_READY"]).touch()

    def _end(self, *_: Any) -> None:
        self._ended = True


if __name__ == "__main__":
    Work().run()
