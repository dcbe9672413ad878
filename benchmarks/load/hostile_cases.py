"""Messages that are as expensive to read as a sender can make them, each about a megabyte of OTLP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

from spanloom.schemas import otlp_pb2

MEGABYTE = 1 << 20


def request(*spans: otlp_pb2.Span, resource: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """One resource, one scope, these spans."""
    message = otlp_pb2.ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.extend(pair(key, value) for key, value in resource)
    resource_spans.scope_spans.add().spans.extend(spans)
    return message.SerializeToString()


def pair(key: str, value: bytes) -> bytes:
    """A KeyValue; `value` is an AnyValue's bytes."""
    return otlp_pb2.KeyValue(key=key.encode(), value=value).SerializeToString()


def string(text: str) -> bytes:
    """An AnyValue."""
    return otlp_pb2.AnyValue(string_value=text.encode()).SerializeToString()


def integer(number: int) -> bytes:
    """An AnyValue."""
    return otlp_pb2.AnyValue(int_value=number).SerializeToString()


def span(*attributes: bytes, number: int = 1) -> otlp_pb2.Span:
    """An LLM span with these attributes."""
    call = pair("gen_ai.operation.name", string("chat"))
    return otlp_pb2.Span(
        trace_id=number.to_bytes(16),
        span_id=number.to_bytes(8),
        name=b"chat",
        start_time_unix_nano=1_795_000_000_000_000_000,
        end_time_unix_nano=1_795_000_001_000_000_000,
        attributes=[call, *attributes],
    )


def _one(key: str, text: str) -> bytes:
    return request(span(pair(key, string(text))))


def _nested(depth: int, inside: bytes) -> bytes:
    for _ in range(depth):
        inside = otlp_pb2.AnyValue(array_value=otlp_pb2.ArrayValue(values=[inside])).SerializeToString()
    return inside


