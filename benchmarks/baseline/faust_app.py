"""What spanloom is measured against: an idiomatic Faust app, one event a span.

    baseline-spans ─▶ [read_spans] ─▶ baseline-facts, by trace ─▶ [fold_traces]
                                   ─▶ baseline-turns, by session ─▶ [fold_sessions]

It is written as Faust's own documentation teaches: records as `faust.Record`, a `Table` for each kind of
state, topics keyed by what they are folded by, and `take` to write rows to ClickHouse in batches. It does the
work of spanloom: reads type, tokens, session and user by the same keys, prices tokens, and writes rows of
spans, traces and sessions.

It promises less, and is the cheaper for it: it sums increments, so that a span that comes twice counts twice;
offsets may be committed before rows are written; previews, tags and metadata are left out; and usage counts
on LLM spans only, which is all that the benchmark's load needs.

Start: `python -m benchmarks.baseline.faust_app`, with the environment of `benchmarks.rivals.setting`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import clickhouse_connect
import faust
from clickhouse_connect.driver.client import Client

from benchmarks.baseline.rules import SPAN_COLUMNS, fields

PARTITIONS = 8
_BATCH = 1000  # rows of an insert
_WITHIN = 0.5  # seconds until an insert with fewer rows

app = faust.App(
    "baseline",
    broker=f"kafka://{os.environ['RIVAL_BROKER']}",
    value_serializer="json",
    store="memory://",
    datadir=os.environ["RIVAL_DATA"],
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    consumer_auto_offset_reset="earliest",
    # The broker is in one group with nobody else; Faust's defaults would wait 30 s.
    broker_session_timeout=6,
    broker_heartbeat_interval=1,
    broker_rebalance_timeout=6,
    stream_wait_empty=False,
)


class Span(faust.Record):
    """An event of `baseline-spans`; times in nanoseconds."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    start_time: int
    end_time: int
    status: str
    status_message: str
    attributes: dict[str, Any]
    resource: dict[str, str]


class Sums(faust.Record):
    """What a span adds to its trace, a trace to its session, and the state of both; `cost` in USD."""

    trace_id: str = ""
    session_id: str = ""
    user_id: str = ""
    name: str = ""
    start_time: int = 2**63 - 1
    end_time: int = 0
    traces: int = 0
    spans: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    version: int = 0
    models: list[str] | None = None


SUMS_COLUMNS = [
    "key",
    "session_id",
    "user_id",
    "name",
    "start_time",
    "end_time",
    "traces",
    "spans",
    "llm_calls",
    "tool_calls",
    "errors",
    "input_tokens",
    "output_tokens",
    "cost",
    "models",
    "version",
]

spans_topic = app.topic("baseline-spans", value_type=Span)
facts_topic = app.topic("baseline-facts", key_type=str, value_type=Sums)
turns_topic = app.topic("baseline-turns", key_type=str, value_type=Sums)
traces_table = app.Table("baseline-traces", key_type=str, value_type=Sums, partitions=PARTITIONS)
sessions_table = app.Table("baseline-sessions", key_type=str, value_type=Sums, partitions=PARTITIONS)
span_rows = app.channel()
trace_rows = app.channel()
session_rows = app.channel()


@app.agent(spans_topic)
async def read_spans(stream: Any) -> None:
    """Read each span, keep its row for ClickHouse, and send on what the folds need."""
    async for span in stream:
        found = fields(span.attributes)
        await span_rows.send(value=span_row(span, found))
        await facts_topic.send(key=span.trace_id, value=facts_of(span, found))


@app.agent(facts_topic)
async def fold_traces(stream: Any) -> None:
    """Add each span to its trace; tell the session, once it is known, what came on top."""
    async for facts in stream:
        trace = traces_table.get(facts.trace_id) or Sums(traces=1)
        known = bool(trace.session_id)
        add(trace, facts)
        traces_table[facts.trace_id] = trace
        await trace_rows.send(value=(facts.trace_id, trace.derive()))
        if trace.session_id:
            turn = facts if known else trace
            await turns_topic.send(key=trace.session_id, value=turn.derive(session_id=trace.session_id))


