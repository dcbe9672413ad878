"""What is read span by span: words, usage, cost and labels, of those spans that have any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from spanloom.spans.conventions.families import Scope, adds_up
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.interactions import is_fetched
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.columns.fields import FieldColumns, Objects
from spanloom.spans.reading.columns.heads import TimesOfSpans
from spanloom.spans.reading.columns.key_values import CONTENTS, text_of_bytes
from spanloom.spans.reading.span.account import Caller, account_of
from spanloom.spans.reading.span.contents import contents_of
from spanloom.spans.reading.span.costs import UNKNOWN, SpanCosts
from spanloom.spans.reading.span.events import NO_EVENTS, Events
from spanloom.spans.reading.span.row import NO_PREVIEW, Preview
from spanloom.spans.reading.span.tags_and_metadata import merged_metadata, merged_tags
from spanloom.spans.reading.span.times import SpanTimes, first_token
from spanloom.spans.reading.span.usage import NOTHING, Usage
from spanloom.spans.table import COST_IS_STATED, IS_COPY, USAGE_ADDS_UP

_CUT = int(Field.CUT)
_COPY = int(Field.COPY)
_FIRST_TOKEN_AFTER = int(Field.FIRST_TOKEN_AFTER)
_FIRST_TOKEN_AT = int(Field.FIRST_TOKEN_AT)
_OF_TRACE = slice(int(Field.TRACE_INPUT), int(Field.TRACE_OUTPUT) + 1)
_READ = tuple(
    map(
        int,
        (
            *range(Field.INPUT_TOKENS, Field.TOTAL_COST + 1),
            Field.COPY,
            Field.FIRST_TOKEN_AFTER,
            Field.FIRST_TOKEN_AT,
            Field.TRACE_INPUT,
            Field.TRACE_OUTPUT,
        ),
    )
)
"""A span that has one of these fields is read by itself."""


class Heads(NamedTuple):
    """What must be known of each span already."""

    span_type: Sequence[str]
    scope: Sequence[Scope]
    name: Sequence[bytes]
    model: Sequence[str]
    provider: Sequence[str]
    times: TimesOfSpans
    events: Mapping[int, Events]
    """By the index of a span; of those that have any."""


class Details:
    """What is read span by span, by the index of a span; one that has nothing of it is missing."""

    def __init__(self) -> None:
        self.asked: dict[int, Preview] = {}
        self.answered: dict[int, Preview] = {}
        self.usages: dict[int, Usage] = {}
        self.costs: dict[int, SpanCosts] = {}
        self.marks: dict[int, int] = {}
        self.first_token: dict[int, float] = {}
        self.tags: dict[int, Sequence[str]] = {}
        self.metadata: dict[int, Mapping[str, str]] = {}
        self.failed: dict[int, str] = {}
        """The kind of the error that the reading ended with."""


class DetailReader:
    """Reads spans one by one."""

    def __init__(self, limits: Limits, prices: Prices, vocabulary: Vocabulary) -> None:
        self._limits = limits
        self._prices = prices
        self._vocabulary = vocabulary

    def read(self, fields: FieldColumns, heads: Heads, inputs: Objects, outputs: Objects) -> Details:
        """Read those that have anything to be read.

        Args:
            fields: of all spans.
            heads: likewise.
            inputs: what attributes name as the input, texts or their bytes, in the place of which comes what messages
                that are put together say; likewise `outputs`.
        """
        details = Details()
        told = np.logical_or.reduce([fields.has(field) for field in _READ])
        told |= np.fromiter((kind == "LLM" for kind in heads.span_type), bool, fields.spans)
        told[[*fields.merged, *heads.events]] = True
        at = np.flatnonzero(told)
        values_of = fields.values[fields.best[:, at]].T.tolist()
        ranks_of = fields.ranks[fields.best[:, at]].T.tolist()
        for index, values, ranks in zip(at.tolist(), values_of, ranks_of, strict=True):
            try:
                self._read(index, values, ranks, fields, heads, inputs, outputs, details)
            except Exception as error:  # whatever a convention trips over costs this one span
                details.failed[index] = type(error).__name__
        return details

    def _read(
        self,
        at: int,
        values: list[Any],
        ranks: Sequence[int],
        fields: FieldColumns,
        heads: Heads,
        inputs: Objects,
        outputs: Objects,
        details: Details,
    ) -> None:
        span_type, scope = heads.span_type[at], heads.scope[at]
        merged = fields.merged.get(at, ())
        events = heads.events.get(at, NO_EVENTS)
        is_call = span_type == "LLM"
        flattened = [each for each in merged if each[0] > _CUT]
        if is_call or flattened or events is not NO_EVENTS or any(values[_OF_TRACE]):
            for field in CONTENTS:
                if type(values[field]) is bytes:
                    values[field] = text_of_bytes(values[field])
            contents = contents_of(values, ranks, flattened, span_type, events.whole, self._vocabulary)
            for texts, chosen in ((inputs, contents.input), (outputs, contents.output)):
                if chosen.source not in CONTENTS:
                    texts[at] = chosen.text
            if contents.asked is not NO_PREVIEW:
                details.asked[at] = contents.asked
            if contents.answered is not NO_PREVIEW:
                details.answered[at] = contents.answered
        if merged and (labels := [each for each in merged if each[0] < _CUT]):
            details.tags[at] = merged_tags(labels, self._limits)
            details.metadata[at] = merged_metadata(labels, self._limits)
        marks = 0
        caller = Caller(span_type, scope.name, heads.name[at], heads.provider[at], heads.model[at])
        priced_at = int(heads.times.priced_at[at])
        usage, cost = account_of(values, ranks, caller, priced_at, self._prices, self._vocabulary)
        if usage is not NOTHING:
            details.usages[at] = usage
        if cost is not UNKNOWN:
            details.costs[at] = cost
        if cost.stated:
            marks |= COST_IS_STATED
        if values[_COPY] or (is_call and is_fetched(scope.name, heads.name[at])):
            marks |= IS_COPY
        if is_call and adds_up(scope):
            marks |= USAGE_ADDS_UP
        if marks:
            details.marks[at] = marks
        after, moment = values[_FIRST_TOKEN_AFTER], values[_FIRST_TOKEN_AT]
        if after is not None or moment is not None:
            times = SpanTimes._make(column[at].item() for column in heads.times)
            details.first_token[at] = first_token(after, moment, times)
