"""One span: from its protobuf message to a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.families import Scope, adds_up, beside, is_gemini
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.interactions import is_fetched, thinks_beside
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import ASSUMED, TRUNCATED, Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.contents import contents_of
from spanloom.spans.reading.costs import UNKNOWN, span_costs
from spanloom.spans.reading.events import NO_EVENTS, EventReader, Events, RawEvent
from spanloom.spans.reading.fields import read_fields
from spanloom.spans.reading.notes import SpanNotes
from spanloom.spans.reading.row import Preview, SpanRow
from spanloom.spans.reading.status import ended_by_control_flow, status_of
from spanloom.spans.reading.tags_and_metadata import merged_metadata, merged_tags
from spanloom.spans.reading.times import SpanTimes, first_token
from spanloom.spans.reading.usage import NOTHING, Stated, Usage, UsageRule, usage_of
from spanloom.spans.reading.wire.attributes import attributes_within
from spanloom.spans.table import (
    COST_IS_STATED,
    IS_CONTROL_FLOW,
    IS_COPY,
    NO_START,
    USAGE_ADDS_UP,
)
from spanloom.spans.text.ids import LONGEST_ID, bounded_id

_SESSION_ID = int(Field.SESSION_ID)
_USER_ID = int(Field.USER_ID)
_SPAN_TYPE = int(Field.SPAN_TYPE)
_SPAN_TYPE_IF_USED = int(Field.SPAN_TYPE_IF_USED)
_MODEL = int(Field.MODEL)
_PROVIDER = int(Field.PROVIDER)
_INPUT_TOKENS = int(Field.INPUT_TOKENS)
_OUTPUT_TOKENS = int(Field.OUTPUT_TOKENS)
_CACHE_READ_TOKENS = int(Field.CACHE_READ_TOKENS)
_CACHE_WRITE_TOKENS = int(Field.CACHE_WRITE_TOKENS)
_TOTAL_TOKENS = int(Field.TOTAL_TOKENS)
TOKENS = slice(_INPUT_TOKENS, _TOTAL_TOKENS + 1)
"""The fields of `Stated`, in its order."""
_COMPACTION_INPUT = int(Field.COMPACTION_INPUT_TOKENS)
_COMPACTION_OUTPUT = int(Field.COMPACTION_OUTPUT_TOKENS)
COSTS = slice(int(Field.INPUT_COST), int(Field.TOTAL_COST) + 1)
"""The fields of costs."""
NO_COSTS = [None] * 3
_RESPONSE_ID = int(Field.RESPONSE_ID)
_COPY = int(Field.COPY)
_FIRST_TOKEN_AFTER = int(Field.FIRST_TOKEN_AFTER)
_FIRST_TOKEN_AT = int(Field.FIRST_TOKEN_AT)
_ENVIRONMENT = int(Field.ENVIRONMENT)
_RELEASE = int(Field.RELEASE)
_TRACE_NAME = int(Field.TRACE_NAME)

_NO_TAGS: tuple[str, ...] = ()
_NO_METADATA: dict[str, str] = {}


class SpanReader:
    """Reads spans within limits by a vocabulary, with these prices."""

    def __init__(self, limits: Limits, prices: Prices, vocabulary: Vocabulary) -> None:
        self._limits = limits
        self._prices = prices
        self._vocabulary = vocabulary
        self._attributes = attributes_within(limits, vocabulary)
        self._events = EventReader(limits, vocabulary)

    def row(
        self, span: otlp_pb2.Span, scope: Scope, times: SpanTimes, notes: SpanNotes | None = None
    ) -> tuple[SpanRow, Preview, Preview]:
        """The row of a span of an instrumentation, and the previews of its input and output; why they are so goes into
        `notes`, if asked for."""
        limits, vocabulary = self._limits, self._vocabulary
        name_length = limits.name
        cut: list[str] = []

        fields = read_fields(span.attributes, self._attributes, limits.attributes)
        keys, words, values, ranks, labels, flattened, incomplete = fields
        if incomplete:
            cut.append("attributes")
        events, whole_events, events_are_cut = self._read_events(span) if span.events else NO_EVENTS
        if events_are_cut:
            cut.append("events")

        model = (values[_MODEL] or "")[:name_length]
        provider = (values[_PROVIDER] or "")[:name_length]
        span_type = values[_SPAN_TYPE] or _type_by_usage(values)
        code, message = 0, ""
        if span.HasField("status"):
            code, message = span.status.code, span.status.message.decode("utf-8", "replace")
        status, status_message = status_of(code, message, events, values)
        session_id, user_id = values[_SESSION_ID] or "", values[_USER_ID] or ""
        if len(session_id) > LONGEST_ID:
            session_id = bounded_id(session_id)
            cut.append("session_id")
        if len(user_id) > LONGEST_ID:
            user_id = bounded_id(user_id)
            cut.append("user_id")

        given_input, given_output, asked, answered = contents_of(
            values, ranks, flattened, span_type, whole_events, vocabulary
        )

        longest = limits.text
        input_text = given_input.text
        output_text = given_output.text
        if len(input_text) > longest:
            input_text = input_text[:longest]
            cut.append("input")
        if len(output_text) > longest:
            output_text = output_text[:longest]
            cut.append("output")
        if cut or times.assumed:
            kept = dict(zip(keys, words, strict=True))
            # Whatever the sender wrote there.
            if cut:
                kept[TRUNCATED] = ",".join(sorted(set(cut)))
            if times.assumed:
                kept[ASSUMED] = "start_time"
            keys, words = list(kept), list(kept.values())

        rules = None if notes is None else notes.usage_rules
        # Most spans have neither tokens nor a cost.
        usage = (
            usage_of_span(
                values, ranks, span_type, scope.name, provider, model, span.name, vocabulary.beside, rules
            )
            if any(values[TOKENS])
            else NOTHING
        )
        cost = (
            UNKNOWN
            if usage is NOTHING and values[COSTS] == NO_COSTS
            else span_costs(values, usage, model, provider, times.priced_at, self._prices)
        )
        if notes is not None:
            notes.attributes = self._attributes.read_all(span.attributes)
            notes.fields = fields
            notes.input_source, notes.output_source = given_input.source, given_output.source
            notes.cost = cost
        # By position: names would take as long as reading three attributes.
        row = SpanRow(
            span.name.decode("utf-8", "replace")[:name_length],
            span_type,
            status,
            status_message[:name_length],
            session_id,
            vocabulary.session_keys[ranks[_SESSION_ID]],
            user_id,
            vocabulary.user_keys[ranks[_USER_ID]],
            merged_tags(labels, limits) if labels else _NO_TAGS,
            merged_metadata(labels, limits) if labels else _NO_METADATA,
            model,
            provider,
            usage.input,
            usage.output,
            usage.cache_read,
            usage.cache_write,
            usage.reasoning,
            usage.unsplit,
            cost.input,
            cost.output,
            cost.total,
            cost.known,
            first_token(values[_FIRST_TOKEN_AFTER], values[_FIRST_TOKEN_AT], times),
            (values[_ENVIRONMENT] or "")[:name_length],
            (values[_RELEASE] or "")[:name_length],
            scope.name,
            (values[_RESPONSE_ID] or "")[:name_length],
            input_text,
            output_text,
            (values[_TRACE_NAME] or "")[:name_length],
            (IS_COPY if values[_COPY] or (span_type == "LLM" and is_fetched(scope.name, span.name)) else 0)
            | (COST_IS_STATED if cost.stated else 0)
            | (NO_START if times.assumed else 0)
            | (IS_CONTROL_FLOW if status == "error" and ended_by_control_flow(events, status_message) else 0)
            | (USAGE_ADDS_UP if span_type == "LLM" and adds_up(scope) else 0),
            keys,
            words,
            events,
        )
        return row, asked, answered

    def _read_events(self, span: otlp_pb2.Span) -> Events:
        return self._events.read(
            [RawEvent(event.name, event.time_unix_nano, event.attributes) for event in span.events]
        )


def usage_of_span(
    values: Sequence[Any],
    ranks: Sequence[int],
    span_type: str,
    scope: str,
    provider: str,
    model: str,
    name: bytes,
    beside_of: Mapping[tuple[int, int], int],
    rules: list[UsageRule] | None,
) -> Usage:
    stated = Stated._make(values[TOKENS])
    by_scope = beside(scope, provider, model)
    whole = ranks[_INPUT_TOKENS]
    usage = usage_of(
        stated,
        is_embedding=span_type == "EMBEDDING",
        cache_is_beside=by_scope.cache
        or any(
            beside_of.get((field, ranks[field])) == whole
            for field in (_CACHE_READ_TOKENS, _CACHE_WRITE_TOKENS)
        ),
        reasoning_is_beside=by_scope.reasoning or thinks_beside(scope, name),
        rest_is_reasoning=is_gemini(provider, model),
        rules=rules,
    )
    more_input, more_output = values[_COMPACTION_INPUT], values[_COMPACTION_OUTPUT]
    if not (more_input or more_output):
        return usage
    if rules is not None:
        rules.append(UsageRule.COMPACTION)
    return usage.with_more(more_input or 0, more_output or 0)


def _type_by_usage(values: Sequence[Any]) -> str:
    """The type of a span that gives none: with usage the one it gives for that case, else LLM if it gives a model."""
    if all(count is None for count in values[TOKENS]):
        return "DEFAULT"
    return values[_SPAN_TYPE_IF_USED] or ("LLM" if values[_MODEL] else "DEFAULT")
