"""Where a trace may stand by a part of what is known of it."""

from __future__ import annotations

from spanloom.agents.state.trace.fact_set import FactSet
from spanloom.spans.folding.contribution import WindowKey, window_start

_MOST = 256
"""Places of which every session with every window is taken: spans that name hundreds of either are made to hurt."""


def may_stand_elsewhere(held: FactSet, window: int) -> bool:
    """Whether there are places beside the one without a session where a part of the facts would stand and all do not.

    Args:
        window: the length of a session window, seconds.
    """
    return len(held.named) > 1 or (bool(held.named) and len(_windows(held, window)) > 1)


def possible_places(project_id: str, held: FactSet, window: int) -> set[WindowKey]:
    """Return all places where some of a trace's facts alone would stand, replaced ones too.

    A worker that lost its partition, and writes nevertheless, may have known any part of the facts: it found some of
    them in ClickHouse, where ingest has put more since. A row where nobody looks for it would stay for ever.
    """
    windows, sessions = _windows(held, window), {"", *held.named}
    if len(windows) * len(sessions) <= _MOST:
        return {WindowKey(project_id, session, start) for session in sessions for start in windows}
    first = min(windows)
    return {WindowKey(project_id, session, first) for session in sessions} | {
        WindowKey(project_id, session, start) for session in ("", held.session_id) for start in windows
    }


def _windows(held: FactSet, window: int) -> set[int]:
    if held.earliest is None:
        return set()
    first = window_start(held.earliest, window)
    replaced = {window_start(start, window) for start, _ in held.replaced}
    if window_start(held.latest_start, window) == first:
        return {first, *replaced}
    return {window_start(fact.start_time, window) for fact in held.facts.values()} | replaced
