"""Spans as OTLP JSON, sent to the receiver over HTTP."""

from __future__ import annotations

import json
import secrets
import time
import urllib.request
from typing import Any


def span(
    session: str = "", name: str = "chat", ago: float = 1.0, seconds: float = 0.5, **more: Any
) -> dict[str, Any]:
    """An LLM span of a trace of its own that started `ago` seconds ago.

    Args:
        more: its attributes, `__` for a dot; lists, numbers and texts.
    """
    start = time.time_ns() - int(ago * 1e9)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        **({"session.id": session} if session else {}),
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    return {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(seconds * 1e9)),
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
    }


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value}


def send(otlp_url: str, *spans: dict[str, Any], service: str = "tests") -> None:
    """Send spans; returns when they are in Kafka."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}
    request = urllib.request.Request(
        f"{otlp_url}/v1/traces",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer any"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
