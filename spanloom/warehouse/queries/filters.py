"""The filter of a list of sessions or traces, and the conditions in SQL that follow from it.

Conditions are fixed texts; every value travels as a named parameter.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from spanloom.spans.table import IS_CONTROL_FLOW

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SINCE = "fromUnixTimestamp64Nano({since:Int64}, 'UTC')"
SOUGHT = "lowerUTF8(normalizeUTF8NFC({text:String}))"
"""What is looked for, as `said` of `traces_by_time_versions` is written."""

SESSION_PART = "position(lowerUTF8(session_id), lowerUTF8({part:String})) > 0"
"""A part of a session's ID."""

_IN_REST = f"position(lowerUTF8(normalizeUTF8NFC(said_rest)), {SOUGHT}) > 0"

UNTIL = "fromUnixTimestamp64Nano({until:Int64}, 'UTC')"


FAILED = f"((status = 'error') AND (bitAnd(marks, {IS_CONTROL_FLOW}) = 0))"
"""A span of `spans_versions` failed: a framework that stops or goes on elsewhere by an exception did not."""


def no_later_than_stored(column: str, version: str = "version") -> str:
    """An expression: a time that a sender told, in nanoseconds, or when its row was stored, if that was earlier.

    A sender's clock may be hours ahead, and its rows would stand above all others as long. What a list sorts by time
    goes by this. The upper bits of a version are the time of the log (ms) at which the row was last changed.

    Args:
        column: a column of type DateTime64.
        version: the row's version.
    """
    return f"least(toUnixTimestamp64Nano({column}), toInt64(bitShiftRight({version}, 22)) * 1000000)"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Everything given must hold. Durations are seconds, costs USD, bounds inclusive.

    Attributes:
        visible: the projects visible to the caller; None is all.
        since, until: aware times; what overlaps the range, ends included, is meant.
        text: part of an input or output, in any case and language; of a session: in one of
            its traces that overlaps the range.
        session_id: part of it, in any case.
        tags, models, services: each of them must occur.
        status: of a session `error` where a span failed, else `ok`; of a trace its own.
        metadata: pairs; of a session: in one of its traces that overlaps the range.
    """

    visible: frozenset[str] | None = None
    project: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    session_id: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    status: Literal["ok", "error", "unset"] | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    min_traces: int | None = None
    max_traces: int | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    min_tokens: int | None = None
    max_tokens: int | None = None
    min_cost: float | None = None
    max_cost: float | None = None


@dataclass
class Conditions:
    """Conditions that must all hold, and the values of their parameters."""

    parameters: dict[str, object] = field(default_factory=dict)
    _all: list[str] = field(default_factory=list)

    def add(self, condition: str, **parameters: object) -> None:
        """Add one; its parameters' names are new, or have the same values."""
        self._all.append(condition)
        self.parameters.update(parameters)

    def sql(self) -> str:
        """All of them as one condition."""
        return "\n    AND ".join(f"({condition})" for condition in self._all) or "true"


def in_scope(conditions: Conditions, project: str | None, visible: Collection[str] | None) -> None:
    """Only what is visible to the caller, and of it the requested project."""
    if visible is not None:
        if not visible:
            conditions.add("false")
            return
        conditions.add("project_id IN {visible:Array(String)}", visible=sorted(visible))
    if project is not None:
        conditions.add("project_id = {project:String}", project=project)


def in_range(conditions: Conditions, wanted: Filter) -> None:
    """Only rows whose start and end overlap the range."""
    if wanted.since is not None:
        conditions.add(f"end_time >= {SINCE}", since=nanoseconds(wanted.since))
    if wanted.until is not None:
        conditions.add(f"start_time <= {UNTIL}", until=nanoseconds(wanted.until))


def in_windows(conditions: Conditions, wanted: Filter) -> None:
    """Only rows of `traces_by_time_versions` in windows that may hold traces of the range, for PREWHERE.

    A window starts no later than what is in it. The first one of what ends in or after the range is asked for in the
    same query, by an index of the ends: in whatever version, so never too narrow.
    """
    if wanted.since is not None:
        ends = Conditions(conditions.parameters)
        in_scope(ends, wanted.project, wanted.visible)
        in_range(ends, Filter(since=wanted.since))
        conditions.add(
            f"window_start >= (SELECT min(window_start) FROM traces_by_time_versions WHERE {ends.sql()})"
        )
    if wanted.until is not None:
        conditions.add(f"window_start <= {UNTIL}", until=nanoseconds(wanted.until))


def with_text_and_metadata(conditions: Conditions, wanted: Filter) -> None:
    """Only rows of `traces_by_time_versions FINAL` that hold the text in their input or output, and the metadata.

    FINAL would carry the long texts through its merge. So which rows hold the text is asked without it, and
    the newest row of a trace is one of them by its version, which determines what a row holds. What was said behind a
    preview stands with the span, where it is the newest version of it.
    """
    for number, (key, value) in enumerate(wanted.metadata):
        conditions.add(
            f"mapContains(metadata, {{key{number}:String}}) "
            f"AND metadata[{{key{number}:String}}] = {{value{number}:String}}",
            **{f"key{number}": key, f"value{number}": value},
        )
    if wanted.text:
        inner = Conditions(conditions.parameters)
        in_scope(inner, wanted.project, wanted.visible)
        in_windows(inner, wanted)
        in_range(inner, wanted)
        inner.add(f"position(said, {SOUGHT}) > 0", text=wanted.text)
        scope = Conditions(conditions.parameters)
        in_scope(scope, wanted.project, wanted.visible)
        conditions.add(f"""((trace_id, version) IN (
        SELECT
            trace_id,
            version
        FROM traces_by_time_versions
        WHERE {inner.sql()}
    )) OR ((project_id, trace_id) IN (
        SELECT
            project_id,
            trace_id
        FROM spans_versions FINAL
        PREWHERE (project_id, trace_id, span_id) IN (
            SELECT
                project_id,
                trace_id,
                span_id
            FROM spans_versions
            PREWHERE {scope.sql()} AND (said_rest != '')
            WHERE {_IN_REST}
        )
        WHERE {_IN_REST}
    ))""")


def within_bounds(conditions: Conditions, wanted: Filter, column_of: dict[str, str]) -> None:
    """Only where counts and sums are within their bounds.

    Args:
        column_of: the expression of each of `traces`, `duration` (ns), `tokens` and `cost` (picodollars).
    """
    for name, column in column_of.items():
        unit = {"duration": 1e9, "cost": 1e12}.get(name, 1)
        for bound, sign in (("min", ">="), ("max", "<=")):
            value = getattr(wanted, f"{bound}_{name}")
            if value is not None:
                parameter = f"{bound}_{name}"
                conditions.add(f"{column} {sign} {{{parameter}:Int128}}", **{parameter: round(value * unit)})


def nanoseconds(time: datetime) -> int:
    """Nanoseconds since the epoch."""
    since = time - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