@app.agent(turns_topic)
async def fold_sessions(stream: Any) -> None:
    """Add what came on top to its session."""
    async for turn in stream:
        session = sessions_table.get(turn.session_id) or Sums(session_id=turn.session_id)
        add(session, turn)
        sessions_table[turn.session_id] = session
        await session_rows.send(value=(turn.session_id, session.derive()))


@app.agent(span_rows)
async def write_spans(stream: Any) -> None:
    """Write rows of spans in batches."""
    async for rows in stream.take(_BATCH, within=_WITHIN):
        await insert("spans", rows, SPAN_COLUMNS)


@app.agent(trace_rows)
async def write_traces(stream: Any) -> None:
    """Write the newest row of each trace of a batch."""
    async for rows in stream.take(_BATCH, within=_WITHIN):
        newest = dict(rows)
        await insert("traces", [sums_row(key, sums) for key, sums in newest.items()], SUMS_COLUMNS)


@app.agent(session_rows)
async def write_sessions(stream: Any) -> None:
    """Write the newest row of each session of a batch."""
    async for rows in stream.take(_BATCH, within=_WITHIN):
        newest = dict(rows)
        await insert("sessions", [sums_row(key, sums) for key, sums in newest.items()], SUMS_COLUMNS)


@app.on_rebalance_complete.connect
async def ready(*_: Any, **__: Any) -> None:
    """Tell the benchmark that partitions are assigned and recovered."""
    await asyncio.to_thread(Path(os.environ["RIVAL_READY"]).touch)


def span_row(span: Span, found: dict[str, Any]) -> list[Any]:
    """The row of a span, in the order of SPAN_COLUMNS."""
    attributes = {key: str(value) for key, value in span.attributes.items()}
    own = [getattr(span, name) for name in SPAN_COLUMNS[:8]]
    return [*own, span.resource.get("service.name", ""), *found.values(), attributes, span.resource]


def facts_of(span: Span, found: dict[str, Any]) -> Sums:
    """What a span adds to its trace; usage counts on LLM spans only."""
    is_llm = found["span_type"] == "LLM"
    return Sums(
        trace_id=span.trace_id,
        session_id=found["session_id"],
        user_id=found["user_id"],
        name="" if span.parent_span_id else span.name,
        start_time=span.start_time,
        end_time=span.end_time,
        spans=1,
        llm_calls=int(is_llm),
        tool_calls=int(found["span_type"] == "TOOL"),
        errors=int(span.status == "error"),
        input_tokens=found["input_tokens"] if is_llm else 0,
        output_tokens=found["output_tokens"] if is_llm else 0,
        cost=found["cost"] if is_llm else 0.0,
        models=[found["model"]] if is_llm else [],
    )


def add(total: Sums, part: Sums) -> None:
    """Add `part` to `total`, in place."""
    total.session_id = total.session_id or part.session_id
    total.user_id = total.user_id or part.user_id
    total.name = total.name or part.name
    total.start_time = min(total.start_time, part.start_time)
    total.end_time = max(total.end_time, part.end_time)
    total.traces += part.traces
    total.spans += part.spans
    total.llm_calls += part.llm_calls
    total.tool_calls += part.tool_calls
    total.errors += part.errors
    total.input_tokens += part.input_tokens
    total.output_tokens += part.output_tokens
    total.cost += part.cost
    total.models = sorted({*(total.models or ()), *(part.models or ())})
    total.version += 1


def sums_row(key: str, sums: Sums) -> list[Any]:
    """A row of a trace or a session, in the order of SUMS_COLUMNS."""
    return [key, *(getattr(sums, name) for name in SUMS_COLUMNS[1:])]


async def insert(table: str, rows: list[Any], columns: Sequence[str]) -> None:
    """Insert rows; the driver blocks, so it works in a thread."""
    await asyncio.to_thread(client().insert, table, rows, column_names=columns)


@cache
def client() -> Client:
    """The connection to ClickHouse."""
    return clickhouse_connect.get_client(
        dsn=os.environ["RIVAL_CLICKHOUSE"],
        database=os.environ["RIVAL_DATABASE"],
        autogenerate_session_id=False,
        compress="lz4" if os.environ["RIVAL_COMPRESSION"] == "lz4" else False,
    )


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "-l", "warn", "--without-web"]
    app.main()
