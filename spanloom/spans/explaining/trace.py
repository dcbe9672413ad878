"""Traces explained: what is read of OTLP messages, and why it is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.explaining.costs import why_cost
from spanloom.spans.explaining.fields import FieldSource, Given, field_sources, unread
from spanloom.spans.explaining.reasons import Reasons, reasons_of
from spanloom.spans.explaining.standing import standings
from spanloom.spans.folding.fact import Fact, TraceKey
from spanloom.spans.folding.facts import facts_of
from spanloom.spans.folding.trace.calls import calls_of
from spanloom.spans.folding.trace.fold import Trace, fold
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.folding.trace.usage import counted
from spanloom.spans.limits import TRUNCATED, Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.messages import OtlpMessage
from spanloom.spans.reading.rows.decode import decode
from spanloom.spans.reading.rows.notes import SpanNotes
from spanloom.spans.reading.wire.rejects import Reject
from spanloom.spans.table import SPAN_TYPES

_COLUMNS = ("provider", "attributes")


@dataclass(frozen=True, slots=True)
class ExplainedSpan:
    """One span, and why it is read as it is."""

    fact: Fact
    above: int
    """The position of the span above it in its trace, -1 for none."""
    span_type: str
    sources: Sequence[FieldSource]
    unread: Sequence[Given]
    usage: Sequence[str]
    """What decided on its tokens, sentences without a full stop; empty where it states none."""
    cost: str
    """What decided on its cost; empty where there is nothing to say."""
    standing: Sequence[str]
    """What it counts for in its trace."""
    cut: str
    """What of it was cut, columns separated by commas."""


@dataclass(frozen=True, slots=True)
class ExplainedTrace:
    """One trace, and why its row is as it is."""

    trace: Trace
    reasons: Reasons
    spans: Sequence[ExplainedSpan]
    """Spans stand behind the span above them."""


def explain(
    messages: Sequence[OtlpMessage], *, limits: Limits, prices: Prices, vocabulary: Vocabulary
) -> tuple[list[ExplainedTrace], list[Reject]]:
    """Read and fold messages as a worker does; of a span that was sent twice the later one counts.

    Returns:
        The traces in the order in which they are met, and what can't be read.
    """
    noted: list[SpanNotes] = []
    decoded = decode(messages, limits=limits, prices=prices, vocabulary=vocabulary, notes=noted)
    versions = pa.array(decoded.message.astype(np.uint64) + 1)
    table = decoded.table.append_column(pa.field("version", pa.uint64(), False), versions)
    rows = table.select(_COLUMNS).to_pylist()
    of_span = {
        (notes.trace_id, int.from_bytes(notes.span_id)): (notes, row)
        for notes, row in zip(noted, rows, strict=True)
    }
    traces: dict[TraceKey, dict[int, Fact]] = {}
    for key, facts in facts_of(table):
        # The order is that of the messages, so the last one of a span is the newest.
        traces.setdefault(key, {}).update({fact.span_id: fact for fact in facts})
    explained = [
        _trace(key, list(facts.values()), of_span, prices, vocabulary) for key, facts in traces.items()
    ]
    return explained, decoded.rejects


def _trace(
    key: TraceKey,
    facts: Sequence[Fact],
    of_span: dict[tuple[bytes, int], tuple[SpanNotes, dict[str, object]]],
    prices: Prices,
    vocabulary: Vocabulary,
) -> ExplainedTrace:
    trace = fold(key, facts, vocabulary.identity)
    tree = Tree(facts)
    calls = calls_of(tree)
    standing = standings(tree, calls, counted(tree, calls))
    spans = []
    order = {at: position for position, at in enumerate(tree.down)}
    for at in tree.down:
        fact = tree.spans[at]
        notes, row = of_span[key.trace_id, fact.span_id]
        span_type = SPAN_TYPES[fact.span_type]
        assert notes.fields is not None, "a span that was read has its fields"
        assert notes.cost is not None, "and a cost"
        spans.append(
            ExplainedSpan(
                fact=fact,
                above=order.get(tree.parent[at], -1),
                span_type=span_type,
                sources=field_sources(notes, span_type),
                unread=unread(notes, vocabulary),
                usage=[rule.value for rule in notes.usage_rules],
                cost=why_cost(
                    notes.fields, notes.cost, fact, str(row["provider"]), is_call=at in calls, prices=prices
                ),
                standing=standing[at],
                cut=dict(row["attributes"]).get(TRUNCATED, ""),  # type: ignore[call-overload]
            )
        )
    return ExplainedTrace(trace, reasons_of(tree, calls, vocabulary), spans)
