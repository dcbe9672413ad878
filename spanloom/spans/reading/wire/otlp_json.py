"""OTLP JSON as the mirror of OTLP protobuf, so that one reader follows for both.

Read as the specification has it (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding), and a
little more freely, because senders do: IDs are hexadecimal, 64-bit integers are strings or numbers, enums are
numbers or names, bytes are base64, member names are lowerCamelCase or as in the .proto files, unknown members
don't matter. A member of the wrong type counts as absent.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Protocol

from spanloom.schemas import otlp_pb2
from spanloom.spans.reading.wire.json_bombs import is_bomb
from spanloom.spans.reading.wire.json_shape import Members, Shape, resources, scopes, shape, spans
from spanloom.spans.reading.wire.rejects import MOST_WITHOUT_SPANS, too_many_spans, too_many_without_spans
from spanloom.spans.text.values import MAX_NESTING

NOT_JSON = "The message is not valid JSON."

_MAX_UINT64 = 2**64 - 1
_MAX_UINT32 = 2**32 - 1
_BEYOND = 2**65
_STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}

_NEGATIVE_ZERO = re.compile(rb":\s*-0\s*[,}]")
_LONGEST_INTEGER = 400
"""A number in more digits is infinite for all that a span can hold."""

_DIGITS = re.compile(rf"[+-]?[0-9]{{1,{_LONGEST_INTEGER}}}")

_MAX_NESTING = 2 * MAX_NESTING
"""Levels of arrays and maps that are converted: more than what is shown as such, so that the rest has the bytes that
it has in protobuf."""


class _HasAttributes(Protocol):
    @property
    def attributes(self) -> Any: ...


def from_json(value: bytes, limit: int | None = None) -> tuple[otlp_pb2.ExportTraceServiceRequest, str]:
    """Return the request that JSON holds, and a sentence where a part of it is not OTLP: empty where all of it is.

    Raises:
        ValueError: it holds none, or more than `limit` spans, which are counted first, because converting them takes
            most of the time; a sentence.
    """
    document, found = checked_json(value, limit)
    request = otlp_pb2.ExportTraceServiceRequest()
    for resource_spans in resources(document):
        _resource_spans(request.resource_spans.add(), resource_spans)
    return request, found.problem


def checked_json(value: bytes, limit: int | None = None) -> tuple[Members, Shape]:
    """Return the document that JSON holds, and its shape. Raises as `from_json` does: NOT_JSON where it is none."""
    if is_bomb(value):
        raise ValueError("The message is JSON that holds hardly anything but objects and lists.")
    try:
        document = _document(value)
    except RecursionError:
        raise ValueError("The message is JSON nested too deep.") from None
    except ValueError:
        raise ValueError(NOT_JSON) from None
    found = shape(document)
    assert isinstance(document, dict), "shape() says so"
    if limit is not None and found.spans > limit:
        raise ValueError(too_many_spans(found.spans, limit))
    if found.without_spans > MOST_WITHOUT_SPANS:
        raise ValueError(too_many_without_spans(found.without_spans))
    return document, found


def _document(value: bytes) -> object:
    text = value.decode("utf-8", "replace")
    if not _NEGATIVE_ZERO.search(value):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise
        except ValueError:
            pass  # a number in more digits than Python takes
    return json.loads(text, parse_int=_exact)


def _exact(digits: str) -> int | float:
    """A JSON number without fraction, where Python's own reading loses something: -0 its sign, one of
    thousands of digits everything."""
    if digits == "-0":
        return -0.0
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _resource_spans(target: otlp_pb2.ResourceSpans, members: Members) -> None:
    resource = members.get("resource")
    if isinstance(resource, dict):
        _attributes(target.resource, resource)
    for scope_spans in scopes(members):
        scope = target.scope_spans.add()
        named = _get(scope_spans, "scope", "instrumentationLibrary", "instrumentation_library")
        if isinstance(named, dict):
            texts = {
                name: _utf8(value)
                for name in ("name", "version")
                if isinstance(value := named.get(name), str)
            }
            scope.scope = otlp_pb2.InstrumentationScope(**texts).SerializeToString()
        for span in spans(scope_spans):
            _span(scope.spans.add(), span)


def _span(target: otlp_pb2.Span, members: Members) -> None:
    target.trace_id = _id(_get(members, "traceId", "trace_id"), 16)
    target.span_id = _id(_get(members, "spanId", "span_id"), 8)
    if parent := _get(members, "parentSpanId", "parent_span_id"):
        target.parent_span_id = _id(parent, 8) or b"\0"
    target.name = _utf8(members.get("name"))
    target.start_time_unix_nano = _integer(
        _get(members, "startTimeUnixNano", "start_time_unix_nano"), _MAX_UINT64
    )
    target.end_time_unix_nano = _integer(_get(members, "endTimeUnixNano", "end_time_unix_nano"), _MAX_UINT64)
    target.flags = _integer(members.get("flags"), _MAX_UINT32)
    _attributes(target, members)
    for event in _objects(members, "events"):
        added = target.events.add()
        added.name = _utf8(event.get("name"))
        added.time_unix_nano = _integer(_get(event, "timeUnixNano", "time_unix_nano"), _MAX_UINT64)
        _attributes(added, event)
    status = members.get("status")
    if isinstance(status, dict):
        target.status.message = _utf8(status.get("message"))
        code = status.get("code")
        target.status.code = _status_code(code)


def _status_code(code: object) -> int:
    if isinstance(code, str) and code in _STATUS_CODES:
        return _STATUS_CODES[code]
    number = _whole(code)
    return number if number in _STATUS_CODES.values() else 0


def _attributes(target: _HasAttributes, members: Members) -> None:
    for attribute in _objects(members, "attributes"):
        target.attributes.append(_key_value(attribute, 0).SerializeToString())


def _key_value(members: Members, depth: int) -> otlp_pb2.KeyValue:
    pair = otlp_pb2.KeyValue(key=_utf8(members.get("key")))
    value = members.get("value")
    if isinstance(value, dict):
        pair.value = _any_value(value, depth)
    return pair


def _any_value(value: Members, depth: int) -> bytes:
    """An AnyValue as its bytes."""
    result = otlp_pb2.AnyValue()
    for name, content in value.items():
        if content is None:  # as good as not there, by protobuf's rules for JSON
            continue
        match name:
            case "stringValue" | "string_value":
                result.string_value = _utf8(content)
            case "boolValue" | "bool_value":
                result.bool_value = content is True or content == "true"
            case "intValue" | "int_value":
                result.int_value = _signed(content)
            case "doubleValue" | "double_value":
                result.double_value = _double(content)
            case "bytesValue" | "bytes_value":
                result.bytes_value = _bytes(content)
            case "arrayValue" | "array_value":
                result.array_value.SetInParent()
                if depth < _MAX_NESTING:
                    items = (_any_value(item, depth + 1) for item in _objects(content, "values"))
                    result.array_value.values.extend(items)
            case "kvlistValue" | "kvlist_value":
                result.kvlist_value.SetInParent()
                if depth < _MAX_NESTING:
                    entries = (_key_value(entry, depth + 1) for entry in _objects(content, "values"))
                    result.kvlist_value.values.extend(entries)
            case _:
                continue
        break
    return result.SerializeToString()


def _get(members: Members, *names: str) -> Any:
    return next((members[name] for name in names if name in members), None)


def _objects(members: object, *names: str) -> Iterator[Members]:
    """The objects in a list that is a member by one of these names."""
    items = _get(members, *names) if isinstance(members, dict) else None
    if isinstance(items, list):
        for item in items:
            if isinstance(item, dict):
                yield item


def _utf8(value: object) -> bytes:
    """A text as UTF-8; JSON can spell lone surrogates, which UTF-8 can't."""
    if not isinstance(value, str):
        return b""
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


