"""How the Quix Streams application folds: facts of spans into traces, traces into sessions; no I/O.

A fold is exact if it keeps what it has added up by ID, so that what comes again takes the place of what was there, or
it keeps sums only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.rivals.otlp import Read, read

SUMMED = ("traces", "spans", "llm_calls", "tool_calls", "errors", "input_tokens", "output_tokens", "cost")
NAMED = ("session_id", "user_id", "name")
SUMS_COLUMNS = ("key", *NAMED, "start_time", "end_time", *SUMMED, "models", "version")

Sums = dict[str, Any]
"""What a span, some spans or a trace add; times in nanoseconds, `cost` in USD."""


@dataclass(frozen=True)
class Batch:
    """What is in one message."""

    rows: list[list[Any]]
    facts: list[dict[str, Any]]
    """One for each trace: its ID and what is new of it."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the rows out of a copy: Quix pickles a value for each branch but the first, 20 µs a span of them."""
        return Batch, ([], self.facts)


class State(Protocol):
    """What Quix keeps for the key of a message: values that JSON knows, by name."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return what was set last."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""


def facts_of(span: Read) -> Sums:
    """What a span adds to its trace; usage counts on LLM spans only."""
    _, _, parent, name, start_time, end_time, status = span.row[:7]
    found = span.found
    is_llm = found["span_type"] == "LLM"
    return {
        "session_id": found["session_id"],
        "user_id": found["user_id"],
        "name": "" if parent else name,
        "start_time": start_time,
        "end_time": end_time,
        "traces": 0,
        "spans": 1,
        "llm_calls": int(is_llm),
        "tool_calls": int(found["span_type"] == "TOOL"),
        "errors": int(status == "error"),
        "input_tokens": found["input_tokens"] if is_llm else 0,
        "output_tokens": found["output_tokens"] if is_llm else 0,
        "cost": found["cost"] if is_llm else 0.0,
        "models": [found["model"]] if is_llm else [],
    }


def add(total: Sums, part: Sums) -> Sums:
    """Add `part` to `total`, in place; return it."""
    for name in NAMED:
        total[name] = total[name] or part[name]
    total["start_time"] = min(total["start_time"], part["start_time"])
    total["end_time"] = max(total["end_time"], part["end_time"])
    for name in SUMMED:
        total[name] += part[name]
    if part["models"]:
        total["models"] = sorted({*total["models"], *part["models"]})
    return total


def total_of(parts: Iterable[Sums]) -> Sums:
    """The sum of one or more."""
    first, *others = parts
    total = dict(first)
    for part in others:
        add(total, part)
    return total


class TraceFold:
    """Adds what is new of a trace to what was known of it."""

    def __init__(self, exact: bool) -> None:
        self._exact = exact

    def read_message(self, request: ExportTraceServiceRequest) -> Batch:
        """Read a message: rows of its spans, and its facts by trace, the spans still apart if they must be."""
        rows: list[list[Any]] = []
        traces: dict[str, Any] = {}
        for span in read(request):
            rows.append(span.row)
            trace_id, span_id = span.row[:2]
            facts = facts_of(span)
            if self._exact:
                traces.setdefault(trace_id, {})[span_id] = facts
            elif trace_id in traces:
                add(traces[trace_id], facts)
            else:
                traces[trace_id] = facts
        return Batch(rows, [{"trace_id": trace_id, "new": new} for trace_id, new in traces.items()])

    def fold(self, facts: dict[str, Any], state: State) -> Sums:
        """Return the sums of a trace as it now is, and under `turn` what its session has to know of it."""
        new, version = facts["new"], state.get("version", 0) + 1
        before: dict[str, Any] | None = state.get("trace")
        if self._exact:
            spans = {**(before or {}), **new}
            state.set("trace", spans)
            trace = total_of(spans.values())
            turn = {**trace, "traces": 1}
        else:
            # A session that is known only now has seen nothing of what came before.
            first = not (before and before["session_id"])
            trace = add(before, new) if before else new
            state.set("trace", trace)
            turn = {**(trace if first else new), "traces": int(first)}
        state.set("version", version)
        session_id = trace["session_id"]
        turn |= {"trace_id": facts["trace_id"], "session_id": session_id}
        return {**trace, "traces": 1, "version": version, "turn": turn if session_id else None}


class SessionFold:
    """Adds what a trace has become to its session."""

    def __init__(self, exact: bool) -> None:
        self._exact = exact

    def fold(self, turn: Sums, state: State) -> Sums:
        """Return the sums of the session as it now is."""
        trace_id, part = turn.pop("trace_id"), turn
        if self._exact:
            if before := state.get(trace_id):
                part = {**turn, **{name: turn[name] - before[name] for name in SUMMED}}
            state.set(trace_id, turn)
        known = state.get("session")
        session = {**(add(known, part) if known else part), "version": known["version"] + 1 if known else 1}
        state.set("session", session)
        return session
