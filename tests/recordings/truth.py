"""Truth: what the program did and what the LLM server answered, put together as `truth.json`.

A *turn* is what the program reports of one trace: whose words, in which session, what it got as an answer, and which
lines of the server's log fell into it. A program can't know how many spans its SDK makes, what the SDK calls the
root, which wrappers it marks as failed, and at which nanosecond they start: only these four are taken from the
recording, by OpenTelemetry's own protobuf classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Json = dict[str, Any]

DETAILS = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
"""Parts of the input and the output that not every SDK tells: a turn names its own in `details`."""

NO_FAILURES = ("GraphInterrupt", "ParentCommand")
"""Exceptions by which LangGraph stops to ask a person, or hands over to another graph."""


class TruthError(Exception):
    """The recording can't be what the program did."""


def spans_by_trace(messages: Iterable[bytes]) -> dict[str, list[Span]]:
    """All spans of a recording by trace ID in hex, traces and spans in order of start."""
    spans = [
        span
        for message in messages
        for resource_spans in ExportTraceServiceRequest.FromString(message).resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    traces: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start_time_unix_nano):
        traces.setdefault(span.trace_id.hex(), []).append(span)
    return traces


def reports_error(span: Span) -> bool:
    """Whether a span reports an error."""
    return span.status.code == Status.STATUS_CODE_ERROR or any(e.name == "exception" for e in span.events)


def failed(span: Span) -> bool:
    """Whether a span reports an error that is none of `NO_FAILURES`."""
    raised = [str(_exception(event)) for event in span.events if event.name == "exception"]
    if raised:
        return not all(any(name in text for name in NO_FAILURES) for text in raised)
    return reports_error(span)


def _exception(event: Span.Event) -> dict[str, str]:
    told = {attribute.key: attribute.value.string_value for attribute in event.attributes}
    return {"type": told.get("exception.type", ""), "message": told.get("exception.message", "")[:80]}


def as_read(turns: list[Json], calls: list[Json]) -> list[Json]:
    """The lines of the log as far as the SDK reports them: without the usage that the program says it can't know.

    See `unread` in `py/turns.py` and `js/turns.mjs`: those calls are the last ones of their turn, those of
    `unread_before` the first.
    """
    read = list(calls)
    for turn in turns:
        first, end = turn["first_call"], turn["end_call"]
        before, after = turn.get("unread_before", 0), turn.get("unread", 0)
        for index in [*range(first, first + before), *range(end - after, end)]:
            read[index] = read[index] | {"usage_sent": False}
    return read


def truth(name: str, turns: list[Json], calls: list[Json], messages: list[bytes]) -> Json:
    """The truth of a recording, from the program's turns and the lines of the server's log.

    Raises TruthError where the traces are not those of the turns, or errors stand where nothing failed.
    """
    recorded = spans_by_trace(messages)
    of_turns = {turn["trace_id"] for turn in turns}
    if recorded.keys() != of_turns or len(of_turns) != len(turns):
        raise TruthError(f"{name}: turns {sorted(of_turns)}, recorded {sorted(recorded)}")
    traces = {}
    for turn in turns:
        traces[turn["trace_id"]] = _trace(
            turn, calls[turn["first_call"] : turn["end_call"]], recorded[turn["trace_id"]]
        )
    sessions = {}
    # A turn may have no session: what its program takes knows none.
    for session_id in dict.fromkeys(turn["session_id"] for turn in turns if turn["session_id"]):
        own = [turn for turn in turns if turn["session_id"] == session_id]
        sessions[session_id] = _session(own, [traces[turn["trace_id"]] for turn in own])
    span_count = sum(len(spans) for spans in recorded.values())
    return {"capture": name, "spans": span_count, "traces": traces, "sessions": sessions}


def _trace(turn: Json, calls: list[Json], spans: list[Span]) -> Json:
    errors = sum(map(reports_error, spans))
    if any(map(failed, spans)) != turn["fails"]:
        raise TruthError(f"{turn['said']!r}: {errors} spans with errors")
    reported = [call for call in calls if call["usage_sent"]]
    llm_calls = [call for call in calls if not call["path"].endswith("/embeddings")]
    own = {span.span_id for span in spans}
    return {
        "session_id": turn["session_id"],
        # The parent of a root may be a span that nobody exports.
        "root_name": next(span.name for span in spans if span.parent_span_id not in own),
        "spans": len(spans),
        # Some SDKs make one span of all steps of a turn: how many calls it took is not told.
        "llm_calls": len(llm_calls) if turn.get("calls_are_told", True) else None,
        "input_tokens": sum(call["input_tokens"] for call in reported),
        "output_tokens": sum(call["output_tokens"] for call in reported),
        **_details(turn, reported),
        "errors": errors,
        "start_unix_nano": min(span.start_time_unix_nano for span in spans),
        "end_unix_nano": max(span.end_time_unix_nano for span in spans),
        "input": (turn["said"] if turn["said_is_told"] else "") if llm_calls else None,
        "output": turn["answer"] if llm_calls else None,
    }


def _details(turn: Json, reported: list[Json]) -> Json:
    """The sums of the parts that the turn names; null for the others, and nothing if it names none at all."""
    named = turn.get("details")
    if named is None:
        return {}
    return {part: sum(call[part] for call in reported) if part in named else None for part in DETAILS}


def _session(turns: list[Json], traces: list[Json]) -> Json:
    summed = ("spans", "llm_calls", "input_tokens", "output_tokens", "errors")
    details = [part for part in DETAILS if part in traces[0]]
    by_start = sorted(zip(turns, traces, strict=True), key=lambda pair: int(pair[1]["start_unix_nano"]))
    return {
        "traces": len(traces),
        **{column: _sum_if_told(trace[column] for trace in traces) for column in (*summed, *details)},
        "user_id": next((turn["user_id"] for turn, _ in by_start if turn["user_id"]), None),
        "tags": sorted({tag for turn in turns for tag in turn["tags"]}),
        "start_unix_nano": min(trace["start_unix_nano"] for trace in traces),
        "end_unix_nano": max(trace["end_unix_nano"] for trace in traces),
    }


def _sum_if_told(counts: Iterable[int | None]) -> int | None:
    """The sum; null if one of the parts is."""
    told = list(counts)
    return None if None in told else sum(count for count in told if count is not None)