def _id(value: object, size: int) -> bytes:
    """An ID of `size` bytes in hexadecimal; or in base64, as protobuf's own JSON has it. Empty if it is
    none."""
    if not isinstance(value, str):
        return b""
    if len(value) == 2 * size:
        try:
            return bytes.fromhex(value)
        except ValueError:
            return b""
    raw = _bytes(value) if len(value) <= 2 * size else b""
    return raw if len(raw) == size else b""


def _bytes(value: object) -> bytes:
    """Bytes in base64; or as OpenTelemetry's SDK for JavaScript wrote them up to version 0.213: {"0": 255, "1": 0}."""
    if isinstance(value, dict):
        try:
            return bytes(value[str(index)] for index in range(len(value)))
        except (KeyError, TypeError, ValueError):
            return b""
    if not isinstance(value, str):
        return b""
    try:
        return b64decode(value.replace("-", "+").replace("_", "/") + "==")
    except (binascii.Error, ValueError):
        return b""


def _integer(value: object, largest: int) -> int:
    """An unsigned integer, given as number or string; 0 if it is none, `largest` if it is larger."""
    return min(max(_whole(value), 0), largest)


def _signed(value: object) -> int:
    return min(max(_whole(value), -(2**63)), 2**63 - 1)


def _whole(value: object) -> int:
    """An integer given as number or string, 0 if it is none; what is beyond all integers stays beyond."""
    if isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
        return int(value)
    number = _double(value)
    if math.isinf(number):
        return _BEYOND if number > 0 else -_BEYOND
    return 0 if math.isnan(number) else int(number)


def _double(value: object) -> float:
    """A number given as such or as a string, 0 if it is none."""
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return 0.0  # what Python would read as a number as well
    if isinstance(value, str | int | float):
        try:
            return float(value)
        except ValueError:
            return 0.0
        except OverflowError:
            return math.inf if isinstance(value, int) and value > 0 else -math.inf
    return 0.0
