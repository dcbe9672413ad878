"""Runs the queries of a command against ClickHouse: those of the pages, read-only and within their limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from spanloom.commands import settings
from spanloom.commands.console import Stop
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.queries.answers import Answer, SessionDetail, SessionListRow, TraceCard
from spanloom.warehouse.queries.ask import TooBig
from spanloom.warehouse.queries.filters import Filter
from spanloom.warehouse.queries.sessions.list import SessionSort, list_sessions
from spanloom.warehouse.queries.sessions.page import Ambiguous, session_cards, session_detail

Result = TypeVar("Result")

SORTS: dict[str, SessionSort] = {
    "cost": "total_cost",
    "tokens": "total_tokens",
    "duration": "duration",
    "traces": "trace_count",
    "start": "start_time",
}
"""What sessions can be sorted by, largest or newest first: the names and their columns."""

_SESSIONS_AT_ONCE = 500
_MOST_TRACES = 1000


class WholeSession(Answer):
    """A session and its first traces; `complete` is false where it has more."""

    session: SessionDetail
    traces: list[TraceCard]
    complete: bool


def answer(question: Callable[[Warehouse], Coroutine[Any, Any, Result]], too_big: str) -> Result:
    """Return what a question is answered with by the ClickHouse of the settings.

    Args:
        too_big: what to do where the question reaches a limit, for the error.

    Raises:
        Stop: the question reached a limit, or several projects have what it asks for.
        Unavailable: ClickHouse is away.
        WarehouseError: ClickHouse refused the question.
    """
    warehouse = connect(settings.load().clickhouse)
    try:
        return asyncio.run(question(warehouse))
    except TooBig as error:
        raise Stop(f"{error.problem}: {too_big}") from None
    except Ambiguous as error:
        raise Stop(f"{error.problem}: name one with --project") from None
    finally:
        warehouse.close()


async def first_sessions(
    warehouse: Warehouse, wanted: Filter, sort: SessionSort, limit: int
) -> list[SessionListRow]:
    """The first `limit` sessions that a filter means, the largest, longest or newest first."""
    rows: list[SessionListRow] = []
    cursor = None
    while len(rows) < limit:
        most = min(limit - len(rows), _SESSIONS_AT_ONCE)
        page = await list_sessions(warehouse, wanted, sort, "desc", most, cursor)
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    return rows


async def whole_session(warehouse: Warehouse, session_id: str, project: str | None) -> WholeSession | None:
    """A session with its first 1,000 traces; None if there is none. Raises `Ambiguous`."""
    detail = await session_detail(warehouse, session_id, project)
    if detail is None:
        return None
    cards = await session_cards(warehouse, session_id, detail.project_id, _MOST_TRACES)
    return WholeSession(session=detail, traces=cards.rows, complete=cards.next is None)
