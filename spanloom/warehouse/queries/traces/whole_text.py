"""The whole input or output of a trace, of which its row has the beginning: it stands in one of its spans."""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

from spanloom.spans.messages.turns import Side
from spanloom.spans.messages.whole import whole_words
from spanloom.spans.table import PREVIEW_CHARACTERS
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.ask import ask
from spanloom.warehouse.queries.filters import Conditions, in_scope
from spanloom.warehouse.queries.sessions.page import Projects, one_project

_MOST_SPANS = 30
"""Spans that are looked through, one after another: the first one has it, as a rule."""


class WholeText(NamedTuple):
    """The input or output of a trace."""

    text: str
    is_whole: bool
    """False: no span has more of it than the trace's row."""


_BEGINNING = """
SELECT
    project_id,
    {column} AS text
FROM traces
WHERE (trace_id = {trace:String}) AND {scope}
ORDER BY project_id
LIMIT 100
"""

# `part` is letters that JSON leaves as they are, so that an agent's thousand calls are not all fetched.
_TEXTS = """
SELECT {column} AS text
FROM spans_versions FINAL
PREWHERE (project_id = {project:String}) AND (trace_id = {trace:String})
WHERE (length(text) >= {least:UInt64}) AND (position(text, {part:String}) > 0)
ORDER BY
    start_time {direction},
    span_id
LIMIT 1 OFFSET {offset:UInt64}
"""

_STATED = """
SELECT arrayFirst(value -> startsWith(value, {beginning:String}), mapValues(all_attributes)) AS text
FROM spans_versions FINAL
PREWHERE (project_id = {project:String}) AND (trace_id = {trace:String})
WHERE text != ''
LIMIT 1
"""

_PLAIN = re.compile(r"[A-Za-z0-9 ]+")


async def whole_text(
    warehouse: Warehouse, trace_id: str, side: Side, project: str | None = None, visible: Projects = None
) -> WholeText | None:
    """Return the input (`user`) or output (`assistant`) of a trace; None if no such trace is visible to the caller.

    Raises:
        Ambiguous: several projects have one, and none was named.
    """
    what = "read the whole of a text"
    # A question stands in the first call, an answer in the last.
    column, direction = ("input", "ASC") if side == "user" else ("output", "DESC")
    scope = Conditions({"trace": trace_id.lower()})
    in_scope(scope, project, visible)
    sql = _BEGINNING.replace("{column}", column).replace("{scope}", scope.sql())
    rows = await ask(warehouse, what, sql, scope.parameters)
    if not rows:
        return None
    key: dict[str, object] = {
        "trace": trace_id.lower(),
        "project": one_project((row["project_id"] for row in rows), "trace"),
    }
    beginning: str = rows[0]["text"]
    if len(beginning) < PREVIEW_CHARACTERS:
        return WholeText(beginning, True)
    looked_for = {"least": len(beginning), "part": max(_PLAIN.findall(beginning), key=len, default="")}
    sql = _TEXTS.replace("{column}", column).replace("{direction}", direction)
    for offset in range(_MOST_SPANS):
        found = await ask(warehouse, what, sql, key | looked_for | {"offset": offset})
        if not found:
            break
        # In a thread: a megabyte of messages takes a while, and others wait.
        if words := await asyncio.to_thread(whole_words, found[0]["text"], side, beginning):
            return WholeText(words, True)
    stated = await ask(warehouse, what, _STATED, key | {"beginning": beginning})
    return WholeText(stated[0]["text"], True) if stated else WholeText(beginning, False)
