"""Prototype: the span table of parsed messages, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanloom.spans.conventions.families import adds_up
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.interactions import is_fetched
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.decoding.attributes import field_values, read_attributes
from spanloom.spans.decoding.fields import best_fields
from spanloom.spans.decoding.wire import WireSpans
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading import span as rows
from spanloom.spans.reading.columns import ResourceRow, _lists, _maps, _strings, _valid_strings
from spanloom.spans.reading.costs import UNKNOWN, span_costs
from spanloom.spans.reading.decode import _scope
from spanloom.spans.reading.previews import chosen, is_nothing, message_preview, recorded_preview
from spanloom.spans.reading.row import NO_PREVIEW
from spanloom.spans.reading.tags_and_metadata import merged_metadata, merged_tags
from spanloom.spans.reading.times import EARLIEST
from spanloom.spans.reading.usage import NOTHING
from spanloom.spans.reading.wire.attributes import attributes_within
from spanloom.spans.table import (
    COST_IS_STATED,
    INPUT_OF_TRACE,
    IS_COPY,
    MAX_TIME,
    OUTPUT_IS_TEXT,
    OUTPUT_OF_TRACE,
    PICODOLLARS,
    SPAN_TABLE,
    USAGE_ADDS_UP,
)

F = Field


def _hex(ids: pa.BinaryArray, size: int) -> pa.StringArray:
    """IDs of one size each as hexadecimal digits."""
    offsets = np.asarray(ids.offsets) if hasattr(ids, "offsets") else np.frombuffer(ids.buffers()[1], np.int32)[: len(ids) + 1]
    digits = bytes(memoryview(ids.buffers()[2])[offsets[0] : offsets[-1]]).hex().encode()
    out = (offsets - offsets[0]) * 2
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(out.astype(np.int32)), pa.py_buffer(digits))


def table(wire: WireSpans, resources: Sequence[ResourceRow], limits: Limits, prices: Prices, vocabulary: Vocabulary) -> pa.Table:
    spans = wire.spans
    n = len(spans)
    attributes = read_attributes(spans.field("attributes"), attributes_within(limits, vocabulary))
    fields = best_fields(field_values(attributes), n)
    scopes = [_scope(raw or b"", limits.name) for raw in wire.scopes.to_pylist()]
    names = spans.field("name").fill_null(b"")
    name = names.cast(pa.string())

    def text(field: Field) -> np.ndarray:
        found = fields.of(int(field))
        found[~fields.has(int(field))] = ""
        return found

    model, provider = text(F.MODEL), text(F.PROVIDER)
    tokens = np.logical_or.reduce([fields.has(i) for i in range(int(F.INPUT_TOKENS), int(F.TOTAL_TOKENS) + 1)])
    costs = np.logical_or.reduce([fields.has(int(i)) for i in (F.INPUT_COST, F.OUTPUT_COST, F.TOTAL_COST)])
    if_used = fields.of(int(F.SPAN_TYPE_IF_USED))
    by_usage = np.where(fields.has(int(F.SPAN_TYPE_IF_USED)), if_used, np.where(model != "", "LLM", "DEFAULT"))
    span_type = np.where(fields.has(int(F.SPAN_TYPE)), fields.of(int(F.SPAN_TYPE)), np.where(tokens, by_usage, "DEFAULT"))

    status_code = spans.field("status").field("code").fill_null(0).to_numpy(zero_copy_only=False)
    status = np.array(["unset", "ok", "error"], object)[np.where((status_code > 0) & (status_code < 3), status_code, 0)]
    status_message = spans.field("status").field("message").fill_null(b"").cast(pa.string()).to_numpy(zero_copy_only=False)
    named = fields.has(int(F.STATUS))
    if named.any():
        status = np.where(named, fields.of(int(F.STATUS)), status)
        status_message = np.where(named & (status_message == ""), text(F.STATUS_MESSAGE), status_message)

    start = spans.field("start_time_unix_nano").fill_null(0).to_numpy(zero_copy_only=False)
    end = spans.field("end_time_unix_nano").fill_null(0).to_numpy(zero_copy_only=False)
    assert (start >= EARLIEST).all()
    start = np.minimum(start, MAX_TIME).astype(np.int64)
    end = np.maximum(np.minimum(end, MAX_TIME).astype(np.int64), start)

    is_llm = span_type == "LLM"
    is_tool = span_type == "TOOL"

    def recorded(field: Field, tool: Field) -> np.ndarray:
        own, of_tool = fields.of(int(field)), fields.of(int(tool))
        use = fields.has(int(tool)) & (is_tool | ~fields.has(int(field)))
        found = np.where(use, of_tool, own)
        found[~(use | fields.has(int(field)))] = ""
        return found

    given_input, given_output = recorded(F.INPUT, F.TOOL_INPUT), recorded(F.OUTPUT, F.TOOL_OUTPUT)
    asked: list[Any] = [NO_PREVIEW] * n
    answered: list[Any] = [NO_PREVIEW] * n
    marks = np.zeros(n, np.int64)
    told = is_llm | fields.has(int(F.TRACE_INPUT)) | fields.has(int(F.TRACE_OUTPUT)) | tokens | costs
    told[list(fields.merged)] = True
    told[fields.has(int(F.COPY))] = True
    at = np.flatnonzero(told)
    values_of = fields.values[fields.best[:, at]].T.tolist()
    ranks_of = fields.ranks[fields.best[:, at]].T.tolist()
    usages: list[Any] = [NOTHING] * n
    known: list[Any] = [UNKNOWN] * n
    tags: dict[int, Any] = {}
    metadata: dict[int, Any] = {}
    for i, values, ranks in zip(at.tolist(), values_of, ranks_of, strict=True):
        kind = span_type[i]
        merged = fields.merged.get(i, ())
        flattened = [each for each in merged if each[0] > int(F.CUT)]
        labels = [each for each in merged if each[0] < int(F.CUT)]
        if kind == "LLM" or flattened:
            asks = chosen(int(F.INPUT), values, ranks, flattened, kind, vocabulary)
            answers = chosen(int(F.OUTPUT), values, ranks, flattened, kind, vocabulary)
            given_input[i], given_output[i] = asks.text, answers.text
            if kind == "LLM":
                asked[i], answered[i] = message_preview(asks, "user"), message_preview(answers, "assistant")
        if not is_nothing(values[int(F.TRACE_INPUT)]):
            asked[i] = recorded_preview(values[int(F.TRACE_INPUT)], "user").of_trace(INPUT_OF_TRACE)
        if not is_nothing(values[int(F.TRACE_OUTPUT)]):
            answered[i] = recorded_preview(values[int(F.TRACE_OUTPUT)], "assistant").of_trace(OUTPUT_OF_TRACE)
        scope = scopes[wire.scope[i]]
        raw_name = names[i].as_py() if kind == "LLM" else b""
        usage = NOTHING
        if any(values[rows._TOKENS]):
            usage = usages[i] = rows._usage(values, ranks, kind, scope.name, provider[i], model[i], raw_name or names[i].as_py(), vocabulary.beside, None)
        if usage is not NOTHING or values[rows._COSTS] != rows._NO_COSTS:
            cost = known[i] = span_costs(values, usage, model[i], provider[i], int(start[i]), prices)
            if cost.stated:
                marks[i] |= COST_IS_STATED
        if values[int(F.COPY)] or (kind == "LLM" and is_fetched(scope.name, raw_name)):
            marks[i] |= IS_COPY
        if kind == "LLM" and adds_up(scope):
            marks[i] |= USAGE_ADDS_UP
        if labels:
            if found := merged_tags(labels, limits):
                tags[i] = found
            if found := merged_metadata(labels, limits):
                metadata[i] = found
    _witness(wire, span_type, given_input, given_output, asked, answered)

    key_offsets, keys, texts = attributes.maps(n)
    resource = pa.array(wire.resource)
    asked_text, asked_others, asked_marks, asked_rests = zip(*asked, strict=True)
    answered_text, answered_others, answered_marks, answered_rests = zip(*answered, strict=True)
    rests = [f"{a}\0{b}" if a and b else a or b for a, b in zip(asked_rests, answered_rests, strict=True)]
    usage_columns = np.array(usages, np.uint64)
    cost_columns = np.array([each[:4] for each in known], np.float64)
    numbers = vocabulary.session_keys, vocabulary.user_keys

    def numbered(field: Field, of: Any) -> pa.Array:
        ranks = fields.rank(int(field))
        return pa.array(np.array([of[r] for r in ranks.tolist()], np.uint16))

    arrays = {
        "project_id": _strings([r.project_id for r in resources]).take(resource),
        "service_name": _strings([r.service_name for r in resources]).take(resource),
        "resource": _maps([r.attributes for r in resources]).take(resource),
        "environment": _strings([r.environment for r in resources]).take(resource),
        "release": _strings([r.release for r in resources]).take(resource),
        "trace_id": _hex(spans.field("trace_id"), 16),
        "span_id": _hex(spans.field("span_id"), 8),
        "parent_span_id": _hex(spans.field("parent_span_id").fill_null(b""), 8),
        "start_time": pa.array(start).cast(SPAN_TABLE.field("start_time").type),
        "end_time": pa.array(end).cast(SPAN_TABLE.field("start_time").type),
        "tags": _sparse(tags, n, _lists),
        "metadata": _sparse(metadata, n, _maps),
        "attributes": pa.MapArray.from_arrays(key_offsets, keys, texts),
        "events": pa.array([[]] * n, SPAN_TABLE.field("events").type),
        "name": name,
        "span_type": pa.array(span_type, pa.string()),
        "status": pa.array(status, pa.string()),
        "status_message": pa.array(status_message, pa.string()),
        "session_id": pa.array(text(F.SESSION_ID), pa.string()),
        "user_id": pa.array(text(F.USER_ID), pa.string()),
        "session_key": numbered(F.SESSION_ID, numbers[0]),
        "user_key": numbered(F.USER_ID, numbers[1]),
        "model": pa.array(model, pa.string()),
        "provider": pa.array(provider, pa.string()),
        "scope": _strings([scope.name for scope in scopes]).take(pa.array(wire.scope)),
        "response_id": pa.array(text(F.RESPONSE_ID), pa.string()),
        "trace_name": pa.array(text(F.TRACE_NAME), pa.string()),
        "input": pa.array(given_input, pa.string()),
        "output": pa.array(given_output, pa.string()),
        "input_preview": _valid_strings(asked_text),
        "output_preview": _valid_strings(answered_text),
        "input_texts": _lists(asked_others),
        "output_texts": _lists(answered_others),
        "said_rest": _strings(rests),
        "marks": pa.array((marks | np.array(asked_marks) | np.array(answered_marks)).astype(np.uint16)),
        "priced": pa.array(cost_columns[:, 3].astype(np.uint8)),
        "time_to_first_token": pa.array(np.zeros(n)),
    }
    for place, column in enumerate(("input", "output", "cache_read", "cache_write", "reasoning", "unsplit")):
        arrays[f"{column}_tokens"] = pa.array(usage_columns[:, place])
    for place, column in enumerate(("input", "output", "total")):
        arrays[f"{column}_cost"] = pa.array(cost_columns[:, place] / PICODOLLARS)
    return pa.Table.from_arrays([arrays[field.name] for field in SPAN_TABLE], schema=SPAN_TABLE)


def _sparse(found: dict[int, Any], n: int, make: Any) -> pa.Array:
    lists: list[Any] = [()] * n if make is _lists else [{}] * n
    for i, value in found.items():
        lists[i] = value
    return make(lists)


def _witness(wire: WireSpans, span_type: Any, given_input: Any, given_output: Any, asked: list[Any], answered: list[Any]) -> None:
    something = np.fromiter(
        (not (is_nothing(a) and is_nothing(b)) for a, b in zip(given_input.tolist(), given_output.tolist(), strict=True)), bool, len(asked)
    )
    records = something & (span_type != "LLM")
    trace, own, parent = (wire.spans.field(x).fill_null(b"").to_pylist() for x in ("trace_id", "span_id", "parent_span_id"))
    bounds = np.searchsorted(wire.message, np.arange(wire.message[-1] + 2)).tolist()
    is_tool = (span_type == "TOOL").tolist()
    for first, behind in zip(bounds, bounds[1:]):
        position = {t + o: i for i, (t, o) in enumerate(zip(trace[first:behind], own[first:behind]), first)}
        known: dict[int, int] = {}
        for begin in (np.flatnonzero(records[first:behind]) + first).tolist():
            if begin in known:
                continue
            path = []
            at = begin
            while at is not None and at not in known:
                known[at] = 0
                path.append(at)
                at = position.get(trace[at] + parent[at])
            around = 0 if at is None else known[at]
            for at in reversed(path):
                if records[at]:
                    tool = is_tool[at]
                    if not around & (5 if tool else 2):
                        if not around & 1 and not asked[at].marks & INPUT_OF_TRACE:
                            asked[at] = recorded_preview(given_input[at], "user")
                        if not answered[at].marks & OUTPUT_OF_TRACE:
                            answered[at] = recorded_preview(given_output[at], "assistant")
                    if tool:
                        around |= 4
                    else:
                        around |= 1 | (2 if answered[at].marks & OUTPUT_IS_TEXT else 0)
                known[at] = around
