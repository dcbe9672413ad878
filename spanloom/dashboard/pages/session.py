"""One session: its totals, and its traces as a conversation that reads from top to bottom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from markupsafe import Markup
from pydantic import BeforeValidator, Field

from spanloom.dashboard.access.projects import Visible
from spanloom.dashboard.api import parameters as take
from spanloom.dashboard.api.errors import NotThere
from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.marked import marked
from spanloom.dashboard.rendering.texts import value_html
from spanloom.dashboard.rendering.timeline import lay_out
from spanloom.dashboard.web.site import Site
from spanloom.spans.table import PREVIEW_CHARACTERS
from spanloom.warehouse.queries.answers import SearchAnswer, SessionCard, SessionDetail, TraceCards
from spanloom.warehouse.queries.sessions.page import find_session, session_cards, session_detail
from spanloom.warehouse.queries.sessions.search import SearchFilter, search_session
from spanloom.warehouse.queries.sessions.timeline import timeline

CARDS = 25
"""Traces in the page as it first comes; the next ones are loaded on scrolling."""

SPAN_TYPES = (
    "LLM",
    "TOOL",
    "AGENT",
    "CHAIN",
    "RETRIEVER",
    "EMBEDDING",
    "RERANKER",
    "GUARDRAIL",
    "EVALUATOR",
    "DEFAULT",
)

_NO_SESSION = "There is no such session, or none that you may see"


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


_Blank = BeforeValidator(_empty_is_none)


class SessionPageQuery(take.SearchQuery):
    """What the page shows of a session: a form sends empty fields, which count as absent."""

    type: Annotated[take.Text | None, _Blank] = None
    status: Annotated[take.Status | None, _Blank] = None
    model: Annotated[take.Text | None, _Blank] = None
    min_duration: Annotated[take.Amount | None, _Blank] = None
    max_duration: Annotated[take.Amount | None, _Blank] = None
    min_tokens: Annotated[take.Count | None, _Blank] = None
    min_cost: Annotated[take.Amount | None, _Blank] = None
    project: Annotated[take.Text | None, _Blank] = None
    view: Literal["", "timeline"] = Field("", description="Whether the timeline is open.")
    after: str | None = Field(
        None, max_length=10_000, description="The cursor of the cards, without scripts."
    )


@dataclass(frozen=True)
class ShownCard:
    """A card with its texts as HTML."""

    card: SessionCard
    input: Markup
    output: Markup
    input_cut: bool
    output_cut: bool


async def session_page(site: Site, request: Request, query: SessionPageQuery, sees: Visible) -> Response:
    """Answer `/session`."""
    detail = await session_detail(site.warehouse, query.id, query.project, sees)
    if detail is None:
        raise NotThere(_NO_SESSION)
    cards, drawn, found = await asyncio.gather(
        session_cards(site.warehouse, query.id, detail.project_id, CARDS, query.after),
        _drawing(site, query.id, detail.project_id) if query.view == "timeline" else _no_drawing(),
        _search(site, query, detail.project_id),
    )
    return site.page(
        request,
        "session.html",
        session=detail,
        **await asyncio.to_thread(_cards, cards, detail),
        asked=query,
        types=SPAN_TYPES,
        filter_count=_filters(query),
        **drawn,
        **_found(query, found),
    )


async def cards_part(site: Site, request: Request, query: take.CardsQuery, sees: Visible) -> Response:
    """Answer `/session/cards`: some cards, and a link to the next ones."""
    project = await _project(site, query, sees)
    detail = await session_detail(site.warehouse, query.id, project, sees)
    cards = await session_cards(site.warehouse, query.id, project, min(query.limit, 100), query.cursor)
    asked = SessionPageQuery(id=query.id, project=project)
    return site.page(
        request, "session_cards.html", **await asyncio.to_thread(_cards, cards, detail), asked=asked
    )


async def timeline_part(site: Site, request: Request, query: take.TimelineQuery, sees: Visible) -> Response:
    """Answer `/session/timeline`: the drawing."""
    project = await _project(site, query, sees)
    drawn = await _drawing(site, query.id, project, query.cursor)
    asked = SessionPageQuery(id=query.id, project=project)
    return site.page(request, "session_timeline.html", asked=asked, **drawn)


async def search_part(site: Site, request: Request, query: SessionPageQuery, sees: Visible) -> Response:
    """Answer `/session/search`: the traces and spans that match."""
    project = await _project(site, query, sees)
    found = await _search(site, query, project)
    asked = query.model_copy(update={"project": project})
    return site.page(request, "session_found.html", asked=asked, **_found(asked, found))


def _filters(query: SessionPageQuery) -> int:
    """How many of the search's filters are in use; the text is none."""
    wanted = query.filter()
    return sum(getattr(wanted, part.name) is not None for part in fields(SearchFilter) if part.name != "text")


def shown_cards(cards: Sequence[SessionCard]) -> list[ShownCard]:
    """The cards with their texts as HTML, within one budget."""
    budget = Budget()
    return [
        ShownCard(
            card,
            value_html(card.input, budget, "user"),
            value_html(card.output, budget, "assistant"),
            len(card.input) >= PREVIEW_CHARACTERS,
            len(card.output) >= PREVIEW_CHARACTERS,
        )
        for card in cards
    ]


def _cards(cards: TraceCards, session: SessionDetail | None) -> dict[str, Any]:
    last = cards.rows[-1].number if cards.rows else 0
    return {
        "shown_cards": shown_cards(cards.rows),
        "next_cards": cards.next,
        "trace_count": max(session.trace_count if session else 0, last),
        "session_start": session.start_time if session else None,
    }


def _found(asked: SessionPageQuery, found: SearchAnswer | None) -> dict[str, Any]:
    parameters = asked.model_dump(exclude_none=True, exclude={"cursor", "after", "view"})
    return {"found": found, "marked": marked, "next_query": parameters | {"cursor": found and found.next}}


async def _drawing(site: Site, session_id: str, project: str, cursor: str | None = None) -> dict[str, Any]:
    bars = await timeline(site.warehouse, session_id, project, cursor)
    return {"drawing": lay_out(bars.traces), "next_bars": bars.next}


async def _no_drawing() -> dict[str, Any]:
    return {"drawing": None}


async def _search(site: Site, query: SessionPageQuery, project: str) -> SearchAnswer | None:
    """What the page's search finds; None where nothing is asked for."""
    if query.filter() == SearchFilter():
        return None
    return await search_session(site.warehouse, query.id, project, query.filter(), query.cursor)


async def _project(site: Site, query: take.SessionQuery, sees: Visible) -> str:
    project = await find_session(site.warehouse, query.id, query.project, sees)
    if project is None:
        raise NotThere(_NO_SESSION)
    return project
