"""One span: from its protobuf message to a row."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.registry import SESSION_KEY, USER_KEY
from spanloom.spans.limits import TRUNCATED, Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.attributes import CUT, attributes_within, texts
from spanloom.spans.reading.costs import span_costs
from spanloom.spans.reading.fields import read_fields
from spanloom.spans.reading.previews import chosen, from_events, input_preview, output_preview
from spanloom.spans.reading.row import EventRow, SpanRow
from spanloom.spans.reading.tags_and_metadata import merged_metadata, merged_tags

_ERROR = 2
"""`STATUS_CODE_ERROR` of OTLP."""

_STATUSES = {1: "ok", _ERROR: "error"}

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
_REASONING_TOKENS = int(Field.REASONING_TOKENS)
_INPUT = int(Field.INPUT)
_OUTPUT = int(Field.OUTPUT)
_STATUS = int(Field.STATUS)
_STATUS_MESSAGE = int(Field.STATUS_MESSAGE)

_NO_EVENTS: tuple[EventRow, ...] = ()
_NO_TAGS: tuple[str, ...] = ()
_NO_METADATA: dict[str, str] = {}


class SpanReader:
    """Reads spans within limits, with these prices."""

    def __init__(self, limits: Limits, prices: Prices) -> None:
        self._limits = limits
        self._prices = prices
        self._attributes = attributes_within(limits)
        self._whole = attributes_within(replace(limits, value=sys.maxsize))

    def row(self, span: otlp_pb2.Span, start: int, is_root: bool) -> SpanRow:
        """The row of a span that starts at `start` (nanoseconds since the epoch)."""
        limits = self._limits
        name_length = limits.name
        cut: list[str] = []

        keys, words, values, ranks, labels, flattened, incomplete = read_fields(
            span.attributes, self._attributes, limits.attributes
        )
        if incomplete:
            cut.append("attributes")
        events, whole_events = self._events(span, cut) if span.events else (_NO_EVENTS, _NO_EVENTS)

        model = (values[_MODEL] or "")[:name_length]
        provider = (values[_PROVIDER] or "")[:name_length]
        span_type = values[_SPAN_TYPE] or _type_by_usage(values)
        status, status_message = _status(span, events, values)

        given_input = chosen(_INPUT, values, ranks, flattened, span_type)
        given_output = chosen(_OUTPUT, values, ranks, flattened, span_type)
        if events and not (given_input.text and given_output.text):
            event_input, event_output = from_events(whole_events)
            given_input = given_input if given_input.text else event_input
            given_output = given_output if given_output.text else event_output
        asked, asked_kind = input_preview(given_input, span_type, is_root)
        answered, answered_kind = output_preview(given_output, span_type, is_root)

        longest = limits.text
        input_text = given_input.text
        output_text = given_output.text
        if len(input_text) > longest:
            input_text = input_text[:longest]
            cut.append("input")
        if len(output_text) > longest:
            output_text = output_text[:longest]
            cut.append("output")
        if cut:
            kept = dict(zip(keys, words, strict=True))
            kept[TRUNCATED] = ",".join(sorted(set(cut)))  # whatever the sender wrote there
            keys, words = list(kept), list(kept.values())

        cost = span_costs(values, model, provider, start, self._prices)
        return SpanRow(
            name=span.name.decode("utf-8", "replace")[:name_length],
            span_type=span_type,
            status=status,
            status_message=status_message[:name_length],
            session_id=(values[_SESSION_ID] or "")[:name_length],
            session_key=SESSION_KEY[ranks[_SESSION_ID]],
            user_id=(values[_USER_ID] or "")[:name_length],
            user_key=USER_KEY[ranks[_USER_ID]],
            tags=merged_tags(labels, limits) if labels else _NO_TAGS,
            metadata=merged_metadata(labels, limits) if labels else _NO_METADATA,
            model=model,
            provider=provider,
            input_tokens=values[_INPUT_TOKENS] or 0,
            output_tokens=values[_OUTPUT_TOKENS] or 0,
            cache_read_tokens=values[_CACHE_READ_TOKENS] or 0,
            cache_write_tokens=values[_CACHE_WRITE_TOKENS] or 0,
            reasoning_tokens=values[_REASONING_TOKENS] or 0,
            input_cost=cost.input,
            output_cost=cost.output,
            total_cost=cost.total,
            priced=cost.known,
            input=input_text,
            output=output_text,
            input_preview=asked,
            output_preview=answered,
            preview_kind=asked_kind | answered_kind,
            attribute_keys=keys,
            attribute_texts=words,
            events=events,
        )

    def _events(self, span: otlp_pb2.Span, cut: list[str]) -> tuple[list[EventRow], list[EventRow]]:
        """The events as they are kept; and with their texts whole, for those may be messages in JSON."""
        limits = self._limits
        if len(span.events) > limits.events:
            cut.append("events")
        kept, whole = [], []
        for event in span.events[: limits.events]:
            name = event.name.decode("utf-8", "replace")[: limits.name]
            raws = event.attributes[: limits.event_attributes]
            found = self._attributes.read_all(raws)
            row = EventRow(name, event.time_unix_nano, texts(found))
            kept.append(row)
            if any(CUT in field_values for _, _, field_values in found):
                cut.append("events")
                row = row._replace(attributes=texts(map(self._whole.read, raws)))
            elif len(event.attributes) > len(raws):
                cut.append("events")
            whole.append(row)
        return kept, whole


def _type_by_usage(values: Sequence[Any]) -> str:
    """The type of a span that gives none: with usage the one it gives for that case, else LLM if it gives a model."""
    if values[_INPUT_TOKENS] is None and values[_OUTPUT_TOKENS] is None:
        return "DEFAULT"
    return values[_SPAN_TYPE_IF_USED] or ("LLM" if values[_MODEL] else "DEFAULT")


def _status(span: otlp_pb2.Span, events: Sequence[EventRow], values: Sequence[Any]) -> tuple[str, str]:
    """Status and message: an error is a status ERROR, an event named `exception`, or what a convention calls
    one."""
    code = 0
    message = ""
    if span.HasField("status"):
        status = span.status
        code = status.code
        message = status.message.decode("utf-8", "replace")
    for event in events:
        if event.name == "exception":
            exception = event.attributes
            return "error", message or exception.get("exception.message") or exception.get(
                "exception.type", ""
            )
    if values[_STATUS]:
        return values[_STATUS], message or values[_STATUS_MESSAGE] or ""
    return _STATUSES.get(code, "unset"), message
