"""What `make fuzz` drives: each target takes a fuzzer's bytes and asserts the law."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanloom.spans.folding import contribution as contribution_codec
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import WindowKey
from spanloom.spans.folding.session_fold import fold as fold_session
from spanloom.spans.folding.trace.fold import fold as fold_trace
from tests.captures_truth import captures
from tests.fuzz.law import holds
from tests.fuzz.source import Source, json_text, request
from tests.fuzz.words import KEYS, MEMBERS, PREFIXES, RESTS, WORDS
from tests.spans.reading import otlp_examples
from tests.spans.reading.otlp_json_dialects import collector

Target = Callable[[bytes], None]


def protobuf(data: bytes) -> None:
    """Any bytes as a message."""
    holds(data)


def otlp_json(data: bytes) -> None:
    """Any bytes as OTLP JSON."""
    holds(data if data[:1] == b"{" else b"{" + data)


def structured(data: bytes) -> None:
    """Requests whose spans have any values under any keys."""
    holds(request(data))


def text(data: bytes) -> None:
    """Any text as the value of one key of a model's call, as an attribute and in an event."""
    source = Source(data)
    key = source.pick(KEYS) if source.byte() % 4 else source.pick(PREFIXES) + "0." + source.pick(RESTS)
    value = source.take(len(data)).decode("utf-8", "replace")
    _one_span({key: value})


def messages(data: bytes) -> None:
    """JSON built by the fuzzer as the value of one key of a model's call, as an attribute and in an event."""
    source = Source(data)
    _one_span({source.pick(KEYS): json_text(source)})


def _one_span(attributes: dict[str, Any]) -> None:
    span = otlp_examples.span({"gen_ai.operation.name": "chat", "n": 1} | attributes)
    span.events.append(otlp_examples.event("gen_ai.client.inference.operation.details", attributes))
    span.events.append(otlp_examples.event("gen_ai.choice", {"message": next(iter(attributes.values()))}))
    holds(otlp_examples.request(span))


def records(data: bytes) -> None:
    """Any bytes as a record of the inner topics: refused as such, or folded."""
    try:
        traces = facts_codec.decode(data)
    except (DecodeError, ValueError, IndexError):
        traces = []
    for key, facts in traces:
        by_id = {fact.span_id: fact for fact in facts}
        trace = fold_trace(key, by_id.values())
        assert fold_trace(key, [*by_id.values()][::-1]) == trace
    try:
        contributions = list(contribution_codec.decode(data))
    except (DecodeError, ValueError):
        return
    fold_session(WindowKey("p", "s", 0), contributions)


TARGETS: dict[str, Target] = {
    target.__name__: target for target in (protobuf, otlp_json, structured, text, messages, records)
}


def seeds(name: str) -> Iterator[bytes]:
    """Inputs that a target's corpus begins with."""
    values = [value for capture in captures() for value in capture.messages]
    if name == "protobuf":
        yield from values
    elif name == "otlp_json":
        yield from map(collector, values)
    elif name == "text":
        for value in values:
            yield from _texts(value)
    elif name == "records":
        table = otlp_examples.read(*values).table
        versioned = table.append_column("version", table["input_tokens"])
        yield from (message for _, message in facts_codec.encode_table(versioned, 4))
    else:
        yield from (Random(number).randbytes(50 * number) for number in range(1, 40))


def _texts(value: bytes) -> Iterator[bytes]:
    for resource in ExportTraceServiceRequest.FromString(value).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                for attribute in span.attributes:
                    if attribute.key in KEYS and attribute.value.string_value:
                        place = KEYS.index(attribute.key).to_bytes(2)
                        yield b"\x01" + place + attribute.value.string_value.encode()


def dictionary() -> str:
    """The words that conventions know, as a dictionary of libFuzzer."""
    words = [*KEYS, *PREFIXES, *MEMBERS, *filter(str.isascii, WORDS), "\\ud800", '"role":"user"', "1e400"]
    return "".join(
        f"{json.dumps(word)}\n" for word in words if word.isprintable() and word and "\\" not in word
    )
