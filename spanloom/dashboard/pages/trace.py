"""One trace: its spans as a tree beside a waterfall, and a panel with all that a span carried."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from markupsafe import Markup
from pydantic import Field

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.api.errors import NotThere
from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.folding import fold, plain
from spanloom.dashboard.rendering.printable import printable
from spanloom.dashboard.rendering.span_tree import Line, lines_of
from spanloom.dashboard.rendering.texts import attribute_html, value_html
from spanloom.dashboard.rendering.wording import unknown_cost
from spanloom.dashboard.web.site import Site
from spanloom.warehouse.queries.answers import Event, SpanDetail
from spanloom.warehouse.queries.traces.tree import span_detail, trace_tree

LINES_WITHOUT_SCRIPTS = 500
"""Lines of the tree for a browser that runs no scripts."""

NAME_CHARACTERS = 300
"""Of a name, what a line of the tree gets: the panel has the whole."""

MOST_EVENTS = 500
"""Events of a span that get a place of their own; the raw JSON has all."""

MOST_ATTRIBUTES = 1_000
"""Attributes that get a line of their own; the raw JSON has all."""


class TracePageQuery(take.TraceQuery):
    """What the page shows of a trace."""

    span: str = Field("", max_length=64, description="The span whose panel is open; the root's without it.")


@dataclass(frozen=True)
class Panel:
    """A span with its texts as HTML."""

    span: SpanDetail
    input: Markup
    output: Markup
    status_message: Markup
    attributes: list[tuple[str, Markup]]
    resource: list[tuple[str, Markup]]
    events: list[tuple[Event, list[tuple[str, Markup]]]]
    """Those that are no exceptions, with their attributes."""
    exceptions: list[tuple[Event, Markup]]
    """Each with its stack trace."""


async def trace_page(
    site: Site, request: Request, trace_id: str, query: TracePageQuery, sees: Visible
) -> Response:
    """Answer `/traces/{trace_id}`."""
    tree = await trace_tree(site.warehouse, trace_id, query.project, sees)
    if tree is None:
        raise NotThere("There is no such trace, or none that you may see")
    lines = await asyncio.to_thread(lines_of, tree.spans)
    wanted = query.span.lower() or (tree.trace.root_span_id if tree.trace else "")
    chosen = next((line.span.span_id for line in lines if line.span.span_id == wanted), "")
    if not chosen and lines:
        chosen = lines[0].span.span_id
    panel = None
    if chosen:
        project = tree.trace.project_id if tree.trace else query.project
        panel = await _panel(site, trace_id, chosen, project, sees)
    return site.page(
        request,
        "trace.html",
        trace_id=trace_id.lower(),
        tree=tree,
        trace=tree.trace,
        project=panel.span.project_id if panel else (query.project or ""),
        session_id=tree.trace.session_id if tree.trace else "",
        lines=lines[:LINES_WITHOUT_SCRIPTS],
        data=await asyncio.to_thread(tree_data, lines),
        chosen=chosen,
        panel=panel,
    )


async def span_part(
    site: Site, request: Request, trace_id: str, span_id: str, query: take.TraceQuery, sees: Visible
) -> Response:
    """Answer `/traces/{trace_id}/spans/{span_id}`: the panel."""
    panel = await _panel(site, trace_id, span_id, query.project, sees)
    if panel is None:
        raise NotThere("There is no such span, or none that you may see")
    return site.page(request, "trace_panel.html", panel=panel, trace_id=trace_id.lower())


def tree_data(lines: list[Line]) -> dict[str, Any]:
    """The lines of the tree for the script: lists of values, because 10,000 lines name each column once.

    Times are milliseconds from the first start. `columns` gives the order. `unknown` is the place in `reasons` of
    why the cost is not known, 0 where it is.
    """
    start = min((line.span.start_time for line in lines), default=None)
    end = max((line.span.end_time for line in lines), default=None)
    length = (end - start).total_seconds() * 1000 if start and end else 0.0
    columns = (
        "id", "name", "type", "depth", "below", "orphan", "start", "duration",
        "status", "model", "service", "tokens_in", "tokens_out", "tokens_unsplit", "cost", "unknown",
    )  # fmt: skip
    rows = []
    reasons = {"": 0}
    for line in lines:
        span = line.span
        assert start is not None
        rows.append(
            (
                span.span_id,
                printable(span.name[:NAME_CHARACTERS]),
                printable(span.span_type),
                line.depth,
                line.descendants,
                int(line.orphan),
                round((span.start_time - start).total_seconds() * 1000, 3),
                round(span.duration * 1000, 3),
                span.status,
                printable(span.model[:NAME_CHARACTERS]),
                printable(span.service_name[:NAME_CHARACTERS]),
                span.input_tokens,
                span.output_tokens,
                span.unsplit_tokens,
                span.total_cost,
                reasons.setdefault(unknown_cost(span), len(reasons)),
            )
        )
    return {"columns": columns, "length": length, "rows": rows, "reasons": [*map(printable, reasons)]}


async def _panel(site: Site, trace_id: str, span_id: str, project: str | None, sees: Visible) -> Panel | None:
    span = await span_detail(site.warehouse, trace_id, span_id, project, sees)
    # In a thread: a megabyte of messages takes a while, and others wait.
    return None if span is None else await asyncio.to_thread(panel_of, span)


def panel_of(span: SpanDetail) -> Panel:
    """A span with its texts as HTML, within one budget; the input and output are first to spend it."""
    budget = Budget()
    output = value_html(span.output, budget, "assistant")
    shown_input = value_html(span.input, budget, "user")
    exceptions, events = [], []
    for event in span.events[:MOST_EVENTS]:
        if event.name == "exception":
            stack = event.attributes.get("exception.stacktrace", "")
            exceptions.append(
                (
                    event,
                    fold(Markup('<pre class="stack" dir="ltr" tabindex="0">{}</pre>').format(stack), stack),
                )
            )
        else:
            events.append((event, _values(event.attributes, budget)))
    # A message that an exception already has is not shown twice.
    shown = {event.attributes.get("exception.message") for event, _ in exceptions}
    message = "" if span.status_message in shown else span.status_message
    return Panel(
        span,
        shown_input,
        output,
        fold(plain(message), message) if message else Markup(""),
        _values(span.attributes, budget),
        _values(span.resource, budget),
        events,
        exceptions,
    )


def _values(attributes: dict[str, str], budget: Budget) -> list[tuple[str, Markup]]:
    return [
        (key, attribute_html(value, budget)) for key, value in sorted(attributes.items())[:MOST_ATTRIBUTES]
    ]
