"""Sessions, traces and spans on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from spanloom.warehouse.queries.answers import (
    Answer,
    ModelUsage,
    SessionTotals,
    TraceCard,
    TraceTotals,
    TraceTree,
    TreeSpan,
)

_SPANS = 1000  # of one tree
_PREVIEW = 200  # characters of an input or output in a table


def as_json(value: Answer | Sequence[Answer]) -> str:
    """Return an answer, or a list of them, as JSON; times in ISO 8601."""
    plain = (
        value.model_dump(mode="json")
        if isinstance(value, Answer)
        else [each.model_dump(mode="json") for each in value]
    )
    return json.dumps(plain, ensure_ascii=False, indent=2)


def sessions(rows: Sequence[SessionTotals], now: datetime) -> RenderableType:
    """A table with one row a session."""
    table = _table(
        "session", "started", "duration", "traces", "LLM calls", "tokens", "cost", "errors", "user", "tags"
    )
    several_projects = len({row.project_id for row in rows}) > 1
    for row in rows:
        name = f"{row.project_id}/{row.session_id}" if several_projects else row.session_id
        table.add_row(
            Text(name, overflow="fold"),
            ago(row.start_time, now),
            duration(row.duration),
            f"{row.trace_count:,}",
            f"{row.llm_call_count:,}",
            tokens(row),
            cost(row),
            errors(row.failure_count),
            Text(row.user_id),
            Text(", ".join(row.tags)),
        )
    return table


def session(row: SessionTotals, traces: Sequence[TraceCard], now: datetime) -> RenderableType:
    """A session's totals, then its first traces in order with their inputs and outputs."""
    head = Table.grid(padding=(0, 2))
    for name, value in (
        ("session", row.session_id),
        ("project", row.project_id),
        ("user", ", ".join(row.user_ids)),
        ("tags", ", ".join(row.tags)),
        ("started", f"{row.start_time:%Y-%m-%d %H:%M:%S} UTC, {ago(row.start_time, now)}"),
        ("duration", f"{duration(row.duration)} ({duration(row.active_duration)} active)"),
        ("tokens", tokens(row)),
        ("cost", cost(row)),
        ("models", ", ".join(row.models)),
        ("errors", str(row.failure_count)),
    ):
        head.add_row(Text(name, style="dim"), Text(value))
    table = _table("", "trace", "name", "duration", "tokens", "cost", "errors", "input", "output")
    for trace in traces:
        table.add_row(
            f"{trace.number}/{row.trace_count}",
            trace.trace_id,
            Text(trace.name),
            duration(trace.duration),
            tokens(trace),
            cost(trace),
            errors(trace.failure_count),
            preview(trace.input),
            preview(trace.output),
        )
    return Group(head, table, *_more(row.trace_count - len(traces), "traces"))


def trace(trace_id: str, detail: TraceTree) -> RenderableType:
    """A trace's totals and the tree of its first spans."""
    parts: list[RenderableType] = []
    if detail.trace is not None:
        row = detail.trace
        parts.append(
            Text.assemble(
                (row.name or row.trace_id, "bold"),
                f"  {duration(row.duration)}  {tokens(row)} tokens  {cost(row)}",
                f"  session {row.session_id}" if row.session_id else "",
            )
        )
        for name, value in (("input", row.input), ("output", row.output)):
            if value:
                parts.append(Text.assemble((f"{name}: ", "dim"), preview(value)))
    shown = detail.spans[:_SPANS]
    tree = Tree(Text(trace_id if shown else "no spans", style="dim"))
    nodes: dict[str, Tree] = {}
    known = {span.span_id for span in shown}
    children: dict[str, list[TreeSpan]] = {}
    for span in shown:
        parent = span.parent_span_id if span.parent_span_id in known else ""
        children.setdefault("" if parent == span.span_id else parent, []).append(span)
    # Breadth first over what hangs together; spans whose parents form a circle come last, flat.
    waiting = [(tree, span) for span in children.get("", [])]
    while waiting:
        above, span = waiting.pop(0)
        if span.span_id not in nodes:
            nodes[span.span_id] = above.add(_span(span))
            waiting += [(nodes[span.span_id], child) for child in children.get(span.span_id, [])]
    for span in shown:
        if span.span_id not in nodes:
            nodes[span.span_id] = tree.add(_span(span))
    total = max(detail.trace.span_count if detail.trace else 0, len(detail.spans))
    return Group(*parts, tree, *_more(total - len(shown), "spans"))


