"""How times and numbers read before the browser puts them into its own language and time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from spanloom.spans.pricing.unpriced import sentence, why_unpriced
from spanloom.warehouse.queries.answers import TreeSpan

__all__ = [
    "ago",
    "cost",
    "count",
    "exact",
    "is_ahead",
    "iso",
    "local_input",
    "seconds",
    "unknown_cost",
    "unknown_costs",
    "usd",
]

UNKNOWN_COSTS = "no price for the model, or no usage told (the trace says which)"
"""Why calls have no known cost, where only their number is known; localise.js has it too."""

AHEAD = "ahead of the clock here"
"""What is said of a time in the future, along with the time; localise.js has it too."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

_NOW = 5
"""Seconds around now that count as now."""

_UNITS = (("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1))


def iso(time: datetime) -> str:
    """ISO 8601 in UTC with microseconds, for `<time datetime>`."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def exact(time: datetime) -> str:
    """Date and time to the second, in UTC, saying so."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(time: datetime, now: datetime) -> str:
    """`12 s ago`, `3 h ago`; `in 3 h` for what lies ahead, by another machine's clock."""
    away = int(abs((now - time).total_seconds()))
    if away < _NOW:
        return "now"
    unit, length = next(each for each in _UNITS if away >= each[1])
    distance = f"{away // length} {unit}"
    return f"in {distance}" if is_ahead(time, now) else f"{distance} ago"


def is_ahead(time: datetime, now: datetime) -> bool:
    """Whether a time lies in the future, by more than clocks that agree differ."""
    return (time - now).total_seconds() >= _NOW


def seconds(duration: float) -> str:
    """A duration with the two units that matter: `2 h 5 min`, `3.2 s`, `850 ms`."""
    if duration < 1:
        return f"{duration * 1000:.0f} ms"
    if duration < _MINUTE:
        return f"{duration:.1f} s"
    whole = round(duration)
    for (unit, length), (smaller, part) in (
        (("d", _DAY), ("h", _HOUR)),
        (("h", _HOUR), ("min", _MINUTE)),
        (("min", _MINUTE), ("s", 1)),
    ):
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length} {unit} {rest} {smaller}" if rest else f"{whole // length} {unit}"
    raise AssertionError("not reached: a minute is the least here")


def count(number: int) -> str:
    """`12,345`."""
    return f"{number:,}"


def usd(amount: float) -> str:
    """Dollars: cents from a dollar on, below it three digits that count."""
    if amount == 0:
        return "$0"
    if amount >= 1:
        return f"${amount:,.2f}"
    if amount < 0.000001:
        return "<$0.000001"
    return f"${float(f'{amount:.3g}'):.10f}".rstrip("0")


class Priced(Protocol):
    """What has a cost, which may be known in part only."""

    @property
    def total_cost(self) -> float: ...

    @property
    def unpriced_call_count(self) -> int: ...


def cost(of: Priced) -> str:
    """What is known to have been spent; `≥` before it where calls had no known price, `?` where none had."""
    if not of.unpriced_call_count:
        return usd(of.total_cost)
    return f"≥ {usd(of.total_cost)}" if of.total_cost else "?"


def unknown_costs(of: Priced) -> str:
    """How many calls have no known cost, and why; empty where all have one."""
    if not of.unpriced_call_count:
        return ""
    calls = "call" if of.unpriced_call_count == 1 else "calls"
    return f"{count(of.unpriced_call_count)} {calls} of unknown cost: {UNKNOWN_COSTS}"


def unknown_cost(span: TreeSpan) -> str:
    """Why nobody knows what a span cost; empty where it is known, and for what costs nothing."""
    if span.priced:
        return ""
    tells = span.input_tokens or span.output_tokens or span.unsplit_tokens
    if not tells and (span.span_type not in ("LLM", "EMBEDDING") or span.status == "error"):
        return ""
    reason = why_unpriced(
        span.model, span.provider, span.input_tokens, span.output_tokens, span.unsplit_tokens
    )
    return sentence(reason, span.model, span.provider)


def local_input(time: datetime) -> str:
    """The value of an input of type datetime-local, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
