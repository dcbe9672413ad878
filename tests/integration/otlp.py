"""OTLP messages for tests, built with OpenTelemetry's own classes, and the rows they must lead to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.counters import Counters
from spanloom.spans.folding.trace.fold import Trace, fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode

SECOND = 1_000_000_000

_PRICES = Prices()


def span(
    trace: int | bytes,
    number: int,
    parent: int = 0,
    *,
    start: int | None = None,
    seconds: float = 1,
    name: str = "",
    error: bool = False,
    **attributes: Any,
) -> Span:
    """A span; attributes with `__` for a dot: `session__id="s1"`. It starts now unless a start (ns) is given."""
    begin = time.time_ns() if start is None else start
    return Span(
        trace_id=trace if isinstance(trace, bytes) else trace.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name=name or f"span {number}",
        start_time_unix_nano=begin,
        end_time_unix_nano=begin + round(seconds * SECOND),
        status=Status(code=Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_UNSET),
        attributes=[_attribute(key.replace("__", "."), value) for key, value in attributes.items()],
    )


def llm(trace: int | bytes, number: int, parent: int = 0, *, tokens: int = 10, **fields: Any) -> Span:
    """An LLM call that used `tokens` input and half as many output tokens."""
    usage: dict[str, Any] = {
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "gpt-4o-mini",
        "gen_ai__provider__name": "openai",
        "gen_ai__usage__input_tokens": tokens,
        "gen_ai__usage__output_tokens": tokens // 2,
    }
    return span(trace, number, parent, **{**usage, **fields})


def message(*spans: Span, service: str = "shop", resource: Mapping[str, str] | None = None) -> bytes:
    """An OTLP message with these spans of one service."""
    attributes = {"service.name": service, **(resource or {})}
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=[_attribute(key, value) for key, value in attributes.items()]),
                scope_spans=[ScopeSpans(spans=spans)],
            )
        ]
    ).SerializeToString()


def single_span_messages(messages: Iterable[bytes]) -> list[bytes]:
    """The same spans, each in a message of its own."""
    found = []
    for value in messages:
        for resource in ExportTraceServiceRequest.FromString(value).resource_spans:
            for scope in resource.scope_spans:
                for one in scope.spans:
                    alone = ScopeSpans(scope=scope.scope, spans=[one])
                    inside = ResourceSpans(resource=resource.resource, scope_spans=[alone])
                    found.append(ExportTraceServiceRequest(resource_spans=[inside]).SerializeToString())
    return found


def expected_traces(messages: Iterable[bytes]) -> list[dict[str, Any]]:
    """What `TRACES` must show once these messages are through: each span folded once, without any server."""
    decoded = decode([OtlpMessage(value) for value in messages], limits=Limits(), prices=_PRICES)
    table = decoded.table.append_column("version", pa.array(np.ones(decoded.table.num_rows, np.uint64)))
    facts: dict[Any, dict[int, Any]] = {}
    for key, some in facts_codec.facts_of(table):
        facts.setdefault(key, {}).update({fact.span_id: fact for fact in some})
    return sorted(
        (_row(fold(key, by_id.values())) for key, by_id in facts.items()), key=lambda row: row["trace_id"]
    )


def expected_sessions(messages: Iterable[bytes]) -> list[dict[str, Any]]:
    """What `SESSIONS` must show once these messages are through."""
    sessions: dict[str, dict[str, Any]] = {}
    for trace in expected_traces(messages):
        if not trace["session_id"]:
            continue
        session = sessions.setdefault(
            trace["session_id"],
            dict.fromkeys(("trace_count", *SUMS), 0) | {"session_id": trace["session_id"]},
        )
        session["trace_count"] += 1
        for name in SUMS:
            session[name] += trace[name]
    return [
        {name: sessions[key][name] for name in ("session_id", "trace_count", *SUMS)}
        for key in sorted(sessions)
    ]


SUMS = tuple(name for name in Counters._fields if not name.endswith("_cost"))

TRACES = f"""
SELECT trace_id, session_id, name, user_id, tags, toUnixTimestamp64Nano(start_time) AS start,
    toUnixTimestamp64Nano(end_time) AS end, status, input, output, models, {", ".join(SUMS)},
    toUInt64(round(total_cost * 1e12)) AS cost
FROM traces ORDER BY trace_id
"""

SESSIONS = f"SELECT session_id, trace_count, {', '.join(SUMS)} FROM sessions ORDER BY session_id"


def _row(trace: Trace) -> dict[str, Any]:
    counters = trace.counters._asdict()
    return {
        "trace_id": trace.key.trace_id.hex(),
        "session_id": trace.session_id,
        "name": trace.name,
        "user_id": trace.user_id,
        "tags": list(trace.tags),
        "start": trace.start_time,
        "end": trace.end_time,
        "status": trace.status,
        "input": trace.input,
        "output": trace.output,
        "models": list(trace.models),
        **{name: counters[name] for name in SUMS},
        "cost": counters["total_cost"],
    }


def _attribute(key: str, value: Any) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=value))