def _filled(opening: str, item: str, closing: str) -> str:
    return opening + ",".join([item] * ((MEGABYTE - 20) // (len(item) + 1))) + closing


def cases() -> Iterator[tuple[str, bytes]]:
    """Name and message of each case."""
    rng = random.Random(1)
    messages = "gen_ai.input.messages"
    deep = otlp_pb2.AnyValue(
        array_value=otlp_pb2.ArrayValue(values=[b""] * (MEGABYTE // 2))
    ).SerializeToString()
    yield (
        "attributes: many short ones, all different",
        request(span(*(pair(f"a{i}", integer(i)) for i in range(MEGABYTE // 14)))),
    )
    yield "attributes: one key again and again", request(span(*[pair("k", integer(1))] * (MEGABYTE // 9)))
    yield "attributes: empty ones", request(span(*[b""] * (MEGABYTE // 2)))
    yield (
        "attributes: names with a known beginning",
        request(span(*(pair(f"ai.telemetry.metadata.{i}", integer(i)) for i in range(MEGABYTE // 34)))),
    )
    yield "attributes: not KeyValues", request(span(*[b"\xff\xff"] * (MEGABYTE // 4)))
    yield "spans: as small as can be", request(*(span(number=i) for i in range(1, 9000)))
    yield "spans: all without valid IDs", request(*[otlp_pb2.Span(name=b"bad")] * 40_000)
    yield "spans: more than the limit", request(*[otlp_pb2.Span()] * (MEGABYTE // 2))
    yield "scopes: one a bad span, large resource", _bad_scopes()
    yield "resources: empty ones", b"\x0a\x00" * (MEGABYTE // 2)
    yield "events: empty ones", request(_with_events([otlp_pb2.Event()] * (MEGABYTE // 2)))
    yield (
        "events: many attributes",
        request(
            _with_events(
                [otlp_pb2.Event(attributes=[pair(f"{i}", integer(i)) for i in range(MEGABYTE // 12)])]
            )
        ),
    )
    yield "value: array of nothing", request(span(pair("k", deep)))
    yield (
        "value: nested 64 deep around a megabyte",
        request(span(pair("k", _nested(64, string("x" * MEGABYTE))))),
    )
    yield "value: nested 20,000 deep", request(span(pair("k", _nested(20_000, string("x")))))
    yield (
        "flattened: an index a message",
        request(span(*(pair(f"gen_ai.prompt.{i}.content", string("x")) for i in range(MEGABYTE // 38)))),
    )
    yield (
        "flattened: huge gaps and indexes",
        request(
            span(
                *(
                    pair(f"gen_ai.prompt.{rng.randrange(10**9)}.role", string("user"))
                    for _ in range(MEGABYTE // 42)
                )
            )
        ),
    )
    yield (
        "flattened: parts of one message",
        request(
            span(
                *(
                    pair(f"llm.input_messages.0.message.contents.{i}.message_content.text", string("x"))
                    for i in range(MEGABYTE // 75)
                )
            )
        ),
    )
    yield "JSON: small messages", _one(messages, _filled("[", '{"role":"user","content":""}', "]"))
    yield "JSON: no messages", _one(messages, _filled("[", "{}", "]"))
    yield "JSON: lists of nothing", _one(messages, _filled("[", "[]", "]"))
    yield "JSON: choices in choices", _one("gen_ai.output.messages", _choices())
    yield (
        "JSON: many parts",
        _one(messages, _filled('[{"role":"user","content":[', '{"type":"image"}', "]}]")),
    )
    yield "JSON: cut", _one(messages, _filled("[", '{"role":"user","content":""}', ""))
    yield "JSON: nested 100,000 deep", _one(messages, "[" * 100_000 + "]" * 100_000)
    yield "JSON: lone surrogates", _one(messages, _filled('["', "\\ud800", '"]'))
    yield "JSON: numbers", _one(messages, _filled("[", "1.5", "]"))
    yield (
        "usage: a JSON object of a megabyte",
        _one(
            "langfuse.observation.usage_details", json.dumps({f"input{i}": i for i in range(MEGABYTE // 20)})
        ),
    )
    yield (
        "metadata: a JSON object of a megabyte",
        _one("metadata", json.dumps({f"{i}": i for i in range(MEGABYTE // 20)})),
    )
    yield (
        "tags: a JSON list of a megabyte",
        _one("tag.tags", json.dumps([str(i) for i in range(MEGABYTE // 9)])),
    )
    yield "number: a megabyte of digits", _one("gen_ai.usage.input_tokens", "9" * MEGABYTE)
    yield (
        "text: not UTF-8",
        request(span(pair(messages, otlp_pb2.AnyValue(string_value=b"\xff" * MEGABYTE).SerializeToString()))),
    )
    yield (
        "text: NULs in a list",
        request(
            span(
                pair(
                    "k",
                    otlp_pb2.AnyValue(
                        array_value=otlp_pb2.ArrayValue(values=[string("\0" * MEGABYTE)])
                    ).SerializeToString(),
                )
            )
        ),
    )
    yield "OTLP JSON: nested 100,000 deep", b'{"resourceSpans":' + b"[" * 100_000
    yield (
        "OTLP JSON: empty objects",
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b",".join([b"{}"] * 40_000) + b"]}]}]}"),
    )
    yield (
        "OTLP JSON: more spans than the limit",
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b",".join([b"{}"] * (MEGABYTE // 3)) + b"]}]}]}"),
    )
    yield "OTLP JSON: values nested 100 deep", _json_value('{"arrayValue":{"values":[' * 100 + "]}}" * 100)
    yield "OTLP JSON: a number of a megabyte", _json_value('{"intValue":' + "9" * MEGABYTE + "}")


def _with_events(events: list[otlp_pb2.Event]) -> otlp_pb2.Span:
    made = span()
    made.events.extend(events)
    return made


def _bad_scopes() -> bytes:
    message = otlp_pb2.ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.append(pair("large", string("x" * (MEGABYTE // 2))))
    for _ in range(MEGABYTE // 20):
        resource_spans.scope_spans.add().spans.add(name=b"bad")
    return message.SerializeToString()


def _choices() -> str:
    inside = _filled("[", '{"text":"x"}', "]")
    for _ in range(3):
        inside = '[{"choices":' + inside + "}]"
    return '{"choices":' + inside + "}"


def _json_value(value: str) -> bytes:
    attribute = f'{{"key":"k","value":{value}}}'
    attributes = ",".join([attribute] * max(1, MEGABYTE // len(attribute)))
    ids = f'"traceId":"{"01" * 16}","spanId":"{"01" * 8}"'
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{ids},"attributes":[{attributes}]}}]}}]}}]}}'.encode()
