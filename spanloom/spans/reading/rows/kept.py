"""Reads spans that were made of their rows, and keeps what was cut when they were stored.

All that is read of a span is read of texts, and a row has the texts of all attributes, events and the resource. So what
is read of them by the same rules is the same. What was cut is another matter: the rules of today see a part of what the
rules of then saw. So

1. an attribute that was cut is made whole where the row's input or output is its text: those are kept longer;
2. what the other ones can say, by today's names, stays as it is stored, input and output with their previews too;
3. all else is read anew.

Whatever the limits are today, nothing becomes shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, NamedTuple

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.families import Scope
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import ASSUMED, TRUNCATED, Limits, unlimited
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.rows.notes import SpanNotes
from spanloom.spans.reading.rows.span import SpanReader
from spanloom.spans.reading.span.previews import IN_EVENTS, NOWHERE
from spanloom.spans.reading.span.row import Preview, SpanRow
from spanloom.spans.reading.span.times import SpanTimes
from spanloom.spans.reading.wire.attributes import attributes_within
from spanloom.spans.table import (
    COST_IS_STATED,
    INPUT_IS_MESSAGE,
    INPUT_IS_TEXT,
    INPUT_OF_TRACE,
    IS_COPY,
    OUTPUT_IS_MESSAGE,
    OUTPUT_IS_TEXT,
    OUTPUT_OF_TRACE,
    PREVIEW_CHARACTERS,
    USAGE_ADDS_UP,
)

_SHORTEST_CUT = 64
"""No limit of the length of a key or value may be lower (`agents/settings.py`)."""

_INPUT_MARKS = INPUT_IS_MESSAGE | INPUT_IS_TEXT | INPUT_OF_TRACE
_OUTPUT_MARKS = OUTPUT_IS_MESSAGE | OUTPUT_IS_TEXT | OUTPUT_OF_TRACE

_IDS = {"session_id": Field.SESSION_ID, "user_id": Field.USER_ID}
"""What is cut anew, out of attributes that are longer."""

_INPUT = frozenset((Field.INPUT, Field.TOOL_INPUT, Field.INPUT_FLATTENED))
_OUTPUT = frozenset((Field.OUTPUT, Field.TOOL_OUTPUT, Field.OUTPUT_FLATTENED))
_TYPE = frozenset((Field.SPAN_TYPE, Field.SPAN_TYPE_IF_USED))
_USAGE = frozenset(
    field
    for field in Field
    if Field.MODEL <= field <= Field.TOTAL_COST or Field.INPUT_AUDIO_TOKENS <= field < Field.TAGS
)


class _Group(NamedTuple):
    """Columns and marks that stay as they are stored together."""

    fields: frozenset[Field]
    """What was cut may have named one of these."""
    columns: tuple[str, ...]
    marks: int = 0


def _group(*fields: Field, columns: tuple[str, ...] = (), marks: int = 0) -> _Group:
    return _Group(frozenset(fields), columns, marks)


_ACCOUNT = (
    *("model", "provider", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "unsplit_tokens", "input_cost", "output_cost", "total_cost", "priced"),
)
"""A count without the others, or a cost without its counts, would be a wrong number."""

_GROUPS = (
    _group(Field.SESSION_ID, columns=("session_id", "session_key")),
    _group(Field.USER_ID, columns=("user_id", "user_key")),
    _group(*_TYPE, columns=("span_type",)),
    _group(*_USAGE, columns=_ACCOUNT, marks=COST_IS_STATED),
    _group(Field.RESPONSE_ID, columns=("response_id",)),
    _group(Field.FIRST_TOKEN_AFTER, Field.FIRST_TOKEN_AT, columns=("time_to_first_token",)),
    _group(Field.ENVIRONMENT, columns=("environment",)),
    _group(Field.RELEASE, columns=("release",)),
    _group(Field.TRACE_NAME, columns=("trace_name",)),
    _group(Field.TAGS, columns=("tags",)),
    _group(Field.METADATA, columns=("metadata",)),
    _group(*_INPUT, columns=("input",)),
    _group(*_OUTPUT, columns=("output",)),
    _group(Field.COPY, marks=IS_COPY),
)


class StoredSpanReader:
    """Reads spans that were made of their rows, as `SpanReader` reads those that are sent."""

    def __init__(self, limits: Limits, prices: Prices, vocabulary: Vocabulary) -> None:
        limits = unlimited(limits)
        self._reader = SpanReader(limits, prices, vocabulary)
        self._attributes = attributes_within(limits, vocabulary)
        self._rules = vocabulary.rules

    def row(
        self, span: otlp_pb2.Span, scope: Scope, times: SpanTimes, columns: otlp_pb2.StoredColumns
    ) -> tuple[SpanRow, Preview, Preview]:
        """The row of a span, and the previews of its input and output; `columns` is what is stored of it."""
        if not columns.cut:
            row, asked, answered = self._reader.row(span, scope, times)
        else:
            row, asked, answered = self._cut(span, scope, times, columns)
        if columns.adds_up and row.span_type == "LLM":
            row = row._replace(marks=row.marks | USAGE_ADDS_UP)
        return row, asked, answered

    def _cut(
        self, span: otlp_pb2.Span, scope: Scope, times: SpanTimes, columns: otlp_pb2.StoredColumns
    ) -> tuple[SpanRow, Preview, Preview]:
        cut = frozenset(columns.cut.split(","))
        texts = {key: text for key, text, _ in self._attributes.read_all(span.attributes)}
        whole = _whole_texts(texts, columns, cut) if "attributes" in cut else {}
        lost = {Field(field) for key, text in whole.items() if not text for field, _, _ in self._rules[key]}
        restored = {key: text for key, text in whole.items() if len(text) > len(texts[key])}
        notes = SpanNotes(span.trace_id, span.span_id)
        row, asked, answered = self._reader.row(_with(span, restored), scope, times, notes)
        if "input" in cut or ("events" in cut and notes.input_source in (IN_EVENTS, NOWHERE)):
            lost |= _INPUT
        if "output" in cut or ("events" in cut and notes.output_source in (IN_EVENTS, NOWHERE)):
            lost |= _OUTPUT
        if row.span_type != columns.span_type and (
            lost & _TYPE or (row.span_type == "DEFAULT" and lost & _USAGE)
        ):
            # Used tokens make a span a call, too; and how input and output are read depends on the type.
            lost |= _TYPE | _INPUT | _OUTPUT
        row = _marked(row, texts, columns.cut, lost)
        return _kept(row, asked, answered, lost, columns)


def _whole_texts(texts: Mapping[str, str], columns: otlp_pb2.StoredColumns, cut: Set[str]) -> dict[str, str]:
    """The whole texts of the attributes that may have been cut; empty where nobody knows it any more.

    How long a key or text could be then is not known, but what was cut is the longest.
    """
    longest_key = max((_SHORTEST_CUT, *map(len, texts)))
    longest_text = max((_SHORTEST_CUT, *map(len, texts.values())))
    kept = [
        text
        for name, text in (("input", columns.input), ("output", columns.output))
        if name not in cut and len(text) >= longest_text
    ]
    found = {}
    for key, text in texts.items():
        if len(key) == longest_key:
            found[key] = ""
        elif len(text) == longest_text:
            found[key] = next((whole for whole in kept if whole.startswith(text)), "")
    return found


def _with(span: otlp_pb2.Span, restored: Mapping[str, str]) -> otlp_pb2.Span:
    """The span with these texts of attributes."""
    if not restored:
        return span
    changed = otlp_pb2.Span()
    changed.CopyFrom(span)
    for at, raw in enumerate(span.attributes):
        pair = otlp_pb2.KeyValue.FromString(raw)
        text = restored.get(pair.key.decode("utf-8", "replace"))
        if text is not None:
            pair.value = otlp_pb2.AnyValue(string_value=text.encode()).SerializeToString()
            changed.attributes[at] = pair.SerializeToString()
    return changed


def _marked(row: SpanRow, texts: Mapping[str, str], mark: str, lost: Set[Field]) -> SpanRow:
    """The row with its attributes as they are stored, and the mark of what was cut."""
    kept = dict(zip(row.attribute_keys, row.attribute_texts, strict=True))
    new = kept.pop(TRUNCATED, "")
    assumed = kept.pop(ASSUMED, "")
    kept.update(texts)
    cut = frozenset(mark.split(","))
    anew = frozenset(name for name, field in _IDS.items() if field not in lost)
    names = (cut - anew) | frozenset(new.split(",") if new else ())
    if names:
        kept[TRUNCATED] = mark if names == cut else ",".join(sorted(names))
    if assumed:
        kept[ASSUMED] = assumed
    return row._replace(attribute_keys=list(kept), attribute_texts=list(kept.values()))


def _kept(
    row: SpanRow, asked: Preview, answered: Preview, lost: Set[Field], columns: otlp_pb2.StoredColumns
) -> tuple[SpanRow, Preview, Preview]:
    """The row with what is stored of the fields that are lost, where something is."""
    changes: dict[str, Any] = {"marks": row.marks}
    for group in _GROUPS:
        if lost & group.fields:
            stored = {name: _value(getattr(columns, name)) for name in group.columns}
            if any(stored.values()) or columns.marks & group.marks:
                changes.update(stored)
                changes["marks"] = changes["marks"] & ~group.marks | columns.marks & group.marks
    row = row._replace(**changes)
    rest, answered_rest = _rests(columns)
    if _keeps_preview(lost, _INPUT, Field.TRACE_INPUT, asked, columns, columns.input, INPUT_OF_TRACE):
        marks = columns.marks & _INPUT_MARKS
        asked = Preview(columns.input_preview, tuple(columns.input_texts), marks, rest)
    if _keeps_preview(lost, _OUTPUT, Field.TRACE_OUTPUT, answered, columns, columns.output, OUTPUT_OF_TRACE):
        marks = columns.marks & _OUTPUT_MARKS
        answered = Preview(columns.output_preview, tuple(columns.output_texts), marks, answered_rest)
    return row, asked, answered


def _keeps_preview(
    lost: Set[Field],
    texts: Set[Field],
    of_trace: Field,
    read: Preview,
    columns: otlp_pb2.StoredColumns,
    stored: str,
    mark: int,
) -> bool:
    """Whether the stored preview stays: that of the text `stored`, or of what the span says of its trace (`mark`)."""
    if of_trace in lost and columns.marks & mark:
        return True
    return bool(stored and lost & texts and not read.marks & mark)


def _rests(columns: otlp_pb2.StoredColumns) -> tuple[str, str]:
    """What stands behind the previews of input and output: in the table it is one text."""
    if len(columns.output_preview) < PREVIEW_CHARACTERS:
        return columns.said_rest, ""
    if len(columns.input_preview) < PREVIEW_CHARACTERS:
        return "", columns.said_rest
    rest, _, other = columns.said_rest.partition("\0")
    return rest, other


def _value(stored: Any) -> Any:
    """A column as rows have it; metadata are sorted there, and in no order on the wire."""
    if isinstance(stored, (str, int, float)):
        return stored
    return dict(sorted(stored.items())) if isinstance(stored, Mapping) else list(stored)
