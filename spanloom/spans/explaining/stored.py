"""A stored span explained: read once more out of the attributes and events that are stored.

What was cut when it was stored can't be read again, and keys and rules may have changed since. So what comes out is
compared with what is stored, and where they differ, that is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.explaining.costs import why_cost
from spanloom.spans.explaining.fields import field_sources, unread
from spanloom.spans.explaining.reasons import Reasons, reasons_of
from spanloom.spans.explaining.standing import standings
from spanloom.spans.explaining.trace import ExplainedSpan
from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.calls import calls_of
from spanloom.spans.folding.trace.fold import root_of
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.folding.trace.usage import counted
from spanloom.spans.limits import ASSUMED, TRUNCATED, Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.messages import OtlpMessage
from spanloom.spans.reading.rows.decode import decode
from spanloom.spans.reading.rows.notes import SpanNotes
from spanloom.spans.reading.span.costs import SpanCosts
from spanloom.spans.table import COST_IS_STATED, SPAN_TYPES

_WHOLE = Limits(text=1 << 24, value=1 << 24, attributes=1 << 17, events=10_000, event_attributes=10_000)
"""Nothing that is stored is cut once more."""

_COMPARED = (
    "span_type",
    "session_id",
    "user_id",
    "model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "unsplit_tokens",
)
"""Columns that keys and rules decide."""


class StoredSpan(NamedTuple):
    """What is stored of a span beside its facts."""

    span_id: int
    provider: str
    attributes: Mapping[str, str]
    events: Sequence[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class ExplainedStored:
    """A stored span, and why it is read as it is."""

    span: ExplainedSpan
    trace: Reasons | None
    """What decided on the whole trace; told with its root."""
    differs: Sequence[tuple[str, str, str]]
    """Columns that come out otherwise today: name, what is stored, what is read now."""


class _NoPrices(Prices):
    """What a stored span costs is stored with it; the prices take 70 MB."""

    def __init__(self) -> None:
        pass

    def price(self, *_: object) -> None:
        """Nothing is priced."""
        return


def explain_stored(span: StoredSpan, facts: Sequence[Fact], vocabulary: Vocabulary) -> ExplainedStored | None:
    """Explain a stored span; None where it can't be read again.

    Args:
        span: the span.
        facts: those of its trace, or its own alone: then it is not told what it counts for.
        vocabulary: what the names of attributes mean.
    """
    fact = next(each for each in facts if each.span_id == span.span_id)
    noted: list[SpanNotes] = []
    decoded = decode(
        [OtlpMessage(_message(span, fact))],
        limits=_WHOLE,
        prices=_NoPrices(),
        vocabulary=vocabulary,
        notes=noted,
    )
    if not noted:
        return None
    [notes] = noted
    assert notes.fields is not None, "a span that was read has its fields"
    tree = Tree(facts)
    calls = calls_of(tree)
    at = tree.spans.index(fact)
    alone = len(facts) == 1 and bool(fact.parent_span_id)
    standing = [] if alone else standings(tree, calls, counted(tree, calls))[at]
    stated = bool(fact.marks & COST_IS_STATED)
    cost = SpanCosts(fact.input_cost, fact.output_cost, fact.total_cost, int(fact.priced), stated)
    span_type = SPAN_TYPES[fact.span_type]
    explained = ExplainedSpan(
        fact=fact,
        above=-1,
        span_type=span_type,
        sources=field_sources(notes, span_type),
        unread=unread(notes, vocabulary),
        usage=[rule.value for rule in notes.usage_rules],
        cost=why_cost(notes.fields, cost, fact, span.provider, is_call=at in calls, prices=None),
        standing=standing,
        cut=span.attributes.get(TRUNCATED, ""),
    )
    [row] = decoded.table.select(_COMPARED).to_pylist()
    stored = fact._asdict() | {"span_type": span_type}
    is_root = not alone and at == root_of(tree)
    return ExplainedStored(
        explained,
        reasons_of(tree, calls, vocabulary) if is_root else None,
        [(name, str(stored[name]), str(row[name])) for name in _COMPARED if stored[name] != row[name]],
    )


def _message(span: StoredSpan, fact: Fact) -> bytes:
    """The span as OTLP, as far as it is stored."""
    attributes = {key: text for key, text in span.attributes.items() if key not in (TRUNCATED, ASSUMED)}
    request = otlp_pb2.ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope = otlp_pb2.InstrumentationScope(
        name=fact.scope.encode("utf-8", "replace")
    ).SerializeToString()
    sent = scope.spans.add(
        trace_id=bytes(15) + b"\1",
        span_id=fact.span_id.to_bytes(8),
        name=fact.name.encode("utf-8", "replace"),
        start_time_unix_nano=fact.start_time,
        end_time_unix_nano=fact.start_time + fact.duration,
        attributes=map(_key_value, attributes.items()),
    )
    for name, texts in span.events:
        sent.events.add(name=name.encode("utf-8", "replace"), attributes=map(_key_value, texts.items()))
    return request.SerializeToString()


def _key_value(pair: tuple[str, str]) -> bytes:
    value = otlp_pb2.AnyValue(string_value=pair[1].encode("utf-8", "replace"))
    return otlp_pb2.KeyValue(
        key=pair[0].encode("utf-8", "replace"), value=value.SerializeToString()
    ).SerializeToString()
