"""One span: from its protobuf message to a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.families import Scope, adds_up
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.interactions import is_fetched
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import ASSUMED, TRUNCATED, Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.rows.fields import read_fields
from spanloom.spans.reading.rows.notes import SpanNotes
from spanloom.spans.reading.span.account import TOKENS, Caller, account_of
from spanloom.spans.reading.span.contents import contents_of
from spanloom.spans.reading.span.events import NO_EVENTS, EventReader, Events, RawEvent
from spanloom.spans.reading.span.row import Preview, SpanRow
from spanloom.spans.reading.span.status import ended_by_control_flow, status_of
from spanloom.spans.reading.span.tags_and_metadata import merged_metadata, merged_tags
from spanloom.spans.reading.span.times import SpanTimes, first_token
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
        usage, cost = account_of(
            values,
            ranks,
            Caller(span_type, scope.name, span.name, provider, model),
            times.priced_at,
            self._prices,
            vocabulary,
            rules,
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


def _type_by_usage(values: Sequence[Any]) -> str:
    """The type of a span that gives none: with usage the one it gives for that case, else LLM if it gives a model."""
    if all(count is None for count in values[TOKENS]):
        return "DEFAULT"
    return values[_SPAN_TYPE_IF_USED] or ("LLM" if values[_MODEL] else "DEFAULT")