def models(rows: Sequence[ModelUsage]) -> RenderableType:
    """A table with one row a model; those without a price stand out, and a sentence says what to do about them."""
    table = models_table(rows)
    unpriced = sum(row.unpriced_call_count > 0 for row in rows)
    if not unpriced:
        return table
    what = "1 model has" if unpriced == 1 else f"{unpriced:,} models have"
    advice = (
        f"{what} calls whose cost is not known: it is left out of every sum. `spanloom models --unpriced` says why, and"
        " what to write into the file that SPANLOOM_WORKER__PRICES_FILE names."
    )
    return Group(table, Text(advice, style="yellow"))


def models_table(rows: Sequence[ModelUsage]) -> RenderableType:
    """A table with one row a model; those without a price stand out."""
    table = _table("provider", "model", "calls", "tokens", "cost", "price")
    for row in rows:
        price = Text("known")
        if row.unpriced_call_count:
            some = row.unpriced_call_count < row.call_count
            price = Text(f"unknown for {row.unpriced_call_count:,}" if some else "unknown", style="red")
        table.add_row(
            preview(row.provider),
            preview(row.model) if row.model else Text("none named", style="dim"),
            f"{row.call_count:,}",
            tokens(row),
            cost(row),
            price,
        )
    return table


def _span(span: TreeSpan) -> Text:
    usage = (
        f"  {span.input_tokens:,} → {span.output_tokens:,} tokens"
        if span.input_tokens or span.output_tokens
        else f"  {span.unsplit_tokens:,} tokens"
        if span.unsplit_tokens
        else ""
    )
    message = f"  {span.status_message}" if span.status == "error" else ""
    return Text.assemble(
        (f"{span.span_type:<9} ", "dim"),
        (span.name, "red" if span.status == "error" else ""),
        f"  {duration(span.duration)}",
        f"  {span.model}" if span.model else "",
        usage,
        (message, "red"),
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    right = {"duration", "traces", "LLM calls", "calls", "tokens", "cost", "errors", "started"}
    # On a narrow terminal the texts give way, never the names and numbers.
    named = {"session": 12, "model": 12, "price": 15, "trace": 32, "input": 16, "output": 16}
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column in right,
            min_width=named.get(column),
        )
    return table


def _more(count: int, what: str) -> Iterable[Text]:
    return [Text(f"and {count:,} more {what}", style="dim")] if count > 0 else []


def ago(time: datetime, now: datetime) -> str:
    """How long ago a time was: '3 min ago'."""
    seconds = (now - time).total_seconds()
    if seconds < 0:
        return "in the future"
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {name} ago"
    return f"{seconds:.0f} s ago"


def duration(seconds: float) -> str:
    """A duration to read: '12 ms', '3.4 s', '5 min 10 s', '2 h 3 min'."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:,.0f} h {seconds % 3600 // 60:.0f} min"


def tokens(row: SessionTotals | TraceTotals | ModelUsage) -> str:
    """Tokens as 'in → out (total)'; the total alone where nothing else is known."""
    if row.total_tokens and row.unsplit_tokens == row.total_tokens:
        return f"{row.total_tokens:,}"
    return f"{row.input_tokens:,} → {row.output_tokens:,} ({row.total_tokens:,})"


def cost(row: SessionTotals | TraceTotals | ModelUsage) -> str:
    """USD; '+ ?' where some calls have no known price. What is less than the digits show is not nothing."""
    unknown = " + ?" if row.unpriced_call_count else ""
    if not row.total_cost:
        return "?" if unknown else "$0.0000"
    return f"{'<$0.0001' if row.total_cost < 0.00005 else f'${row.total_cost:.4f}'}{unknown}"


def errors(count: int) -> Text:
    """A count that is red unless it is zero."""
    return Text(f"{count:,}", style="red" if count else "")


def preview(text: str) -> Text:
    """The beginning of a text, on one line; what could move the cursor is left out."""
    line = " ".join(text[: 2 * _PREVIEW].split())
    line = "".join(character for character in line if character.isprintable())
    return Text(line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…")


def now() -> datetime:
    """The time against which 'ago' is reckoned."""
    return datetime.now(UTC)
