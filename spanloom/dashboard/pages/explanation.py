"""Where the values of a span come from, asked for when somebody wants to know."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.api.errors import NotThere
from spanloom.dashboard.web.site import Site
from spanloom.spans.explaining.stored import StoredSpan, explain_stored
from spanloom.warehouse.queries.traces.facts import stored_facts
from spanloom.warehouse.queries.traces.tree import span_detail

MOST_SPANS = 5_000
"""Of a longer trace it is not told what the span counts for in it."""

MOST_GIVEN = 20
"""Attributes of one field that are shown, and as many that lost."""

VALUE_CHARACTERS = 200
"""Of a value, what is shown: the attributes have the whole."""


async def explanation_part(
    site: Site, request: Request, trace_id: str, span_id: str, query: take.TraceQuery, sees: Visible
) -> Response:
    """Answer `/traces/{trace_id}/spans/{span_id}/explanation`."""
    missing = NotThere("There is no such span, or none that you may see")
    span = await span_detail(site.warehouse, trace_id, span_id, query.project, sees)
    if span is None:
        raise missing
    facts, complete = await stored_facts(site.warehouse, span.project_id, trace_id, span.span_id, MOST_SPANS)
    number = int(span.span_id, 16)
    if not any(fact.span_id == number for fact in facts):
        raise missing  # it was deleted a moment ago
    stored = StoredSpan(
        number, span.provider, span.attributes, [(event.name, event.attributes) for event in span.events]
    )
    # In a thread: it reads the span once more.
    explained = await asyncio.to_thread(explain_stored, stored, facts, site.vocabulary)
    return site.page(
        request,
        "trace_explanation.html",
        explained=explained,
        complete=complete,
        most=MOST_GIVEN,
        longest=VALUE_CHARACTERS,
    )
