"""What a turn of a session loads when it is asked for: its steps, and the whole of a long text."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request, Response
from markupsafe import Markup
from pydantic import Field

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.api.errors import NotThere
from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.span_tree import lines_of
from spanloom.dashboard.rendering.texts import attribute_html, value_html
from spanloom.dashboard.web.site import Site
from spanloom.spans.messages.turns import Side
from spanloom.warehouse.queries.traces.steps import Step, trace_steps
from spanloom.warehouse.queries.traces.tree import trace_tree
from spanloom.warehouse.queries.traces.whole_text import whole_text

LINES = 300
"""Spans of the tree inside a session; the trace page has all."""

_NO_TRACE = "There is no such trace, or none that you may see"


class WholeTextQuery(take.TraceQuery):
    """Which text of the trace."""

    side: Side = Field(description="`user` is the input, `assistant` the output.")


@dataclass(frozen=True)
class ShownStep:
    """A step with its texts as HTML."""

    step: Step
    input: Markup
    output: Markup


async def steps_part(
    site: Site, request: Request, trace_id: str, query: take.TraceQuery, sees: Visible
) -> Response:
    """Answer `/traces/{trace_id}/steps`: what was said and done in order, and the tree of spans."""
    tree = await trace_tree(site.warehouse, trace_id, query.project, sees)
    if tree is None:
        raise NotThere(_NO_TRACE)
    project = tree.trace.project_id if tree.trace else query.project or ""
    steps, complete = await trace_steps(site.warehouse, trace_id, project)
    return site.page(
        request,
        "session_steps.html",
        trace_id=trace_id.lower(),
        project=project,
        steps=await asyncio.to_thread(shown_steps, steps),
        complete=complete,
        lines=(await asyncio.to_thread(lines_of, tree.spans))[:LINES],
        span_count=len(tree.spans),
    )


def shown_steps(steps: Sequence[Step]) -> list[ShownStep]:
    """The steps with their texts as HTML, within one budget."""
    budget = Budget()
    return [
        ShownStep(
            step,
            attribute_html(step.input, budget) if step.input else Markup(""),
            value_html(step.output, budget, "assistant"),
        )
        for step in steps
    ]


async def whole_text_part(
    site: Site, request: Request, trace_id: str, query: WholeTextQuery, sees: Visible
) -> Response:
    """Answer `/traces/{trace_id}/text`: the whole input or output."""
    found = await whole_text(site.warehouse, trace_id, query.side, query.project, sees)
    if found is None:
        raise NotThere(_NO_TRACE)
    shown = await asyncio.to_thread(value_html, found.text, Budget(), query.side)
    return site.page(request, "whole_text.html", shown=shown, is_whole=found.is_whole)
