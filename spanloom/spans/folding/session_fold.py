"""The session fold: a session window's sums are a pure function of the set of contributions in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.counters import MAX_COUNTER, Counters, add
from spanloom.spans.folding.trace.fold import union


@dataclass(frozen=True, slots=True)
class SessionWindow:
    """The row of a session window: the fields are columns of `session_windows_versions` (`rows`).

    Times are nanoseconds since the epoch.
    """

    key: WindowKey
    user_id: str
    user_since: int
    """The start of the earliest trace that names a user, 0 without one."""
    user_ids: tuple[str, ...]
    start_time: int
    end_time: int
    active_nanoseconds: int
    """The sum of the durations of the traces, nanoseconds."""
    trace_count: int
    counters: Counters
    models: tuple[str, ...]
    tags: tuple[str, ...]
    services: tuple[str, ...]
    environments: tuple[str, ...]
    releases: tuple[str, ...]
    first_input: str
    """How the input begins of the earliest trace that has one."""


def fold(key: WindowKey, contributions: Iterable[Contribution]) -> SessionWindow | None:
    """Fold the contributions to one window, each trace once; None where none is left in it."""
    traces = [contribution for contribution in contributions if not contribution.withdrawn]
    if not traces:
        return None
    named = [(trace.start_time, trace.user_id) for trace in traces if trace.user_id]
    user_since, user_id = min(named, default=(0, ""))
    inputs = [(trace.start_time, trace.trace_id, trace.input_start) for trace in traces if trace.input_start]
    return SessionWindow(
        key=key,
        user_id=user_id,
        user_since=user_since,
        user_ids=union([user for _, user in named]),
        start_time=min(trace.start_time for trace in traces),
        end_time=max(trace.start_time + trace.duration for trace in traces),
        active_nanoseconds=min(sum(trace.duration for trace in traces), MAX_COUNTER),
        trace_count=len(traces),
        counters=add([trace.counters for trace in traces]),
        models=union(model for trace in traces for model in trace.models),
        tags=union(tag for trace in traces for tag in trace.tags),
        services=union(service for trace in traces for service in trace.services),
        environments=union(name for trace in traces for name in trace.environments),
        releases=union(name for trace in traces for name in trace.releases),
        first_input=min(inputs)[2] if inputs else "",
    )
